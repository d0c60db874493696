/* block: the one way to wait, for strands of a pool, guests and plain threads alike.
 *
 * A pool's strand publishes what is latent in its lane, leaves its stack behind and its thread goes
 * on with other work. A guest publishes too, spins for a moment, then lets go of its core and
 * sleeps; it takes on no other work meanwhile. A plain thread spins and sleeps. */
#ifndef FILCH_BLOCK_H
#define FILCH_BLOCK_H

#include "strand.h"
#include "wait.h"

/* Wait for something that surely comes and must be waited for: a child, the pieces of a loop. */
void filch_block_join(filch_enlist *enlist, void *context);

/* Wait until signalled (FILCH_SIGNALED), until the deadline (FILCH_TIMED_OUT), or until the pool of
 * the waiting strand is terminated or its scope cancelled (FILCH_CLOSED). FILCH_NO_MEMORY: this
 * thread's first call found none. Unless SIGNALED, the caller removes the waiter from where it was
 * enlisted, with `remove`, which may be NULL when enlist is. */
enum filch_outcome filch_block_until(filch_enlist *enlist,
                                     void (*remove)(struct filch_waiter *waiter, void *context),
                                     void *context, uint64_t deadline_ns);

/* Stand in line behind what is ready, if this is a pool's strand; else let other threads run. */
void filch_block_yield(void);

#endif
