/*
 * The ends of a process that are not the program's own: ending.c.
 */

#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>

enum { FAILURE = 1 }; /* the exit status of everything that fails: Docker reserves 2 */

/* The program writes its own line: an interrupt no longer ends it, and no other line may follow. */
extern volatile bool concluding;

/* Call this first: it notes whether standard error is open. Later its number may be a socket's. */
void note_standard_error(void);

/* End the process with that exit status and, unless the program writes its own line, with this one. */
_Noreturn void end(int status, const char *line);

/* End the process with a line on a failure that only a damaged file or a lack of memory can cause. */
_Noreturn void fail(const char *reason);

#endif
