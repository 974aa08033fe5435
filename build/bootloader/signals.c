/*
 * Ends that are not the verdict's own: damage, interrupts, and the watchdog. Each is one line and exit status 1.
 *
 * A check ends with 0 or 1, so a crash must not end it with a signal's exit status. An interrupt must be answered also
 * where the interpreter is not there yet, or waits inside the C library. A file that was cut short shows as SIGBUS,
 * when a page is touched that is not there any more; damaged code as any of the others.
 *
 * The watchdog is a timer of the kernel's. It ends the process when its time is over, whatever keeps it from ending by
 * itself: a look-up where no second thread can be had, a file system that does not answer, a pipe that nobody reads, an
 * interpreter that hangs for want of memory. Python winds it up as the module _watchdog.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "frozen.h"
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#include "heap.h"
#include "signals.h"
#include "snapshot.h"

PyMODINIT_FUNC PyInit__watchdog(void);

static bool stderr_is_open;

/* What the watchdog does. */
static char late_line[1024];
static int late_status = FAILURE;

/* The verdict is being written: only the watchdog still ends the process, and nothing may be said besides. */
static volatile bool concluding;

/* Set by the one that has the last word: two threads can be in handlers at once. */
static atomic_flag spoken = ATOMIC_FLAG_INIT;

/* A reader that is gone is no news, and one that does not read is not waited for. */
static void
say(const char *text)
{
    struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (stderr_is_open && poll(&reader, 1, 0) == 1 && write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/*
 * The first thread comes back from here; the others wait until it has ended the process. No signal interrupts it any
 * more: the handler would wait here for the thread that it has interrupted.
 */
static void
take_the_last_word(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    while (atomic_flag_test_and_set(&spoken))
        pause();
}

_Noreturn void
fail(const char *reason)
{
    take_the_last_word();
    say("internal error: ");
    say(reason);
    say("; if memory is not short, this executable is damaged: copy it again\n");
    _exit(FAILURE);
}

static void
on_crash(int number)
{
    (void)number;
    if (concluding)
        _exit(FAILURE); /* behind the line, or in the middle of it: no second one */
    fail("crashed");
}

static void
on_interrupt(int number)
{
    (void)number;
    if (concluding)
        return; /* it is over in a moment, one way or the other */
    take_the_last_word();
    say(interrupted_line);
    _exit(FAILURE);
}

static void
on_timer(int number, siginfo_t *cause, void *context)
{
    (void)context;
    if (cause->si_code != SI_KERNEL) { /* kill -ALRM */
        on_interrupt(number);
        return;
    }
    take_the_last_word();
    if (!concluding)
        say(late_line);
    _exit(late_status);
}

void
catch_signals(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
    static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU};
    static const struct itimerval never;
    static char stack[64 * 1024]; /* of its own, for a crash may be the stack's overflow */
    const stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
    struct sigaction before;
    sigset_t none;

    sigfillset(&action.sa_mask);
    stderr_is_open = fcntl(STDERR_FILENO, F_GETFD) >= 0;
    sigaltstack(&alternative, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &action, NULL);

    action.sa_handler = on_interrupt;
    for (size_t i = 0; i < sizeof interrupts / sizeof *interrupts; i++) {
        sigaction(interrupts[i], &action, &before);
        if (before.sa_handler == SIG_IGN) /* a shell's background job is not interrupted, nor is nohup's */
            sigaction(interrupts[i], &before, NULL);
    }
    action.sa_handler = SIG_IGN; /* a line that cannot be written (no reader, a limit on files) is not the end */
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);

    /* Timers outlive execve (setitimer(2)), and so do signals that are blocked: neither is the parent's to set here. */
    setitimer(ITIMER_REAL, &never, NULL);
    setitimer(ITIMER_VIRTUAL, &never, NULL);
    setitimer(ITIMER_PROF, &never, NULL);
    sigaction(SIGVTALRM, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    sigaction(SIGALRM, &action, NULL); /* to be ignored first: that forgets one which waits to be let in */
    action.sa_sigaction = on_timer;
    action.sa_flags = SA_ONSTACK | SA_SIGINFO;
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

PyDoc_STRVAR(arm_doc, "arm(seconds, status, line)\n--\n\n"
                      "End the process in so many seconds with that status, and the line on standard error. With an\n"
                      "empty line, say nothing, then or on an interrupt: the verdict is being written.");

static PyObject *
arm(PyObject *module, PyObject *arguments)
{
    static const struct itimerval never;
    double seconds;
    int status;
    const char *line;
    Py_ssize_t length;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "dis#:arm", &seconds, &status, &line, &length))
        return NULL;
    if (!(seconds > 0 && seconds < 1e6) || length >= (Py_ssize_t)sizeof late_line) {
        PyErr_SetString(PyExc_ValueError, "no time, or a line that is too long");
        return NULL;
    }
    const long microseconds = (long)(seconds * 1e6);
    const struct itimerval timer = {
        .it_value = {.tv_sec = microseconds / 1000000, .tv_usec = (microseconds % 1000000) + !microseconds},
    };
    if (recording || RUNNING_ON_VALGRIND)
        Py_RETURN_NONE; /* the build may take its time */
    setitimer(ITIMER_REAL, &never, NULL); /* not while these are half written */
    concluding = length == 0;
    memcpy(late_line, line, (size_t)length);
    late_line[length] = '\0';
    late_status = status;
    setitimer(ITIMER_REAL, &timer, NULL);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"arm", arm, METH_VARARGS, arm_doc}, {NULL, NULL, 0, NULL}};
static PART_OF_SNAPSHOT PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_watchdog",
    .m_size = 0,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__watchdog(void)
{
    return PyModuleDef_Init(&definition);
}
