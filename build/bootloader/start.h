/*
 * The first code of a process: start.c.
 */

#ifndef START_H
#define START_H

#include <stdint.h>

/* For a function that runs before the C library has started: it lies in the first pages of the file (seal.c). */
#define EARLY __attribute__((section(".text.unlikely"), used, noinline, no_stack_protector))

/* The environment that the kernel passed to the process. The C library gets an empty one. */
extern char **environment;

/* The stack as the kernel leaves it: the number of arguments, they, 0, the environment, 0, the auxiliary vector. */

__attribute__((always_inline)) static inline const uintptr_t *
environment_on(const uintptr_t *stack)
{
    return stack + 1 + stack[0] + 1;
}

__attribute__((always_inline)) static inline const uintptr_t *
auxiliary_vector_on(const uintptr_t *stack)
{
    const uintptr_t *entry = environment_on(stack);
    while (*entry++)
        continue;
    return entry;
}

#endif
