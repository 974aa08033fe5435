/*
 * The seal, by which the executable notices that it is damaged: seal.c.
 */

#ifndef SEAL_H
#define SEAL_H

#include <stdint.h>

#define DAMAGED "internal error: this executable is damaged; copy it again\n"

struct seal {
    char name[24]; /* by which seal.py finds it, to write the rest when everything else is in place */
    uint64_t size; /* of the file, in bytes; 0 until it is sealed */
    uint64_t end[2]; /* the last bytes of the file */
    char self[16];
    char damaged[sizeof DAMAGED];
};

extern const struct seal seal;

/* Return if the file has the length and the end of its seal, or no seal. Otherwise end the process. */
void check_seal(const uintptr_t *stack);

#endif
