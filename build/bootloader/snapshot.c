/*
 * The snapshot: the memory of the started program, recorded once, when the executable is built.
 *
 * Contract: the recorder calls record_snapshot before it starts the interpreter, and write_snapshot at the end. The
 * build links the written files into the executable. There has_snapshot is true, and main calls restore_snapshot, which
 * returns the program's entry point, with the interpreter ready to call it. It ends the process by `fail` if that is
 * not possible.
 *
 * Until a Python program does its work, the interpreter has started, and hundreds of modules are imported: a hundred
 * million instructions, the same in every process, with the same result in memory. So the build runs the launcher up to
 * that point, and puts the memory into the executable's data. A process begins with all of that in place: the kernel
 * maps it with the rest of the file, and copies only the pages that are written to.
 *
 * Memory can be moved to another process only if nothing in it belongs to the old one.
 *
 *   - The executable is static and its addresses are fixed, so pointers to functions and variables stay right.
 *   - The variables of CPython, OpenSSL and zlib are kept apart from all others (layout.ld), and so are the blocks that
 *     they allocate while the snapshot is recorded (heap.c). The C library's are not part of the snapshot: it starts as
 *     always, chooses its functions for this processor, reads its tunables, finds the vDSO. What OpenSSL knows of the
 *     processor is not part of it either.
 *   - Keys of thread-specific data are made again (overrides_thread_keys.c).
 *   - CPython and its modules can renew what depends on the process: the thread's identity, locks, seeds. A child of
 * fork needs just that, and PyOS_AfterFork_Child is for it. It also calls what modules gave to os.register_at_fork.
 *   - While it is recorded, nothing is random, and time stands still (overrides_recording.c).
 *
 * snapshot.py takes the snapshot, and refuses one that another process would have made differently.
 */

#include "snapshot.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ending.h"
#include "heap.h"
#include "overrides_thread_keys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* The bounds of the variables: layout.ld. */
extern char variables_start[], variables_written[], variables_end[];

/* The thread that the interpreter continues with; NULL if there is no snapshot. */
static PART_OF_SNAPSHOT PyThreadState *thread = NULL;

static PART_OF_SNAPSHOT PyObject *entry = NULL;

/* The start of the heap that ordinary runs write to, in bytes. */
static PART_OF_SNAPSHOT size_t written_size = 0;

/* Arenas hold CPython's data stack. In a process they come from the kernel directly. */
static void *
allocate_arena(void *context, size_t size)
{
    (void)context;
    if (recording)
        return malloc(size);
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return arena == MAP_FAILED ? NULL : arena;
}

static void
free_arena(void *context, void *arena, size_t size)
{
    (void)context;
    if (in_heap(arena))
        free(arena);
    else
        munmap(arena, size);
}

void
record_snapshot(const struct layout *layout)
{
    written_size = layout->written * UNIT;
    PyObjectArenaAllocator arenas = {.alloc = allocate_arena, .free = free_arena};
    PyObject_SetArenaAllocator(&arenas);
    start_recording(layout);
}

bool
has_snapshot(void)
{
    return thread != NULL;
}

/*
 * Let the kernel copy the pages that ordinary runs write to, all at once: that takes half the time of as many page
 * faults. It needs Linux 5.14; an older kernel refuses, and copies each page when it is written to.
 */
static void
copy_written_pages(void)
{
    madvise(variables_start, (uintptr_t)variables_written - (uintptr_t)variables_start, MADV_POPULATE_WRITE);
    madvise(heap_start, written_size, MADV_POPULATE_WRITE);
}

PyObject *
restore_snapshot(void)
{
    copy_written_pages();
    PyMemAllocatorEx plain; /* malloc: CPython's own choice is not in the snapshot (layout.ld) */
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &plain);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &plain);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &plain);
    restore_thread_keys();
    PyEval_RestoreThread(thread);
    thread->thread_id = PyThread_get_thread_ident();
    PyOS_BeforeFork(); /* PyOS_AfterFork_Child needs its locks */
    PyOS_AfterFork_Child();
    if (PyGILState_GetThisThreadState() != thread)
        fail("the interpreter does not know its thread");
    return entry;
}

static FILE *
open_part(const char *output, const char *part)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s.%s", output, part);
    return length > 0 && (size_t)length < sizeof path ? fopen(path, "w") : NULL;
}

static bool
write_part(const char *output, const char *part, const void *data, size_t size)
{
    FILE *file = open_part(output, part);
    if (!file)
        return false;
    size_t written = fwrite(data, 1, size, file);
    return fclose(file) == 0 && written == size;
}

static bool
write_blocks(const char *output)
{
    FILE *file = open_part(output, "blocks");
    if (!file)
        return false;
    struct block block;
    for (size_t place = 0; (place = next_block(place, &block));)
        fwrite(&block, sizeof block, 1, file);
    bool good = !ferror(file);
    return fclose(file) == 0 && good;
}

bool
write_snapshot(const char *output, PyObject *called)
{
    entry = called;
    PyGC_Enable();
    while (PyGC_Collect() > 0) /* and free the objects that CPython keeps for the next of their type */
        continue;
    PyGC_Disable();
    thread = PyEval_SaveThread();
    size_t size = stop_recording();
    keep_thread_values();

    /* The part of Python's stack that calls have used and left. */
    char *unused = (char *)thread->datastack_top;
    memset(unused, 0, (size_t)((char *)thread->datastack_limit - unused));

    return write_part(output, "variables", variables_start, (uintptr_t)variables_end - (uintptr_t)variables_start) &&
           write_part(output, "heap", heap_start, size) && write_blocks(output);
}
