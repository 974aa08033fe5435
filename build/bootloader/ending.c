/*
 * The ends of a process that are not the program's own.
 *
 * Contract: end and fail print at most one line on standard error and end the process; they do not return. Handlers of
 * signals call them (signals.c, watchdog.c), in any thread and at any moment, and so does the rest of the bootloader.
 * If two threads call them at once, the first one ends the process.
 *
 * All of this is safe in handlers of signals (signal-safety(7)).
 */

#include "ending.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

volatile bool concluding;

static bool stderr_is_open;

/* Set by the thread that ends the process. */
static atomic_flag ended = ATOMIC_FLAG_INIT;

void
note_standard_error(void)
{
    stderr_is_open = fcntl(STDERR_FILENO, F_GETFD) >= 0;
}

/* Ignore a closed pipe. Do not wait for a reader that stalls. */
static void
say(const char *text)
{
    struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (stderr_is_open && poll(&reader, 1, 0) == 1 && write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/*
 * Return in the first thread that calls this. The others wait until it has ended the process. Signals are blocked:
 * their handler would wait here for the thread that it has interrupted.
 */
static void
be_first(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    while (atomic_flag_test_and_set(&ended))
        pause();
}

_Noreturn void
end(int status, const char *line)
{
    be_first();
    if (!concluding)
        say(line);
    _exit(status);
}

_Noreturn void
fail(const char *reason)
{
    be_first();
    say("internal error: ");
    say(reason);
    say("; if memory is not short, this executable is damaged: copy it again\n");
    _exit(FAILURE);
}
