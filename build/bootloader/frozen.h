/*
 * What differs between launchers. frozen_code.py writes frozen.c: Python modules as ready code, and what the program
 * adds.
 */

#ifndef FROZEN_H
#define FROZEN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The frozen modules of the import system, and those that the start needs; each ended by an entry without a name. */
extern const struct _frozen frozen_import_system[];
extern const struct _frozen frozen_modules[];

/* The modules in C that the program needs beside those of inittab.c, ended by an entry without a name. */
extern struct _inittab program_modules[];

/* The line that the program prints when it is interrupted. */
extern const char interrupted_line[];

#endif
