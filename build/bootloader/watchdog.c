/*
 * The watchdog: a timer of the kernel that ends the process after its deadline, whatever keeps it from ending by
 * itself.
 *
 * Contract: the program imports the module _watchdog and calls its function `arm`, again whenever the deadline changes.
 * When the time is over, the kernel sends SIGALRM, and its handler (signals.c) calls end_late. The process then ends
 * with the line and the exit status of the last call.
 *
 * It needs neither a thread nor the interpreter. So it also ends a lookup that got no thread, a file system that does
 * not respond, a pipe that is not read, or an interpreter that hangs for lack of memory.
 */

#include "watchdog.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>
#include <sys/time.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#include "ending.h"
#include "heap.h"
#include "snapshot.h"

PyMODINIT_FUNC PyInit__watchdog(void);

static char late_line[1024];
static int late_status = FAILURE;

_Noreturn void
end_late(void)
{
    end(late_status, late_line);
}

PyDoc_STRVAR(arm_doc, "arm(seconds, status, line)\n--\n\n"
                      "End the process after that time, with the exit status and the line on standard error. An empty\n"
                      "line means that the program writes its own: then print nothing, and ignore interrupts.");

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
        Py_RETURN_NONE; /* the build has no deadline */
    setitimer(ITIMER_REAL, &never, NULL); /* it must not end while these are half written */
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
