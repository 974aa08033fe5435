/*
 * The seal: what the executable knows of itself. seal.c says why.
 */

#ifndef SEAL_H
#define SEAL_H

#include <stdint.h>

#define DAMAGED "internal error: this executable is damaged; copy it again\n"

struct seal {
    char name[24]; /* by which seal.py finds it, to write the rest when everything else is in place */
    uint64_t size; /* of the file, in bytes; 0 as long as it is not sealed */
    uint64_t end[2]; /* the last bytes of the file */
    char self[16];
    char damaged[sizeof DAMAGED];
};

extern const struct seal seal;

/* The environment as the kernel passed it on. The C library was given an empty one. */
extern char **environment;

#endif
