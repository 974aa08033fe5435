/*
 * The recording of the snapshot: recorder.c.
 */

#ifndef RECORDER_H
#define RECORDER_H

/* End the recording, with a line on standard error. */
_Noreturn void refuse(const char *reason);

/*
 * Record a snapshot, and end the process: --record OUTPUT LAYOUT SCRIPT ARCHIVE ARGUMENT...
 *
 * The script's function main gets the bytes of the archive, a function that begins a new step (heap.c), one that
 * empties a cache (lookups.c), and the list of arguments. It returns the entry point, to be called in each process.
 */
_Noreturn void record(int argc, char **argv);

/* Empty CPython's cache of attributes: lookups.c. */
void forget_lookups(void);

#endif
