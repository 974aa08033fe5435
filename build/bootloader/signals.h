/*
 * Ends that are not the verdict's own: see signals.c.
 */

#ifndef SIGNALS_H
#define SIGNALS_H

enum { FAILURE = 1 }; /* the exit status of all that fails: Docker reserves 2 */

/* To be called first: it notes whether standard error is open, whose number may later be a socket's. */
void catch_signals(void);

/* For what can only be if the file or the machine is not as it should be. */
_Noreturn void fail(const char *reason);

#endif
