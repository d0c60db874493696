/* assert_host: says, for assert.h, on which core and in which fiber something is wrong. */
#include "base/assert.h"
#include "sched/core.h"

#ifdef FILCH_ASSERTIONS
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/thread.h"

void filch_core_find_place(struct filch_assert_place *place)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_core *core = thread ? thread->core : NULL;
    struct filch_fiber *fiber = thread ? thread->fiber : NULL;
    struct filch_pool *pool = core ? core->pool : fiber ? fiber->pool : NULL;
    place->thread = thread ? thread->parker.thread : 0;
    place->pool = pool ? pool->number : 0;
    place->has_core = core != NULL;
    place->core = core ? core->index : 0;
    place->fiber = fiber;
}

bool filch_core_is_own(const struct filch_core *core)
{
    struct filch_thread *thread = filch_thread_known();
    /* relaxed: the holder's own */
    return core && thread && thread->core == core &&
           atomic_load_explicit(&core->holder, memory_order_relaxed) == thread;
}

bool filch_fiber_is_own(const struct filch_fiber *fiber)
{
    struct filch_thread *thread = filch_thread_known();
    return fiber && thread && thread->fiber == fiber;
}
#endif
