/*
 * The start of the program, and the bootloader that PyInstaller appends its archive to.
 *
 * A PyInstaller one-file program unpacks itself and starts a second process; an installed CPython spends its start on
 * finding, reading and running modules. This one does neither. CPython is linked into it, and it goes on where the
 * build has left it: the interpreter started, all modules imported, everything run before (snapshot.c). What is left to
 * do here is to give Python the arguments and the environment of this process, and to call the program's entry point.
 * Nothing here knows which program that is: the entry point comes with the snapshot.
 *
 * The rest of this file keeps a promise that the surroundings could break before any Python runs: no environment
 * variable is heard but by the program itself. signals.c keeps another: one line and exit status 1, whatever goes
 * wrong, and in time.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <nss.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

#include "heap.h"
#include "recorder.h"
#include "seal.h"
#include "signals.h"
#include "snapshot.h"

/* The linker's names where ld's option --wrap puts a function of ours in another's place. */
void __wrap___register_frame_info(const void *tables, void *object);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_shmget(key_t key, size_t size, int flags);
const char *__wrap__dl_get_origin(void);

SSL_CTX *__wrap_SSL_CTX_new(const SSL_METHOD *method);
SSL_CTX *__real_SSL_CTX_new(const SSL_METHOD *method);
SSL *__wrap_SSL_new(SSL_CTX *context);
SSL *__real_SSL_new(SSL_CTX *context);

/* OpenSSL's look at the processor, which it would take when a program starts (declared in none of its headers). */
void OPENSSL_cpuid_setup(void);

/* For an exception that the program let through. */
static _Noreturn void
fail_with_exception(void)
{
    PyObject *type = PyErr_Occurred();
    fail(type ? ((PyTypeObject *)type)->tp_name : "no result and no exception");
}

/*
 * C's own streams lead nowhere: glibc lets a program set these variables (its manual, 12.2). CPython tells of its own
 * failures on stderr, in many lines ("Fatal Python error"), where the one line comes from signals.c.
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
 * An attribute, by the name that the snapshot has. CPython's cache of attributes goes by the name's address, and that
 * of a new one would differ in each process: also in the runs that tell the build what ordinary runs touch.
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
 * Give Python the environment, as posix.environ: the rest of the program has none (seal.c). RES_OPTIONS and HOSTALIASES
 * would speak to the look-up of names, SSL_CERT_FILE and OPENSSL_CONF to the trust, and more in other versions.
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
        /* Of two with one name the first counts, as it does for getenv. */
        if (!name || !value || !PyDict_SetDefault(variables, name, value))
            fail_with_exception();
        Py_DECREF(name);
        Py_DECREF(value);
    }
    Py_DECREF(variables);
    Py_DECREF(posix);
}

/* Give Python the arguments. Bytes that are not UTF-8 become lone surrogates, as everywhere in Python (PEP 383). */
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

/* The exit status that a result or SystemExit's code means (Python's library reference, sys.exit). */
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

/* Call the program's entry point, as the console scripts of packages do; its exit status. */
static int
run(PyObject *entry)
{
    PyObject *result = PyObject_CallNoArgs(entry);
    if (!result && PyErr_ExceptionMatches(PyExc_SystemExit)) {
        PyObject *type;
        PyObject *end;
        PyObject *traceback;
        PyErr_Fetch(&type, &end, &traceback);
        PyErr_NormalizeException(&type, &end, &traceback);
        result = PyObject_GetAttrString(end, "code");
    }
    if (!result)
        fail_with_exception();
    int status = status_of(result);
    static const char *const streams[] = {"stdout", "stderr"};
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        PyObject *stream = PySys_GetObject(streams[i]); /* borrowed */
        PyObject *flush = stream ? attribute(stream, "flush") : NULL;
        PyObject *flushed = flush ? PyObject_CallNoArgs(flush) : NULL;
        if (!flushed)
            return status ? status : FAILURE;
    }
    return status;
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
 * Linked in place of the function by which glibc finds the folder of a static program, for libraries that it might load
 * from there. This one loads none. Unknown, as where there is no /proc: otherwise all that is allocated lies elsewhere
 * where the folder's name is longer, and runs in two folders are not the same (layout.py).
 */
const char *
__wrap__dl_get_origin(void)
{
    return (const char *)-1; /* NOLINT(performance-no-int-to-ptr): glibc's own value for that */
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
 * Linked in place of OpenSSL's functions, to have it look at the processor where TLS is wanted, and only there: in a
 * virtual machine each such look takes some microseconds. Without it, as in the snapshot, OpenSSL computes the same,
 * on any processor, but not as fast.
 */
SSL_CTX *
__wrap_SSL_CTX_new(const SSL_METHOD *method)
{
    if (!recording)
        OPENSSL_cpuid_setup();
    return __real_SSL_CTX_new(method);
}

SSL *
__wrap_SSL_new(SSL_CTX *context)
{
    if (!recording)
        OPENSSL_cpuid_setup();
    return __real_SSL_new(context);
}

int
main(int argc, char **argv)
{
    catch_signals();
    mallopt(M_ARENA_MAX, 1); /* a second thread would reserve 64 MB of address space for an arena of its own */
    if (!has_snapshot())
        record(argc, argv);
    disconnect_c_streams();

    PyObject *entry = restore_snapshot();
    take_environment();
    take_arguments(argc, argv);
    _exit(run(entry));
}
