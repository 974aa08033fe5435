/*
 * The snapshot that the executable continues from. snapshot.c says how.
 */

#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "heap.h"

/* For a variable that is part of the snapshot, and no library's. */
#define PART_OF_SNAPSHOT __attribute__((section(".snapshot_data")))

/* Whether there is one in this launcher. */
bool has_snapshot(void);

/* Go on where the snapshot was taken: what is to be called now. */
PyObject *restore_snapshot(void);

/* From now on, remember what is allocated. To be called before the interpreter starts. */
void record_snapshot(const struct layout *layout);

/*
 * Write the snapshot of a program that begins with a call of `entry` to the files OUTPUT.variables and OUTPUT.heap, and
 * to OUTPUT.blocks what is where in the heap; false where they cannot be written. The interpreter is not to be used
 * behind it.
 */
bool write_snapshot(const char *output, PyObject *entry);

#endif
