/*
 * The heap of the snapshot. heap.c says how.
 */

#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a snapshot is being recorded: all that is allocated meanwhile becomes part of it. */
extern bool recording;

/* Where the heap lies: layout.ld. */
extern char heap_start[], heap_end[];

enum { UNIT = 16 };

/* A block that is in the snapshot: by what it is known (heap.c), and where it lies. In units of 16 bytes. */
struct block {
    uint64_t key, place, size;
};

/* What is to lie where. */
struct layout {
    uint64_t count; /* of blocks */
    uint64_t written; /* units at the start of the heap that ordinary runs write to */
    uint64_t end; /* of the blocks' places */
    struct block blocks[]; /* in the order of their keys */
};

/* From now on, record. To be called once, before anything that is to be part of the snapshot is allocated. */
void start_recording(const struct layout *wanted);

/* A new step of the recording begins. */
void next_step(void);

/* Record no more. What begins at heap_start and has this many bytes belongs to the snapshot; behind it are zeros. */
size_t stop_recording(void);

/* The first block from a place on. Gives the place to look for the next one from; 0 where there is none. */
size_t next_block(size_t from, struct block *block);

#endif
