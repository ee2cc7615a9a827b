#include "lifetime.h"

#include "arena.h"

#include <stdbool.h>

static struct shipway_arena of_the_call;
static bool ended;

void shipway_lifetime_begin(void)
{
    if (ended)
        shipway_arena_clear(&of_the_call);
    ended = false;
    shipway_arena_use(&of_the_call);
}

void shipway_lifetime_end(void)
{
    ended = true;
}

void *shipway_lifetime_take(void *old, size_t old_size, size_t new_size)
{
    shipway_lifetime_begin();
    return shipway_arena_resize(old, old_size, new_size);
}
