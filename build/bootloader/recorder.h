/*
 * The making of the snapshot: recorder.c.
 */

#ifndef RECORDER_H
#define RECORDER_H

/* End the recording, with a line that says why. */
_Noreturn void refuse(const char *reason);

/*
 * Write a snapshot, and end the process: --record OUTPUT LAYOUT SCRIPT ARCHIVE ARGUMENT...
 *
 * The script's function main gets the bytes of the archive, a function that says that a new step begins (heap.c), one
 * that empties a cache (lookups.c), and the list of arguments; it returns what is to be called in each process.
 */
_Noreturn void record(int argc, char **argv);

/* Empty CPython's cache of attributes: lookups.c. */
void forget_lookups(void);

#endif
