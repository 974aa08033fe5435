/*
 * Tables and functions of CPython that this executable overrides: its frozen modules.
 *
 * Contract: the linker takes these instead of the object files in libpython that define them. The interpreter reads the
 * tables when it starts, which is when the snapshot is recorded.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "frozen.h"

/*
 * The tables of frozen modules. CPython's own (Python/frozen.c) have more of the standard library than the start needs.
 * The archive has the rest, compressed.
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
 * The code of CPython's own frozen modules as ready objects (Python/deepfreeze), which the tables above do not use. The
 * interpreter would intern their strings when it starts.
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
