/*
 * Crashes and interrupts: each is one line and exit status 1.
 *
 * Contract: main calls catch_signals first, and the recorder calls it again. From then on a crash ends the process by
 * `fail`, an interrupt by `end` with the program's own line (frozen.h), and the watchdog's timer works (watchdog.c).
 * What the parent has ignored of the interrupts stays ignored.
 *
 * A check ends with 0 or 1, so a crash must not end it with a signal's exit status. An interrupt must also end the
 * process before the interpreter is there, or while it waits inside the C library. If the file was cut short, touching
 * a missing page raises SIGBUS. Damaged code can raise any of the others.
 */

#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

#include "ending.h"
#include "frozen.h"
#include "watchdog.h"

static void
on_crash(int number)
{
    (void)number;
    if (concluding)
        _exit(FAILURE); /* after the program's line, or within it: no second line */
    fail("crashed");
}

static void
on_interrupt(int number)
{
    (void)number;
    if (!concluding) /* otherwise the process ends in a moment */
        end(FAILURE, interrupted_line);
}

static void
on_timer(int number, siginfo_t *cause, void *context)
{
    (void)context;
    if (cause->si_code == SI_KERNEL)
        end_late();
    on_interrupt(number); /* kill -ALRM */
}

static void
catch_crashes(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
    static char stack[64 * 1024]; /* of its own, since a crash may be an overflow of the usual one */
    const stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};

    sigfillset(&action.sa_mask);
    sigaltstack(&alternative, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &action, NULL);
}

static void
catch_interrupts(void)
{
    static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU};
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_ONSTACK};
    struct sigaction before;

    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof interrupts / sizeof *interrupts; i++) {
        sigaction(interrupts[i], &action, &before);
        if (before.sa_handler == SIG_IGN) /* by nohup, or by a shell for a job in the background */
            sigaction(interrupts[i], &before, NULL);
    }
}

/* Timers outlive execve (setitimer(2)), and so do blocked signals: the parent must not set them here. */
static void
catch_timer(void)
{
    static const struct itimerval never;
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigset_t none;

    setitimer(ITIMER_REAL, &never, NULL);
    setitimer(ITIMER_VIRTUAL, &never, NULL);
    setitimer(ITIMER_PROF, &never, NULL);
    sigaction(SIGVTALRM, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    sigaction(SIGALRM, &action, NULL); /* ignored first: that discards a pending one */
    action.sa_sigaction = on_timer;
    action.sa_flags = SA_ONSTACK | SA_SIGINFO;
    sigfillset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void
catch_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    catch_crashes();
    catch_interrupts();
    sigaction(SIGPIPE, &ignore, NULL); /* a line that cannot be written (no reader, a limit on files) is not an end */
    sigaction(SIGXFSZ, &ignore, NULL);
    catch_timer();
}
