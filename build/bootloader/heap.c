/*
 * The heap of the snapshot: what is allocated while it is recorded, at addresses that are the same in every process.
 *
 * Contract: the recorder calls start_recording with a layout, then next_step before each part of the recording.
 * overrides_malloc.c allocates and frees with heap_take and heap_free. After stop_recording nothing is allocated here,
 * and next_block lists the blocks, for the next layout. The same calls give the same addresses, whatever else the
 * process has.
 *
 * A freed block is filled with zeros, so that nothing of it is in the snapshot. It is merged with free neighbours, so
 * that the snapshot is about as large as the live blocks in it. The notes on blocks lie outside of the heap: nothing
 * needs them once the snapshot is taken.
 *
 * The place of a block is a matter of speed. The calls are nearly the same each time, so the build learns from one
 * snapshot where the blocks of the next one should lie (layout.py): the blocks that an ordinary run writes to lie
 * together, so that few pages have to be copied, and so on. The layout lists the place of each block. It names a block
 * by the step of the recording that allocates it, its size, and how many blocks of the same size modulo 256 came before
 * it in the step. The number of the call would not do: sets that hash by address have another order when the addresses
 * change, and one more call would give every later block another number. A block without a place in the list lies
 * behind all that have one. So a list that does not fit costs speed and room, and nothing else.
 *
 * Sizes and places are counted in units of 16 bytes, the alignment of malloc. The first and the last unit of a block
 * have its tag ("boundary tags", D. Knuth, The Art of Computer Programming, 2.5). A free block is in the list of its
 * size, and a new block is cut from the smallest that is large enough.
 */

#include "heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool recording;

enum { EXACT = 256, LISTS = EXACT + 32, NONE = 0 };

enum { PAGE = 4096 }; /* bytes: layout.ld's COMMONPAGESIZE */

typedef uint32_t units;

/* Tags: the size, and whether the block is in use. */
enum { USED = 1U };

/* Notes on each unit of the heap. Unit 0 is never given away: its number stands for no block. */
static units *tags, *next_free, *previous_free;
static units lists[LISTS]; /* the first free block of each size; behind EXACT, of sizes between two powers of two */
static units unused; /* the first unit that was never given away */

/* By what each block in use is known. */
enum { SIZES = 256 };
static uint64_t *keys;
static uint64_t step = 1;
static uint32_t counts[SIZES]; /* of the blocks made in this step, by their size's remainder */

/* What is to lie where, and where the rest begins. */
static const struct layout *layout;
static units rest;

static units
place_of(const void *block)
{
    return (units)((size_t)((const char *)block - heap_start) / UNIT);
}

static char *
address_of(units place)
{
    return heap_start + ((size_t)place * UNIT);
}

static units
size_at(units place)
{
    return tags[place] >> 1U;
}

static size_t
heap_size(void)
{
    return (size_t)((uintptr_t)heap_end - (uintptr_t)heap_start);
}

static void
tag(units place, units size, units use)
{
    tags[place] = tags[place + size - 1] = size << 1U | use;
}

static units *
list_of(units size)
{
    return &lists[size < EXACT ? size : (units)EXACT + 31 - (units)__builtin_clz(size / EXACT)];
}

static void
put_in_list(units place, units size)
{
    units *list = list_of(size);
    tag(place, size, 0);
    previous_free[place] = NONE;
    next_free[place] = *list;
    if (*list)
        previous_free[*list] = place;
    *list = place;
}

static void
take_out_of_list(units place, units size)
{
    units before = previous_free[place];
    units after = next_free[place];
    if (before)
        next_free[before] = after;
    else
        *list_of(size) = after;
    if (after)
        previous_free[after] = before;
}

/* The smallest free block of a list that is large enough; NONE where there is none. */
static units
smallest_in(units first, units size)
{
    units best = NONE;
    for (units place = first; place; place = next_free[place]) {
        units found = size_at(place);
        if (found == size)
            return place;
        if (found > size && (!best || found < size_at(best)))
            best = place;
    }
    return best;
}

/* The smallest free block that is large enough, out of its list; NONE where there is none. */
static units
find_free(units size)
{
    for (units *list = list_of(size); list < lists + LISTS; list++) {
        units found = list < lists + EXACT ? *list : smallest_in(*list, size);
        if (found) {
            take_out_of_list(found, size_at(found));
            return found;
        }
    }
    return NONE;
}

static uint64_t
next_key(units size)
{
    return step << 40U | (uint64_t)(size % SIZES) << 32U | counts[size % SIZES]++;
}

/* The place that the layout has for a block; NONE where it has none. */
static units
find_in_layout(uint64_t key, units size)
{
    size_t from = 0;
    size_t to = layout->count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (layout->blocks[middle].key < key)
            from = middle + 1;
        else
            to = middle;
    }
    const struct block *found = &layout->blocks[from];
    return from < layout->count && found->key == key && found->size == size ? (units)found->place : NONE;
}

/* Room behind all that the layout has; NONE where there is none. */
static units
find_in_rest(units size)
{
    units place = find_free(size);
    if (place) {
        units left = size_at(place) - size;
        if (left)
            put_in_list(place + size, left);
    } else {
        if (address_of(unused + size) > heap_end)
            return NONE;
        place = unused;
        unused += size;
    }
    return place;
}

static void
give_back(units place)
{
    units size = size_at(place);
    memset(address_of(place), 0, (size_t)size * UNIT);
    keys[place] = 0;
    if (place < rest)
        return; /* the layout took it for one that stays */
    if (!(tags[place - 1] & (units)USED)) {
        units before = size_at(place - 1);
        place -= before;
        size += before;
        take_out_of_list(place, before);
    }
    if (place + size == unused) {
        unused = place;
        return;
    }
    if (!(tags[place + size] & (units)USED)) {
        units after = size_at(place + size);
        take_out_of_list(place + size, after);
        size += after;
    }
    put_in_list(place, size);
}

/* Room behind all that the layout has, at a multiple of the alignment; NONE where there is none. */
static units
find_aligned_in_rest(units size, units alignment)
{
    units place = find_in_rest(size + alignment - 1);
    if (!place)
        return NONE;
    units before = -place % alignment;
    units behind = alignment - 1 - before;
    units aligned = place + before;
    tag(aligned, size, USED);
    if (before)
        tag(place, before, USED);
    if (behind)
        tag(aligned + size, behind, USED);
    if (before)
        give_back(place);
    if (behind)
        give_back(aligned + size);
    return aligned;
}

/* Places count from heap_start, which lies at the start of a page, so an alignment larger than a page is refused. */
void *
heap_take(size_t wanted, size_t alignment)
{
    if (wanted > heap_size() || alignment > PAGE)
        return NULL;
    units size = wanted ? (units)((wanted + UNIT - 1) / UNIT) : 1;
    units multiple = alignment > UNIT ? (units)(alignment / UNIT) : 1;
    uint64_t key = next_key(size);
    units place = find_in_layout(key, size);
    if (!place || place % multiple)
        place = find_aligned_in_rest(size, multiple);
    if (!place)
        return NULL;
    tag(place, size, USED);
    keys[place] = key;
    return address_of(place);
}

void
heap_free(void *block)
{
    give_back(place_of(block));
}

size_t
heap_size_of(const void *block)
{
    return (size_t)size_at(place_of(block)) * UNIT;
}

/* An array of zeros, with an element of that size for each unit of the heap. */
static void *
notes(size_t size_of_each)
{
    size_t size = heap_size() / UNIT * size_of_each;
    void *array = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (array == MAP_FAILED)
        abort();
    return array;
}

void
start_recording(const struct layout *wanted)
{
    tags = notes(sizeof *tags);
    next_free = notes(sizeof *next_free);
    previous_free = notes(sizeof *previous_free);
    keys = notes(sizeof *keys);
    layout = wanted;
    unused = rest = (units)layout->end;
    tag(rest - 1, 1, USED);
    recording = true;
}

void
next_step(void)
{
    step++;
    memset(counts, 0, sizeof counts);
}

size_t
stop_recording(void)
{
    recording = false;
    return (size_t)unused * UNIT;
}

size_t
next_block(size_t from, struct block *block)
{
    units place = (units)from;
    while (place < unused && !keys[place])
        place++;
    if (place == unused)
        return 0;
    *block = (struct block){.key = keys[place], .place = place, .size = size_at(place)};
    return place + 1;
}
