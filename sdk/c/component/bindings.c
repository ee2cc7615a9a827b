/* The generated bindings of the project's world, with their memory in the
 * arena: what the host hands over is freed with the rest of the call. */
#include "lifetime.h"

#include <stdlib.h>
#include <string.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"

/* `realloc` stands only in `cabi_realloc`, which knows the old size too. */
#define realloc(old, new_size) shipway_lifetime_take(old, old_size, new_size)
#define free(memory) ((void)(memory))

#include "plugin.c"

#pragma clang diagnostic pop

/* The bindings ask for the object with the world's metadata, which `shipway
 * plugin build` puts into the module itself; weak, for whoever links it. */
__attribute__((weak)) void __component_type_object_force_link_plugin(void)
{
}
