/*
 * The snapshot that the executable continues from: snapshot.c.
 */

#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "heap.h"

/* For a variable of the bootloader that is part of the snapshot. */
#define PART_OF_SNAPSHOT __attribute__((section(".snapshot_data")))

/* Whether this launcher has a snapshot. */
bool has_snapshot(void);

/* Continue from the snapshot. Returns the entry point, to be called now. */
PyObject *restore_snapshot(void);

/* Start to record. Call it before the interpreter starts. */
void record_snapshot(const struct layout *layout);

/*
 * Write the snapshot of a program with this entry point to the files OUTPUT.variables and OUTPUT.heap, and its blocks
 * to OUTPUT.blocks. Returns false if they cannot be written. The interpreter must not be used after it.
 */
bool write_snapshot(const char *output, PyObject *entry);

#endif
