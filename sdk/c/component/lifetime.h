/* When the memory of a call is freed. A result must stay while the host reads
 * it, after the export has returned: so it goes when the next call begins,
 * which is at the first memory that is taken for its arguments. */
#ifndef SHIPWAY_LIFETIME_H
#define SHIPWAY_LIFETIME_H

#include <stddef.h>

/* Frees the memory of the call before, if there was one. */
void shipway_lifetime_begin(void);

/* Says that the call has its result. */
void shipway_lifetime_end(void);

/* Memory for what the host hands over. */
void *shipway_lifetime_take(void *old, size_t old_size, size_t new_size);

#endif
