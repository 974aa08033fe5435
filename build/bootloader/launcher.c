/*
 * The start of the program. PyInstaller appends its archive to this executable.
 *
 * Contract: `main` gets the arguments, with an empty environment (start.c). In an executable it continues from the
 * snapshot, gives Python the arguments and the environment of this process, calls the program's entry point, and ends
 * with its exit status. An exception that the program does not catch is one line and exit status 1. In the build, which
 * runs it without a snapshot, it records one (recorder.c).
 *
 * A PyInstaller one-file program unpacks itself and starts a second process. An installed CPython spends its start on
 * finding, reading and running modules. This executable does neither: CPython is linked in, the interpreter has
 * started, all modules are imported, and everything has run before (snapshot.c). Nothing here knows which program it
 * is: the entry point comes with the snapshot.
 *
 * No environment variable changes anything before the program runs: see take_environment. And whatever goes wrong is
 * one line and exit status 1, in time: see signals.c and watchdog.c.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ending.h"
#include "recorder.h"
#include "signals.h"
#include "snapshot.h"
#include "start.h"

/* End with the type of an exception that only a damaged file or a lack of memory can cause. */
static _Noreturn void
fail_with_exception(void)
{
    PyObject *type = PyErr_Occurred();
    fail(type ? ((PyTypeObject *)type)->tp_name : "no result and no exception");
}

/*
 * Let C's own streams lead nowhere: glibc lets a program set these variables (its manual, 12.2). CPython reports its
 * own failures on stderr in many lines ("Fatal Python error"). signals.c prints the only one.
 */
static void
disconnect_c_streams(void)
{
    static char nowhere[1];
    FILE *stream = fmemopen(nowhere, sizeof nowhere, "w");
    if (stream)
        stdin = stdout = stderr = stream;
}

/*
 * An attribute, by the name that the snapshot has. CPython's cache of attributes compares the addresses of names. That
 * of a new name would differ in each process, also in the runs that show the build what ordinary runs touch.
 */
static PyObject *
attribute(PyObject *object, const char *name)
{
    PyObject *known = PyUnicode_InternFromString(name);
    PyObject *value = known ? PyObject_GetAttr(object, known) : NULL;
    Py_XDECREF(known);
    return value;
}

/*
 * Give Python the environment, as posix.environ: the rest of the process has none (start.c). RES_OPTIONS and
 * HOSTALIASES would change the lookup of names, SSL_CERT_FILE and OPENSSL_CONF what is trusted, and others more.
 */
static void
take_environment(void)
{
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *variables = posix ? attribute(posix, "environ") : NULL; /* os.environ has the same */
    if (!variables)
        fail_with_exception();
    PyDict_Clear(variables);
    for (char **entry = environment; *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals)
            continue;
        PyObject *name = PyBytes_FromStringAndSize(*entry, equals - *entry);
        PyObject *value = PyBytes_FromString(equals + 1);
        /* The first of two with the same name counts, as for getenv. */
        if (!name || !value || !PyDict_SetDefault(variables, name, value))
            fail_with_exception();
        Py_DECREF(name);
        Py_DECREF(value);
    }
    Py_DECREF(variables);
    Py_DECREF(posix);
}

/* Give Python the arguments. Bytes that are not UTF-8 become lone surrogates, as in any Python (PEP 383). */
static void
take_arguments(int argc, char **argv)
{
    PyObject *arguments = PyList_New(0);
    for (int i = 0; arguments && i < argc; i++) {
        PyObject *text = PyUnicode_DecodeUTF8(argv[i], (Py_ssize_t)strlen(argv[i]), "surrogateescape");
        if (!text || PyList_Append(arguments, text) < 0)
            fail_with_exception();
        Py_DECREF(text);
    }
    if (!arguments || PySys_SetObject("argv", arguments) < 0)
        fail_with_exception();
    Py_DECREF(arguments);
}

/* Take the exception that is set, as an object; its type's name is that of the object. */
static PyObject *
take_exception(void)
{
    PyObject *type;
    PyObject *exception;
    PyObject *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    return exception;
}

/* The exit status for a result, or for the code of a SystemExit (Python's library reference, sys.exit). */
static int
status_of(PyObject *result)
{
    if (!result || result == Py_None)
        return 0;
    if (PyLong_Check(result))
        return (int)PyLong_AsLong(result);
    PyObject *text = PyObject_Str(result);
    if (text)
        PySys_FormatStderr("%U\n", text);
    return FAILURE;
}

/* End with the type and the text of an exception that the program did not catch, in one line. */
static _Noreturn void
fail_with_uncaught(PyObject *exception)
{
    static char line[1000];
    const char *type = Py_TYPE(exception)->tp_name;
    PyObject *text = PyObject_Str(exception);
    const char *format =
        text && PyUnicode_GetLength(text) ? "internal error: %.100s: %.200U" : "internal error: %.100s";
    PyObject *whole = PyUnicode_FromFormat(format, type, text);
    const char *utf8 = whole ? PyUnicode_AsUTF8(whole) : NULL; /* NULL also if it has lone surrogates */
    if (!utf8)
        fail(type);
    snprintf(line, sizeof line - 1, "%s", utf8);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == '\x7f')
            *at = ' ';
    line[strlen(line)] = '\n';
    end(FAILURE, line);
}

/* Flush Python's standard streams; whether that was possible. */
static bool
flush_streams(void)
{
    static const char *const streams[] = {"stdout", "stderr"};
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        PyObject *stream = PySys_GetObject(streams[i]); /* borrowed */
        PyObject *flush = stream ? attribute(stream, "flush") : NULL;
        PyObject *flushed = flush ? PyObject_CallNoArgs(flush) : NULL;
        if (!flushed)
            return false;
    }
    return true;
}

/* Call the program's entry point, as the console scripts of packages do. Returns its exit status. */
static int
run(PyObject *entry)
{
    PyObject *result = PyObject_CallNoArgs(entry);
    PyObject *uncaught = NULL;
    if (!result) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_MemoryError))
            fail_with_exception();
        uncaught = take_exception();
        if (PyErr_GivenExceptionMatches(uncaught, PyExc_SystemExit)) {
            result = PyObject_GetAttrString(uncaught, "code");
            uncaught = NULL;
        }
    }
    int status = uncaught ? FAILURE : status_of(result);
    bool flushed = flush_streams();
    if (uncaught)
        fail_with_uncaught(uncaught);
    return flushed || status ? status : FAILURE;
}

int
main(int argc, char **argv)
{
    note_standard_error();
    catch_signals();
    mallopt(M_ARENA_MAX, 1); /* or a second thread reserves 64 MB of address space for its own arena */
    if (!has_snapshot())
        record(argc, argv);
    disconnect_c_streams();

    PyObject *entry = restore_snapshot();
    take_environment();
    take_arguments(argc, argv);
    _exit(run(entry));
}
