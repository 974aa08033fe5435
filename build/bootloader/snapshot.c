/*
 * The snapshot: the start of the program, made once, when the executable is built.
 *
 * Until a Python program does its work, the interpreter has started, and hundreds of modules are imported: a hundred
 * million instructions, the same in every process, with the same outcome in memory. So the build lets the launcher come
 * as far as that, keeps the memory, and puts it into the executable's data. A process then begins with all of that in
 * place: the kernel maps it with the rest of the file, and only the pages that are written to are ever copied.
 *
 * Memory can be moved to another process only if nothing in it belongs to the old one.
 *
 *   - The executable is static and its addresses are fixed, so that pointers to functions and variables stay right.
 *   - The variables of CPython, OpenSSL and zlib are kept apart from all others (layout.ld), and so is what they
 *     allocate while the snapshot is recorded (heap.c). The C library's are not part of the snapshot: it starts as
 *     always, chooses its functions for this processor, reads its tunables, finds the vDSO. Nor is what OpenSSL knows
 *     of the processor.
 *   - Keys of thread-specific data are numbers that the C library gives out in turn. They are made again in the same
 *     order, and get their values back.
 *   - What does know the process (the thread's identity, locks, seeds) CPython and its modules can renew by themselves:
 *     a child of fork is in just this position, and PyOS_AfterFork_Child is for it. It calls what modules have given to
 *     os.register_at_fork, too.
 *   - While it is recorded, nothing is random, and time stands still (recorder.c).
 *
 * link.py takes the snapshot, and refuses it where another process would have made another one.
 */

#include "snapshot.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "heap.h"
#include "recorder.h"
#include "signals.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Where the variables begin and end: layout.ld. */
extern char variables_start[], variables_written[], variables_end[];

/* That the interpreter goes on with; NULL where there is no snapshot. */
static PART_OF_SNAPSHOT PyThreadState *thread = NULL;

static PART_OF_SNAPSHOT PyObject *entry = NULL;

/* At the start of the heap: what ordinary runs write to, in bytes. */
static PART_OF_SNAPSHOT size_t written_size = 0;

/* The keys of thread-specific data, by their numbers, and their values in the one thread that there is. */
enum { MOST_KEYS = 64 };
static PART_OF_SNAPSHOT struct {
    bool used;
    void (*destructor)(void *);
    void *value;
} keys[MOST_KEYS] = {{false, NULL, NULL}};

int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_key_delete(pthread_key_t key);
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_key_delete(pthread_key_t key);

int
__wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int error = __real_pthread_key_create(key, destructor);
    if (!recording || error)
        return error;
    if (*key >= MOST_KEYS)
        refuse("there are more keys of threads than the snapshot has room for");
    keys[*key].used = true;
    keys[*key].destructor = destructor;
    return 0;
}

int
__wrap_pthread_key_delete(pthread_key_t key)
{
    if (recording && key < MOST_KEYS)
        keys[key].used = false;
    return __real_pthread_key_delete(key);
}

/* Make a key with that number. Those before it that are free are made, too, and noted as spare. */
static void
make_key(pthread_key_t number, bool *spare)
{
    pthread_key_t key;
    do {
        if (__real_pthread_key_create(&key, keys[number].destructor) != 0 || key > number)
            fail("a key of threads has another number than in the snapshot");
        spare[key] = key < number;
    } while (key < number);
    pthread_setspecific(key, keys[number].value);
}

static void
make_keys(void)
{
    bool spare[MOST_KEYS] = {false};
    for (pthread_key_t number = 0; number < MOST_KEYS; number++)
        if (keys[number].used)
            make_key(number, spare);
    for (pthread_key_t number = 0; number < MOST_KEYS; number++)
        if (spare[number])
            __real_pthread_key_delete(number);
}

/* Arenas: CPython's data stack. They come from the kernel directly. */
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
    if ((char *)arena >= heap_start && (char *)arena < heap_end)
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
 * Have the kernel copy the pages that ordinary runs write to, all at once: it takes half of the time of as many page
 * faults (Linux 5.14; an older one refuses).
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
    PyMemAllocatorEx plain; /* malloc: layout.ld leaves CPython's own choice out of the snapshot */
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &plain);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &plain);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &plain);
    make_keys();
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
    while (PyGC_Collect() > 0) /* and with it the objects that CPython keeps for the next of their type */
        continue;
    PyGC_Disable();
    thread = PyEval_SaveThread();
    size_t size = stop_recording();
    for (pthread_key_t number = 0; number < MOST_KEYS; number++)
        if (keys[number].used)
            keys[number].value = pthread_getspecific(number);

    /* What is left of the process: Python's stack, where the calls that have returned were. */
    char *unused = (char *)thread->datastack_top;
    memset(unused, 0, (size_t)((char *)thread->datastack_limit - unused));

    return write_part(output, "variables", variables_start, (uintptr_t)variables_end - (uintptr_t)variables_start) &&
           write_part(output, "heap", heap_start, size) && write_blocks(output);
}
