/*
 * The heap of the snapshot: heap.c.
 */

#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a snapshot is being recorded: everything that is allocated meanwhile becomes part of it. */
extern bool recording;

/* The bounds of the heap: layout.ld. */
extern char heap_start[], heap_end[];

enum { UNIT = 16 };

/* A block that is in the snapshot: its key (heap.c), its place and its size, in units of 16 bytes. */
struct block {
    uint64_t key, place, size;
};

/* The places of blocks: layout.py writes it. */
struct layout {
    uint64_t count; /* of blocks */
    uint64_t written; /* units at the start of the heap that ordinary runs write to */
    uint64_t end; /* of the blocks' places */
    struct block blocks[]; /* in the order of their keys */
};

/* Start to record. Call it once, before anything that shall be part of the snapshot is allocated. */
void start_recording(const struct layout *wanted);

/* Begin a new step of the recording. */
void next_step(void);

/* Stop. Returns how many bytes from heap_start on belong to the snapshot; zeros follow them. */
size_t stop_recording(void);

/* Find the first block from a place on. Returns the place to continue from, or 0 if there is none. */
size_t next_block(size_t from, struct block *block);

/* Allocate a block of zeros, at a multiple of a power of two. Returns NULL if there is no room. */
void *heap_take(size_t wanted, size_t alignment);

/* Free a block of this heap. */
void heap_free(void *block);

/* The size of a block of this heap, in bytes. */
size_t heap_size_of(const void *block);

/* Whether the address is in this heap. */
static inline bool
in_heap(const void *address)
{
    return (const char *)address >= heap_start && (const char *)address < heap_end;
}

#endif
