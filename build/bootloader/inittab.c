/*
 * The modules that are part of the executable: those of C, and those of Python as ready code.
 *
 * libpython has such a table of its own, config.o, with everything that the distribution built in. A table defined here
 * keeps config.o, and with it some fifty modules that no check needs, out of the link. It also has to: some of them
 * need libraries that the distribution ships no static form of (on Debian 13 the HACL* objects of the hash modules).
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

/* Of the launcher: signals.c. */
extern PyObject DECLARE(_watchdog);

/* Named otherwise than the rest. */
extern PyObject *PyMarshal_Init(void);
extern PyObject *_PyWarnings_Init(void);

/*
 * OpenSSL reads the file openssl.cnf of the system it was built for as soon as it is used. Under another system it may
 * find one written for another OpenSSL, naming engines and providers to load from shared libraries: into this static
 * program, where that crashes. What a check trusts and accepts is the same everywhere.
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
    {"builtins", NULL}, /* made by the interpreter's start itself */
    {"sys", NULL},
    {NULL, NULL},
};

/*
 * CPython's tables of frozen modules, in place of its own (Python/frozen.c), which hold more of the standard library
 * than is needed so early: the archive has the rest, compressed.
 */
static const struct _frozen none = {.name = NULL};

static const struct _module_alias {
    const char *name;
    const char *original;
} no_alias = {.name = NULL};

extern const struct _frozen *_PyImport_FrozenBootstrap, *_PyImport_FrozenStdlib, *_PyImport_FrozenTest;
extern const struct _module_alias *_PyImport_FrozenAliases;

const struct _frozen *_PyImport_FrozenBootstrap = frozen_import_system;
const struct _frozen *_PyImport_FrozenStdlib = &none;
const struct _frozen *_PyImport_FrozenTest = &none;
const struct _frozen *PyImport_FrozenModules = frozen_modules;

const struct _module_alias *_PyImport_FrozenAliases = &no_alias;

/*
 * The code of CPython's own frozen modules as ready objects (Python/deepfreeze), which the tables above leave without
 * use. The interpreter's start would make its strings the ones that all others are found as.
 */
#if PY_VERSION_HEX < 0x030D0000
int _Py_Deepfreeze_Init(void);
void _Py_Deepfreeze_Fini(void);

int
_Py_Deepfreeze_Init(void)
{
    return 0;
}

void
_Py_Deepfreeze_Fini(void)
{
}
#endif
