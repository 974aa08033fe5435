/*
 * The heap of the snapshot. heap.c says how.
 */

#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All that is allocated now becomes part of the snapshot. */
extern bool recording;

/* Where the heap lies: layout.ld. */
extern char heap_start[], heap_end[];

/* What comes to lie where. Sizes and places are in units of 16 bytes. */
enum { UNIT = 16 };
enum { AREAS = 4 };
struct layout {
    uint64_t count; /* of blocks */
    uint64_t sizes[AREAS];
    struct {
        uint64_t key, area;
    } blocks[]; /* in the order of their keys */
};

/* A block that is in the snapshot. */
struct block {
    uint64_t key, place, size;
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
