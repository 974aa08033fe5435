/*
 * The snapshot: CPython's start, made once, when the executable is built.
 *
 * To start, CPython builds some hundred types, thousands of strings, and the modules of the first stage: ten million
 * instructions, the same in every process, with the same outcome in memory. So the build lets the launcher come as far
 * as that, keeps the memory, and puts it into the executable's data. A process then begins with a started interpreter:
 * the kernel maps it with the rest of the file, and only the pages that are written to are ever copied.
 *
 * That a memory can be moved into another process takes that nothing in it belongs to the process it comes from.
 *
 *   - The executable is static and its addresses are fixed, so that pointers to functions and variables stay right.
 *   - CPython's variables are kept apart from all others (layout.ld). The C library's are not part of the snapshot: it
 *     starts as always, and chooses its functions for this processor, reads its tunables, finds the vDSO.
 *   - What CPython allocates while the snapshot is recorded comes from `heap`, which is such a variable. For this the
 *     linker puts the functions below in the place of malloc and free (ld's option --wrap).
 *   - What does know the process (the thread's identity, locks, the key of the thread's state) CPython can renew by
 *     itself: a child of fork is in just this position, and PyOS_AfterFork_Child is for it.
 *
 * link.py takes the snapshot, and refuses it where another process would have made another one.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapshot.h"

/* Where it begins and ends: layout.ld. */
extern char snapshot_start[], snapshot_end[];

/* That the interpreter goes on with; NULL where there is no snapshot. */
static PART_OF_SNAPSHOT PyThreadState *thread = NULL;

/* link.py says how large it has to be. */
__attribute__((section(".snapshot_heap"), aligned(16))) static char heap[HEAP_SIZE];

static bool recording;

/*
 * The heap is made of blocks, one behind the other. Their sizes are noted beside it, for nothing asks for them any more
 * once the snapshot is taken. Blocks that are freed while it is recorded are used again; it keeps the snapshot small.
 */
enum { ALIGNMENT = 16, LARGEST_KEPT = 64 * 1024 };

struct free_block {
    struct free_block *next;
};

static size_t heap_used;
static size_t sizes[HEAP_SIZE / ALIGNMENT]; /* by the block's place */
static struct free_block *free_blocks[(LARGEST_KEPT / ALIGNMENT) + 1]; /* by their size */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
pthread_t __real_pthread_self(void);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);
pthread_t __wrap_pthread_self(void);

static bool
in_heap(const void *address)
{
    return (const char *)address >= heap && (const char *)address < heap + sizeof heap;
}

static size_t *
size_of(const void *block)
{
    return &sizes[(size_t)((const char *)block - heap) / ALIGNMENT];
}

/* A block of zeros. */
static void *
take_from_heap(size_t wanted)
{
    size_t size = wanted ? (wanted + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;
    if (size <= LARGEST_KEPT && free_blocks[size / ALIGNMENT]) {
        struct free_block *block = free_blocks[size / ALIGNMENT];
        free_blocks[size / ALIGNMENT] = block->next;
        block->next = NULL;
        return block;
    }
    if (wanted > sizeof heap || heap_used + size > sizeof heap)
        return NULL;
    void *block = heap + heap_used;
    heap_used += size;
    *size_of(block) = size;
    return block;
}

/* Zeros, for nothing of it to be in the snapshot. */
static void
give_to_heap(void *old)
{
    size_t size = *size_of(old);
    struct free_block *block = memset(old, 0, size);
    if (size <= LARGEST_KEPT) {
        block->next = free_blocks[size / ALIGNMENT];
        free_blocks[size / ALIGNMENT] = block;
    }
}

void *
__wrap_malloc(size_t size)
{
    return recording ? take_from_heap(size) : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return recording ? take_from_heap(count * size) : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    if (!in_heap(old))
        return old ? __real_realloc(old, size) : __wrap_malloc(size);
    void *new = __wrap_malloc(size);
    if (!new)
        return NULL;
    /* Later the old block's size is not known any more: what lies behind it is copied too, and does no harm. */
    size_t most = recording ? *size_of(old) : (size_t)(heap + sizeof heap - (char *)old);
    memcpy(new, old, size < most ? size : most);
    __wrap_free(old);
    return new;
}

void
__wrap_free(void *old)
{
    if (!in_heap(old))
        __real_free(old);
    else if (recording)
        give_to_heap(old);
}

/* The thread's identity is an address of the process, of which CPython makes numbers that it compares. */
pthread_t
__wrap_pthread_self(void)
{
    return recording ? 1 : __real_pthread_self();
}

/* CPython takes the larger pieces from the kernel directly. */
static void *
allocate_arena(void *context, size_t size)
{
    (void)context;
    if (recording)
        return take_from_heap(size);
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return arena == MAP_FAILED ? NULL : arena;
}

static void
free_arena(void *context, void *arena, size_t size)
{
    (void)context;
    if (!in_heap(arena))
        munmap(arena, size);
}

void
record_snapshot(void)
{
    PyObjectArenaAllocator arenas = {.alloc = allocate_arena, .free = free_arena};
    PyObject_SetArenaAllocator(&arenas);
    recording = true;
}

bool
restore_snapshot(void)
{
    if (!thread)
        return false;
    PyMemAllocatorEx plain; /* malloc: layout.ld leaves CPython's own choice out of the snapshot */
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &plain);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &plain);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &plain);
    PyEval_RestoreThread(thread);
    thread->thread_id = PyThread_get_thread_ident();
    /* CPython knows its thread again by a key of the C library's, the first that it made then, and now. */
    pthread_key_t key;
    pthread_key_create(&key, NULL);
    pthread_setspecific(key, thread);
    PyOS_BeforeFork(); /* the one is not to be had without the other */
    PyOS_AfterFork_Child();
    if (PyGILState_GetThisThreadState() != thread)
        abort();
    return true;
}

_Noreturn void
write_snapshot(void)
{
    PyGC_Enable();
    PyGC_Collect(); /* and with it the objects that CPython keeps for the next of their type */
    PyGC_Disable();
    thread = PyEval_SaveThread();
    recording = false;

    /* What is left of the process: its number, and Python's stack, where the calls that have returned were. */
    thread->native_thread_id = 0;
    char *unused = (char *)thread->datastack_top;
    memset(unused, 0, (size_t)((char *)thread->datastack_limit - unused));

    FILE *output = fdopen(STDOUT_FILENO, "w"); /* C's own streams lead nowhere (launcher.c) */
    FILE *report = fdopen(STDERR_FILENO, "w");
    size_t size = (uintptr_t)snapshot_end - (uintptr_t)snapshot_start;
    if (!output || fwrite(snapshot_start, 1, size, output) != size || fflush(output) != 0)
        _exit(1);
    _exit(!report || fprintf(report, "%zu\n", heap_used) < 0 || fflush(report) != 0);
}
