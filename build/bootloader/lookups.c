/*
 * CPython's cache of attributes of types, which keeps the name and the value of each look-up until another one needs
 * the room (Objects/typeobject.c).
 *
 * Most of what is looked up while the modules are imported, and by the first run, is never looked up again. Which of
 * that the cache still holds depends on the addresses of the names, so that each layout of the heap would keep other
 * blocks. It is emptied for each module, and between two warm-ups: the second fills it with what later runs look up.
 * PyType_ClearCache does more: all that the interpreter has learnt about types would be lost with it.
 */

#define Py_BUILD_CORE 1

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <internal/pycore_interp.h>

#include "recorder.h"

void
forget_lookups(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    struct type_cache *cache = &PyInterpreterState_Get()->types.type_cache;
#else
    struct type_cache *cache = &PyInterpreterState_Get()->type_cache;
#endif
    for (size_t i = 0; i < sizeof cache->hashtable / sizeof *cache->hashtable; i++) {
        struct type_cache_entry *entry = &cache->hashtable[i];
        entry->version = 0;
        entry->value = NULL; /* borrowed */
        Py_INCREF(Py_None);
        Py_XSETREF(entry->name, Py_None);
    }
}
