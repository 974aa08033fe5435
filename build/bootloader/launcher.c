/*
 * The start of healthchecker, and the bootloader that PyInstaller appends its archive to.
 *
 * A health check is a new process every few seconds, so what counts is how soon the first line of Python runs. A
 * PyInstaller one-file program unpacks itself and starts a second process first; an installed CPython spends most of
 * its start on finding and reading files. This program does neither: CPython is linked into it, and it starts in two
 * stages, of which most runs see only the first.
 *
 *   1. The core interpreter. PyConfig._init_main = 0 stops CPython's start half way ("multi-phase initialization",
 *      docs.python.org/3/c-api/init_config.html): there are the language, its built-in types and modules, and the
 *      frozen modules that lie in this executable as ready code, but no import path, no codecs and no sys.argv. It is
 *      all that probe.hot needs to answer the ordinary arguments. And it is the same in every process, so it is not
 *      started anew in each: the build started it once, and snapshot.c begins with what came of that.
 *   2. The full interpreter. Whatever probe.hot leaves (help, mistakes, https) is answered by the same program with
 *      click and requests: CPython finishes its start, and archive.py runs the program from PyInstaller's archive,
 *      reading it where it lies, at the end of this executable.
 *
 * The rest of this file keeps a promise that the surroundings could break before any Python runs: no environment
 * variable changes a verdict. signals.c keeps another: one line and exit status 1, whatever goes wrong, and in time.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <nss.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/shm.h>
#include <unistd.h>

#include "frozen.h"
#include "seal.h"
#include "signals.h"
#include "snapshot.h"

/* The linker's names where ld's option --wrap puts a function of ours in another's place. */
void __wrap___register_frame_info(const void *tables, void *object);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_shmget(key_t key, size_t size, int flags);

/* For an exception that Python code let through, which it does only where it could not even be loaded. */
static _Noreturn void
fail_with_exception(void)
{
    PyObject *type = PyErr_Occurred();
    fail(type ? ((PyTypeObject *)type)->tp_name : "no result and no exception");
}

static void
check(PyStatus status)
{
    if (PyStatus_Exception(status))
        fail(status.err_msg ? status.err_msg : "the interpreter did not start");
}

/*
 * C's own streams lead nowhere: glibc lets a program set these variables (its manual, 12.2). CPython tells of its own
 * failures on stderr, in many lines ("Fatal Python error", "Python path configuration"), where the one line comes from
 * this file. And it looks at what the others are, which is no matter here: with a directory for stdin it does not
 * start.
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
 * The core interpreter, isolated: no PYTHON* variable is read, no file looked for, no argument parsed.
 */
static void
start_core(void)
{
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    preconfig.utf8_mode = 1; /* whatever the locale says */
    preconfig.allocator = PYMEM_ALLOCATOR_MALLOC; /* for snapshot.c to see all that is allocated */
    check(Py_PreInitialize(&preconfig));

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config._init_main = 0;
    config.parse_argv = 0;
    config.site_import = 0;
    config.write_bytecode = 0;
    config.install_signal_handlers = 0;
    config.use_hash_seed = 1; /* of 0: the snapshot is the same each time; no dictionary has keys that a server chose */

    /* With all of these given, the second stage has no path to compute, and looks for no file to compute it from. */
    wchar_t **const paths[] = {
        &config.home,       &config.prefix,     &config.base_prefix,     &config.exec_prefix, &config.base_exec_prefix,
        &config.stdlib_dir, &config.executable, &config.base_executable,
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        check(PyConfig_SetString(&config, paths[i], L"/"));
    config.module_search_paths_set = 1;

    check(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
    PyGC_Disable(); /* nothing lives long enough here for a collection to pay */
}

/*
 * Give Python the environment, as posix.environ: the rest of the program has none (seal.c). RES_OPTIONS and HOSTALIASES
 * would speak to the look-up of names, SSL_CERT_FILE and OPENSSL_CONF to the trust, and more in other versions.
 */
static void
take_environment(void)
{
    PyObject *posix = PyImport_ImportModule("posix");
    PyObject *variables = posix ? PyObject_GetAttrString(posix, "environ") : NULL;
    if (!variables)
        fail_with_exception();
    PyDict_Clear(variables); /* of those of the build */
    for (char **entry = environment; *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals)
            continue;
        PyObject *name = PyBytes_FromStringAndSize(*entry, equals - *entry);
        PyObject *value = PyBytes_FromString(equals + 1);
        /* Of two with one name the first counts, as it does for getenv. */
        if (!name || !value || !PyDict_SetDefault(variables, name, value))
            fail_with_exception();
        Py_DECREF(name);
        Py_DECREF(value);
    }
    Py_DECREF(variables);
    Py_DECREF(posix);
}

/*
 * Linked in place of libgcc's function that sorts the C library's unwinding tables at the start of a static program, in
 * case an exception of C++ should pass.
 */
void
__wrap___register_frame_info(const void *tables, void *object)
{
    (void)tables;
    (void)object;
}

/*
 * Linked in place of getaddrinfo, for the look-ups of every part of the program. They use /etc/hosts and DNS, which
 * glibc has built in. What else /etc/nsswitch.conf may name are shared libraries of the system's own glibc, which crash
 * in a program that has another glibc linked in.
 */
int
__wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    __nss_configure_lookup("hosts", "files dns");
    return __real_getaddrinfo(name, service, hints, found);
}

/*
 * Linked in place of shmget, which OpenSSL alone calls. Where the kernel is older than Linux 4.8 and refuses getrandom,
 * OpenSSL waits for /dev/random and notes in a shared-memory segment that it need not wait again (rand_unix.c). The
 * segment would outlive this process. Without it, OpenSSL waits each time.
 */
int
__wrap_shmget(key_t key, size_t size, int flags)
{
    (void)key;
    (void)size;
    (void)flags;
    errno = ENOSYS;
    return -1;
}

/*
 * Load the frozen modules of the first stage, each behind those that it imports. An import statement then finds them
 * loaded. Left to import statements, each would go through importlib, written in Python, at three times the cost.
 */
static void
load_core_modules(void)
{
    for (const char *const *name = core_modules; *name; name++) {
        if (PyImport_ImportFrozenModule(*name) <= 0)
            fail_with_exception();
        /* What importlib does besides: the module becomes an attribute of its package. */
        const char *dot = strrchr(*name, '.');
        if (dot) {
            PyObject *package = PyUnicode_FromStringAndSize(*name, dot - *name);
            PyObject *parent = package ? PyImport_GetModule(package) : NULL;
            PyObject *module = PyImport_AddModule(*name); /* borrowed */
            if (!parent || !module || PyObject_SetAttrString(parent, dot + 1, module) < 0)
                fail_with_exception();
            Py_DECREF(parent);
            Py_DECREF(package);
        }
    }
}

/* sys.argv. Bytes that are not UTF-8 become lone surrogates, as everywhere in Python (PEP 383). */
static PyObject *
decoded(int argc, char **argv)
{
    PyObject *arguments = PyList_New(0);
    for (int i = 0; arguments && i < argc; i++) {
        PyObject *text = PyUnicode_DecodeUTF8(argv[i], (Py_ssize_t)strlen(argv[i]), "surrogateescape");
        if (!text || PyList_Append(arguments, text) < 0)
            return NULL;
        Py_DECREF(text);
    }
    return arguments;
}

/* Call a function of a module with a tuple of arguments; the exit status that it returns, -1 for None. */
static int
call(const char *module_name, const char *function_name, PyObject *arguments)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *function = module ? PyObject_GetAttrString(module, function_name) : NULL;
    PyObject *result = function && arguments ? PyObject_CallObject(function, arguments) : NULL;
    if (!result)
        fail_with_exception();
    return result == Py_None ? -1 : (int)PyLong_AsLong(result);
}

int
main(int argc, char **argv)
{
    catch_signals();
    disconnect_c_streams();
    mallopt(M_ARENA_MAX, 1); /* a second thread would reserve 64 MB of address space for an arena of its own */

    if (!restore_snapshot()) {
        bool wanted = argc == 2 && strcmp(argv[1], "--snapshot") == 0;
        if (wanted) {
            setenv("TZ", "UTC0", 1); /* the time module notes the time zone when it is loaded */
            record_snapshot();
        }
        start_core();
        load_core_modules();
        if (wanted) {
            call("rehearsal", "run", Py_BuildValue("()"));
            write_snapshot();
        }
    }
    take_environment();

    PyObject *arguments = decoded(argc, argv);
    int status = call("probe.hot", "main", Py_BuildValue("(O)", arguments));
    if (status < 0) {
        check(_Py_InitializeMain());
        if (PySys_SetObject("argv", arguments) < 0)
            fail_with_exception();
        /* The path that execve was given: /proc/self/exe may not be there, and argv[0] may be anything. */
        const char *path = (const char *)getauxval(AT_EXECFN);
        PyObject *executable = PyUnicode_DecodeFSDefault(path ? path : "");
        status = call("archive", "run", Py_BuildValue("(NK)", executable, (unsigned long long)seal.checksum));
    }
    _exit(status == 0 ? 0 : FAILURE);
}
