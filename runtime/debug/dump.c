#include "debug/dump.h"

#include <stdlib.h>

#include "base/memory.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/thread.h"

/* All whose memory is known to be there. */
struct census {
    struct filch_party **parties;
    size_t n;
    size_t room;
};

static void count_parties(struct census *census, struct filch_party *party)
{
    if (census->n == census->room) {
        size_t room = census->room ? 2 * census->room : 64;
        struct filch_party **more =
            filch_realloc(census->parties, room * sizeof(struct filch_party *));
        if (!more) {
            return; /* a dump of those for which there is memory */
        }
        census->parties = more;
        census->room = room;
    }
    census->parties[census->n++] = party;
}

static void count_fiber(struct filch_stack *stack, void *census)
{
    count_parties(census, &((struct filch_fiber *)stack)->own_party);
}

static void count_threads(struct census *census)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    for (struct filch_thread *t = filch_process_newest_thread(process); t; t = t->older) {
        if (t->live && t->party.thread_id) {
            count_parties(census, &t->party);
        }
    }
    filch_lock_release(&process->lock);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (struct filch_party *const *)a;
    uintptr_t y = (uintptr_t) * (struct filch_party *const *)b;
    return x < y ? -1 : x > y;
}

static bool is_there(const struct census *census, struct filch_party *party)
{
    return bsearch(&party, census->parties, census->n, sizeof party, by_address) != NULL;
}

static void describe_one(struct filch_text *text, const struct census *census,
                         struct filch_party *party)
{
    uint32_t number = 0;
    if (filch_party_hold(party, &number)) {
        const struct filch_wait_kind *kind = party->kind;
        struct filch_party *holder = kind->holder ? kind->holder(party->context) : NULL;
        filch_text_add(text, "  ");
        filch_describe_party(text, party);
        filch_text_add(text, " ");
        filch_describe_wait(text, party, holder && is_there(census, holder) ? holder : NULL);
        filch_text_add(text, "\n");
        filch_party_let_go(party);
    } else if (filch_party_doing(party)) {
        filch_text_add(text, "  ");
        filch_describe_party(text, party);
        filch_text_add(text, " runs, or is ready to\n");
    }
}

static void tell_pool(struct filch_text *text, struct filch_pool *pool)
{
    static const char *const states[] = {"running", "closed", "terminated"};
    filch_text_add(text, "pool %p, %s: %u workers, %u at work\n", (void *)pool,
                   states[filch_pool_state(pool)], pool->config.workers, filch_pool_running(pool));
}

void filch_dump_pools(struct filch_text *text, struct filch_pool *pool)
{
    struct filch_process *process = filch_process();
    struct census census = {.parties = NULL};
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS); /* all stay while we look */
    for (struct filch_pool *p = process->pools; p; p = p->next_pool) {
        if (!pool || p == pool) {
            tell_pool(text, p);
            filch_stacks_each(&p->stacks, count_fiber, &census);
        }
    }
    count_threads(&census);
    if (census.n) {
        qsort(census.parties, census.n, sizeof(struct filch_party *), by_address);
    }
    for (size_t i = 0; i < census.n; i++) {
        describe_one(text, &census, census.parties[i]);
    }
    filch_lock_release(&process->pools_lock);
    filch_free(census.parties);
}
