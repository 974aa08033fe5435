/*
 * The making of the snapshot, in the build. Nothing here runs in a process that goes on with one, but for the functions
 * that the linker puts in the place of others (ld's option --wrap), which then only pass on.
 *
 * The interpreter is started, and runs a script (recorder.py) that imports the whole program and warms it up. What
 * that leaves must be the same each time, and must not be of the machine where it was made. So the variables of the
 * environment are none, the signals are as in a new session, and the standard streams lead nowhere; time stands still;
 * files have no owner, no time and no place; and nothing is random: who asks the kernel for random bytes ends the
 * recording, for in each later process it would be the same ones. OpenSSL's generator seeds itself where it is first
 * used. Here it is not used: another one, which is not random, stands in its place until the snapshot is taken.
 */

#define OPENSSL_SUPPRESS_DEPRECATED
#include "recorder.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fcntl.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "frozen.h"
#include "heap.h"
#include "signals.h"
#include "snapshot.h"

/* Seconds since 1970 and since the machine's start, while the snapshot is recorded. */
enum { NOW = 1000000000 };

pthread_t __real_pthread_self(void);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __real_gettimeofday(struct timeval *now, void *zone);
time_t __real_time(time_t *now);
ssize_t __real_getrandom(void *bytes, size_t count, unsigned flags);
int __real_getentropy(void *bytes, size_t count);
int __real_uname(struct utsname *found);
int __real_gethostname(char *name, size_t size);
unsigned long __real_PyThread_get_thread_native_id(void);
int __real_stat64(const char *path, struct stat *found);
int __real_lstat64(const char *path, struct stat *found);
int __real_fstat64(int file, struct stat *found);
int __real_fstatat64(int folder, const char *path, struct stat *found, int flags);
pthread_t __wrap_pthread_self(void);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_gettimeofday(struct timeval *now, void *zone);
time_t __wrap_time(time_t *now);
ssize_t __wrap_getrandom(void *bytes, size_t count, unsigned flags);
int __wrap_getentropy(void *bytes, size_t count);
int __wrap_uname(struct utsname *found);
int __wrap_gethostname(char *name, size_t size);
unsigned long __wrap_PyThread_get_thread_native_id(void);
int __wrap_stat64(const char *path, struct stat *found);
int __wrap_lstat64(const char *path, struct stat *found);
int __wrap_fstat64(int file, struct stat *found);
int __wrap_fstatat64(int folder, const char *path, struct stat *found, int flags);

/* The thread's identity is an address of the process, of which CPython makes numbers that it compares. */
pthread_t
__wrap_pthread_self(void)
{
    return recording ? 1 : __real_pthread_self();
}

/*
 * Numbers that another process or another machine has otherwise. Python makes objects of them, and even where it keeps
 * none, a large one takes memory for a while, and a small one does not.
 */
unsigned long
__wrap_PyThread_get_thread_native_id(void)
{
    return recording ? 0 : __real_PyThread_get_thread_native_id();
}

/* What is left of a file's status: its kind and size. */
static int
without_machine(int error, struct stat *found)
{
    enum { USUAL = 4096 };
    if (recording && !error)
        *found = (struct stat){.st_mode = found->st_mode, .st_size = found->st_size, .st_blksize = USUAL};
    return error;
}

int
__wrap_stat64(const char *path, struct stat *found)
{
    return without_machine(__real_stat64(path, found), found);
}

int
__wrap_lstat64(const char *path, struct stat *found)
{
    return without_machine(__real_lstat64(path, found), found);
}

int
__wrap_fstat64(int file, struct stat *found)
{
    return without_machine(__real_fstat64(file, found), found);
}

int
__wrap_fstatat64(int folder, const char *path, struct stat *found, int flags)
{
    return without_machine(__real_fstatat64(folder, path, found, flags), found);
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!recording)
        return __real_clock_gettime(clock, now);
    *now = (struct timespec){.tv_sec = NOW};
    return 0;
}

int
__wrap_gettimeofday(struct timeval *now, void *zone)
{
    if (!recording)
        return __real_gettimeofday(now, zone);
    *now = (struct timeval){.tv_sec = NOW};
    return 0;
}

time_t
__wrap_time(time_t *now)
{
    if (!recording)
        return __real_time(now);
    if (now)
        *now = NOW;
    return NOW;
}

/*
 * Python's module random seeds a generator when it is imported, by a call that does not wait, and seeds it again in
 * each process (os.register_at_fork). All other calls are refused.
 */
ssize_t
__wrap_getrandom(void *bytes, size_t count, unsigned flags)
{
    if (!recording)
        return __real_getrandom(bytes, count, flags);
    if (!(flags & GRND_NONBLOCK))
        refuse("the warm-up asked for random bytes, which would be the same in every process");
    memset(bytes, 0, count);
    return (ssize_t)count;
}

int
__wrap_getentropy(void *bytes, size_t count)
{
    if (recording)
        refuse("the warm-up began a random generator, which would be the same in every process");
    return __real_getentropy(bytes, count);
}

/* The machine has no name while it is recorded, and its kernel no version: modules look when they are imported. */
int
__wrap_uname(struct utsname *found)
{
    int error = __real_uname(found);
    if (recording && !error)
        found->nodename[0] = found->release[0] = found->version[0] = '\0';
    return error;
}

int
__wrap_gethostname(char *name, size_t size)
{
    if (!recording)
        return __real_gethostname(name, size);
    memset(name, 0, size);
    return 0;
}

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

/* The interpreter, isolated: no PYTHON* variable is read, no file looked for, no argument parsed. */
static void
start_interpreter(void)
{
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    preconfig.utf8_mode = 1; /* whatever the locale says */
    preconfig.allocator = PYMEM_ALLOCATOR_MALLOC; /* for heap.c to see all that is allocated */
    check(Py_PreInitialize(&preconfig));

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.parse_argv = 0;
    config.site_import = 0;
    config.write_bytecode = 0;
    config.optimization_level = 2;
    config.install_signal_handlers = 0;
    config.use_hash_seed = 1; /* of 0: the snapshot is the same each time */

    /* With all of these given there is no path to compute, and no file to look for to compute it from. */
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

/* Another session's parent may have had signals ignored, which Python notes; and its streams are files of its own. */
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
    setenv("TZ", "UTC0", 1); /* the time module notes the time zone when it is loaded */
}

struct bytes {
    void *start;
    size_t size;
};

/* A file's bytes, outside of the heap: they are no part of the snapshot. */
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

/* What the script's function main returns: what is to be called in each process. */
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
