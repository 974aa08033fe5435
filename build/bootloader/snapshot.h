/*
 * The snapshot of a started interpreter that the executable begins with. snapshot.c says how.
 */

#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>

/* For a variable that CPython writes to, and that is not CPython's own. */
#define PART_OF_SNAPSHOT __attribute__((section(".snapshot_data")))

/* Go on where the snapshot was taken; false in a launcher that has none yet. */
bool restore_snapshot(void);

/* From now on, remember what is allocated. To be called before the interpreter starts. */
void record_snapshot(void);

/* Write the snapshot to standard output and what link.py has to know of it to standard error, and end the process. */
_Noreturn void write_snapshot(void);

#endif
