/*
 * What differs between launchers. link.py writes frozen.c: Python modules as ready code, from their source, and what
 * the program adds.
 */

#ifndef FROZEN_H
#define FROZEN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* As CPython wants them: ended by an entry without a name. */
extern const struct _frozen frozen_import_system[];
extern const struct _frozen frozen_modules[];

/* The modules of C that the program needs beside those of inittab.c, ended by an entry without a name. */
extern struct _inittab program_modules[];

/* What the program says when it is interrupted: a line. */
extern const char interrupted_line[];

#endif
