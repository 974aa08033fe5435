/*
 * Python modules as ready code, in the executable. link.py writes frozen.c from the modules' source.
 */

#ifndef FROZEN_H
#define FROZEN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* As CPython wants them: ended by an entry without a name. */
extern const struct _frozen frozen_import_system[];
extern const struct _frozen frozen_modules[];

/* What the program says when it is interrupted: a line. */
extern const char interrupted_line[];

#endif
