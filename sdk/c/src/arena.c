#include "arena.h"

#include "host.h"

#include <stdlib.h>

/* What the strictest type of the contract and of C needs. */
#define ALIGNMENT sizeof(max_align_t)

/* Enough for most calls in one block, and little beside a page of Wasm. */
#define BLOCK_SIZE ((size_t)16 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

struct shipway_arena_block {
    struct shipway_arena_block *before;
    size_t used;
    size_t size;
    _Alignas(max_align_t) unsigned char bytes[];
};

static struct shipway_arena of_the_call;
static struct shipway_arena *in_use = &of_the_call;

/* A trap: the engine names it, with the plugin and its limits. */
static _Noreturn void out_of_memory(void)
{
    shipway_host_log(SHIPWAY_LEVEL_ERROR, shipway_str_of("out of memory"));
    abort();
}

static size_t block_size(size_t needed)
{
#ifdef SANITIZED
    return needed; /* A block for each, so that every overrun is seen. */
#else
    return needed > BLOCK_SIZE ? needed : BLOCK_SIZE;
#endif
}

static struct shipway_arena_block *new_block(size_t needed)
{
    size_t size = block_size(needed);
    struct shipway_arena_block *block = malloc(sizeof *block + size);
    if (!block)
        out_of_memory();
    block->before = in_use->last;
    block->used = 0;
    block->size = size;
    in_use->last = block;
    return block;
}

void *shipway_alloc(size_t size)
{
    if (size > SIZE_MAX / 2)
        out_of_memory();
    size_t taken = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct shipway_arena_block *block = in_use->last;
    if (!block || block->size - block->used < taken)
        block = new_block(taken);
    void *memory = block->bytes + block->used;
    block->used += taken;
    return memset(memory, 0, size);
}

void shipway_arena_clear(struct shipway_arena *arena)
{
    struct shipway_arena_block *block = arena->last;
    while (block) {
        struct shipway_arena_block *before = block->before;
        free(block);
        block = before;
    }
    arena->last = NULL;
}

struct shipway_arena *shipway_arena_use(struct shipway_arena *next)
{
    struct shipway_arena *before = in_use;
    in_use = next ? next : &of_the_call;
    return before;
}

void *shipway_arena_resize(void *old, size_t old_size, size_t new_size)
{
    void *memory = shipway_alloc(new_size);
    size_t kept = old_size < new_size ? old_size : new_size;
    return kept > 0 ? memcpy(memory, old, kept) : memory;
}

void *shipway_arena_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity > 0 ? *capacity * 2 : 8;
    if (wanted < *capacity || wanted > SIZE_MAX / 2 / item_size)
        out_of_memory();
    *capacity = wanted;
    return shipway_arena_resize(items, count * item_size, wanted * item_size);
}
