/*
 * The modules in C that are part of the executable.
 *
 * Contract: CPython reads _PyImport_Inittab when it starts. The recorder adds the program's own (frozen.h).
 *
 * libpython has such a table of its own, in config.o, with everything that the distribution built in. With a table
 * defined here, the linker leaves out config.o, and with it some fifty modules that no check needs. It also must: some
 * of them need libraries that the distribution ships in no static form (on Debian 13 the HACL* objects of the hash
 * modules).
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <openssl/ssl.h>

#include "frozen.h"

#if PY_VERSION_HEX >= 0x030D0000
#define NEWER_MODULES(X) , X(_suggestions), X(_sysconfig), X(_typing)
#else
#define NEWER_MODULES(X)
#endif

#define MODULES(X)                                                                                                     \
    X(_abc), X(_ast), X(_bisect), X(_blake2), X(_codecs), X(_collections), X(_datetime), X(_functools), X(_heapq),     \
        X(_imp), X(_io), X(_locale), X(_opcode), X(_operator), X(_random), X(_signal), X(_socket), X(_sre), X(_stat),  \
        X(_string), X(_struct), X(_thread), X(_tokenize), X(_weakref), X(array), X(atexit), X(binascii), X(errno),     \
        X(gc), X(itertools), X(math), X(posix), X(select), X(time), X(unicodedata), X(zlib) NEWER_MODULES(X)

#define DECLARE(name) *PyInit_##name(void)
extern PyObject MODULES(DECLARE);

/* Not in libpython: compiled from the source of the same CPython. */
extern PyObject DECLARE(_ssl), DECLARE(_hashlib);

/* Of the launcher: watchdog.c. */
extern PyObject DECLARE(_watchdog);

/* These have other names than the rest. */
extern PyObject *PyMarshal_Init(void);
extern PyObject *_PyWarnings_Init(void);

/*
 * OpenSSL reads openssl.cnf, in the folder of the system that it was built for, as soon as it is used. On another
 * system that file may be for another OpenSSL, and name engines and providers in shared libraries. Loading one into
 * this static program crashes. So no file is read, and what a check trusts and accepts is the same everywhere.
 */
static void
configure_openssl(void)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static PyObject *
init_ssl(void)
{
    configure_openssl();
    return PyInit__ssl();
}

static PyObject *
init_hashlib(void)
{
    configure_openssl();
    return PyInit__hashlib();
}

#define ENTRY(name) {#name, PyInit_##name}
struct _inittab _PyImport_Inittab[] = {
    MODULES(ENTRY),
    ENTRY(_watchdog),
    {"_hashlib", init_hashlib},
    {"_ssl", init_ssl},
    {"_warnings", _PyWarnings_Init},
    {"marshal", PyMarshal_Init},
    {"builtins", NULL}, /* the interpreter makes it when it starts */
    {"sys", NULL},
    {NULL, NULL},
};
