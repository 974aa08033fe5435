/*
 * The watchdog: watchdog.c.
 */

#ifndef WATCHDOG_H
#define WATCHDOG_H

/* End the process as the program has asked for. To be called when the timer ends. */
_Noreturn void end_late(void);

#endif
