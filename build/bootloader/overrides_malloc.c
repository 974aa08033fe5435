/*
 * malloc and free, in every process.
 *
 * Contract: the linker puts each __wrap_NAME in the place of NAME (ld's option --wrap), wherever a library calls that.
 *
 *   - While a snapshot is recorded, blocks come from its heap (heap.c).
 *   - In a process that continues from a snapshot they are the C library's, but for two things: a block of the snapshot
 *     that is freed is left alone, and realloc copies one to a block of the C library's.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);

void *
__wrap_malloc(size_t size)
{
    return recording ? heap_take(size, UNIT) : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    if (!recording)
        return __real_calloc(count, size);
    size_t all;
    return __builtin_mul_overflow(count, size, &all) ? NULL : heap_take(all, UNIT);
}

void *
__wrap_realloc(void *old, size_t size)
{
    if (!in_heap(old))
        return old ? __real_realloc(old, size) : __wrap_malloc(size);
    void *new = __wrap_malloc(size);
    if (!new)
        return NULL;
    /* After the recording the old block's size is unknown. What follows it is copied too, which does no harm. */
    size_t most = recording ? heap_size_of(old) : (size_t)(heap_end - (char *)old);
    memcpy(new, old, size < most ? size : most);
    __wrap_free(old);
    return new;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return recording ? heap_take(size, alignment) : __real_aligned_alloc(alignment, size);
}

int
__wrap_posix_memalign(void **block, size_t alignment, size_t size)
{
    if (!recording)
        return __real_posix_memalign(block, alignment, size);
    *block = heap_take(size, alignment);
    return *block ? 0 : ENOMEM;
}

void
__wrap_free(void *old)
{
    if (!in_heap(old))
        __real_free(old);
    else if (recording)
        heap_free(old);
}
