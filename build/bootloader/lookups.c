/*
 * CPython's cache of attributes.
 *
 * Contract: recorder.py calls forget_lookups before it imports a module, and between the two warm-ups. It empties the
 * cache. It runs in the build alone.
 *
 * The cache keeps the name and the value of each lookup until another one needs the entry (Objects/typeobject.c). Most
 * of what is looked up during imports, and by the first run, is never looked up again. Which of these lookups the cache
 * still holds depends on the addresses of the names, so each layout of the heap would keep other blocks. The second
 * warm-up fills it with what later runs look up. PyType_ClearCache does more: the interpreter would lose all that it
 * has learnt about types.
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
