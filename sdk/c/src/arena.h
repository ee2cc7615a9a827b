/* Memory that lives until a call has returned. Not for plugins: they have
 * `shipway_alloc`. */
#ifndef SHIPWAY_ARENA_H
#define SHIPWAY_ARENA_H

#include <stddef.h>

/* Blocks of memory that are freed together. `{0}` is an empty one. */
struct shipway_arena {
    struct shipway_arena_block *last;
};

/* Frees everything that was taken from an arena. */
void shipway_arena_clear(struct shipway_arena *arena);

/* Lets `shipway_alloc` take from `next`, and returns the one before. */
struct shipway_arena *shipway_arena_use(struct shipway_arena *next);

/* As realloc, from the arena in use; what is given back stays taken. */
void *shipway_arena_resize(void *old, size_t old_size, size_t new_size);

/* Makes room for one more item behind `count` of them. */
void *shipway_arena_grow(void *items, size_t count, size_t *capacity, size_t item_size);

#endif
