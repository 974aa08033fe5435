/*
 * The handlers of signals: signals.c.
 */

#ifndef SIGNALS_H
#define SIGNALS_H

/* Install the handlers. Call note_standard_error first. */
void catch_signals(void);

#endif
