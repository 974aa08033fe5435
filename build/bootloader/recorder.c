/*
 * The recording of the snapshot, which only the build does.
 *
 * Contract: main calls `record` in a launcher without a snapshot. It starts the interpreter and runs a script
 * (recorder.py) that imports the whole program and warms it up. It writes the snapshot to files and ends the process
 * with exit status 0. If anything prevents that, one line on standard error gives the reason, and the exit status is 1.
 * recorder.h lists the arguments.
 *
 * The snapshot must be the same each time, and hold nothing of the machine where it was made. So there are no
 * environment variables, signals are as in a new session, and the standard streams lead nowhere. overrides_recording.c
 * does the rest: time stands still, files have no owner, time or place, and a request for random bytes ends the
 * recording, since every process would get the same ones. OpenSSL's generator seeds itself at its first use. It is not
 * used here: another one, which is not random, takes its place until the snapshot is taken.
 */

#define OPENSSL_SUPPRESS_DEPRECATED
#include "recorder.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ending.h"
#include "frozen.h"
#include "heap.h"
#include "signals.h"
#include "snapshot.h"

static int
predictable_bytes(unsigned char *bytes, int count)
{
    static unsigned char next;
    for (int i = 0; i < count; i++)
        bytes[i] = next += 167;
    return 1;
}

static int
always_ready(void)
{
    return 1;
}

static const RAND_METHOD predictable = {
    .bytes = predictable_bytes,
    .pseudorand = predictable_bytes,
    .status = always_ready,
};

_Noreturn void
refuse(const char *reason)
{
    dprintf(STDERR_FILENO, "%s\n", reason);
    _exit(FAILURE);
}

static void
check(PyStatus status)
{
    if (PyStatus_Exception(status))
        refuse(status.err_msg ? status.err_msg : "the interpreter did not start");
}

/* Start the interpreter, isolated: it reads no PYTHON* variable, looks for no file, and parses no argument. */
static void
start_interpreter(void)
{
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    preconfig.utf8_mode = 1; /* in any locale */
    preconfig.allocator = PYMEM_ALLOCATOR_MALLOC; /* so that overrides_malloc.c gets every call */
    check(Py_PreInitialize(&preconfig));

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.parse_argv = 0;
    config.site_import = 0;
    config.write_bytecode = 0;
    config.optimization_level = 2;
    config.install_signal_handlers = 0;
    config.use_hash_seed = 1; /* of 0: the snapshot is the same each time */

    /* With all of these given, CPython computes no path, and looks for no file to compute it from. */
    wchar_t **const paths[] = {
        &config.home,       &config.prefix,     &config.base_prefix,     &config.exec_prefix, &config.base_exec_prefix,
        &config.stdlib_dir, &config.executable, &config.base_executable,
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        check(PyConfig_SetString(&config, paths[i], L"/"));
    config.module_search_paths_set = 1;

    check(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}

/* The parent may have ignored signals, which Python notes, and its standard streams may be files. */
static void
forget_surroundings(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    catch_signals();
    int nowhere = open("/dev/null", O_RDWR);
    for (int stream = STDIN_FILENO; stream <= STDOUT_FILENO; stream++)
        dup2(nowhere, stream);
    if (nowhere > STDERR_FILENO)
        close(nowhere);
    setenv("TZ", "UTC0", 1); /* the time module notes the time zone when it is imported */
}

struct bytes {
    void *start;
    size_t size;
};

/* Map a file, outside of the heap: its bytes are no part of the snapshot. */
static struct bytes
mapped(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0)
        refuse("a file to be recorded cannot be read");
    void *start = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (start == MAP_FAILED)
        refuse("a file to be recorded cannot be read");
    close(file);
    return (struct bytes){start, (size_t)status.st_size};
}

static PyObject *
view_of(struct bytes bytes)
{
    return PyMemoryView_FromMemory(bytes.start, (Py_ssize_t)bytes.size, PyBUF_READ);
}

static PyObject *
begin_step(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    next_step();
    Py_RETURN_NONE;
}

static PyObject *
forget(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    forget_lookups();
    Py_RETURN_NONE;
}

static PyMethodDef step_function = {"step", begin_step, METH_NOARGS, NULL};
static PyMethodDef forget_function = {"forget_lookups", forget, METH_NOARGS, NULL};

/* Run the script, and return what its function main returns: the entry point, to be called in each process. */
static PyObject *
run_script(const char *script, const char *archive, char **arguments)
{
    PyObject *names = Py_BuildValue("{s:O}", "__builtins__", PyEval_GetBuiltins());
    struct bytes text = mapped(script);
    PyObject *source = PyBytes_FromStringAndSize(text.start, (Py_ssize_t)text.size);
    PyObject *code = source ? Py_CompileString(PyBytes_AS_STRING(source), "<recorder>", Py_file_input) : NULL;
    Py_XDECREF(source);
    PyObject *nothing = names && code ? PyEval_EvalCode(code, names, names) : NULL;
    Py_XDECREF(code);
    PyObject *function = nothing ? PyDict_GetItemString(names, "main") : NULL; /* borrowed */
    PyObject *list = PyList_New(0);
    for (; list && *arguments; arguments++) {
        PyObject *argument = PyUnicode_DecodeFSDefault(*arguments);
        if (!argument || PyList_Append(list, argument) < 0)
            refuse("short of memory");
        Py_DECREF(argument);
    }
    PyObject *entry = function ? PyObject_CallFunction(function, "NNNN", view_of(mapped(archive)),
                                                       PyCFunction_New(&step_function, NULL),
                                                       PyCFunction_New(&forget_function, NULL), list)
                               : NULL;
    if (!entry) {
        PyErr_PrintEx(0);
        refuse("the program cannot be recorded");
    }
    Py_DECREF(nothing);
    Py_DECREF(names);
    return entry;
}

_Noreturn void
record(int argc, char **argv)
{
    if (argc < 6 || strcmp(argv[1], "--record") != 0)
        refuse("this launcher has no snapshot yet");
    forget_surroundings();
    record_snapshot(mapped(argv[3]).start);
    if (PyImport_ExtendInittab(program_modules) < 0)
        refuse("short of memory");
    start_interpreter();
    RAND_set_rand_method(&predictable);
    PyObject *entry = run_script(argv[4], argv[5], argv + 6);
    RAND_set_rand_method(NULL);
    _exit(write_snapshot(argv[2], entry) ? 0 : FAILURE);
}
