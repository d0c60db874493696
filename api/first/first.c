/* Waiting for the first of several things.
 *
 * Each round looks at all cases in turn and does the first that can be done. If none can, the
 * caller waits with one waiter, which has a place with each case: in the line of a channel or a
 * descriptor, in the cell of a future or a group. It leaves all of them before it looks again. */
#include "first/first_case.h"

#include <limits.h>

#include "base/assert.h"
#include "future/waiting.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "pool/deadline.h"
#include "pool/run_in_pool.h"
#include "sched/region.h"
#include "sync/channel.h"

static const struct filch_case_kind *case_kind_of(const filch_case *one)
{
    return &filch_case_kinds[one->kind];
}

static bool case_is_valid(const filch_case *one)
{
    return one->kind >= 0 && one->kind < FILCH_CASE_KINDS &&
           (!case_kind_of(one)->valid || case_kind_of(one)->valid(one));
}

/* Of all cases; until it says no. */
static filch_status begin_cases(struct filch_first *first)
{
    for (size_t i = 0; i < first->n; i++) {
        if (!case_is_valid(&first->cases[i])) {
            return FILCH_EINVAL;
        }
    }
    for (size_t i = 0; i < first->n; i++) {
        filch_case *one = &first->cases[i];
        if (filch_case_is_channel(one)) {
            filch_first_add_channel(first, one);
        } else if (case_kind_of(one)->begin) {
            case_kind_of(one)->begin(one);
        }
    }
    return FILCH_OK;
}

static void end_cases(const struct filch_first *first)
{
    for (size_t i = 0; i < first->n; i++) {
        if (case_kind_of(&first->cases[i])->end) {
            case_kind_of(&first->cases[i])->end(&first->cases[i]);
        }
    }
}

/* Do one that can be done. NULL: none can. */
static filch_case *do_first_case(const struct filch_first *first)
{
    for (size_t k = 0; k < first->n; k++) {
        filch_case *one = &first->cases[(first->next + k) % first->n];
        bool done = filch_case_is_channel(one)
                        ? filch_first_try_channel(one)
                        : case_kind_of(one)->done && case_kind_of(one)->done(one);
        if (done) {
            return one;
        }
    }
    return NULL;
}

/* ---- waiting ---- */

enum { GLANCE_FIRST_NS = 1000000, GLANCE_MOST_NS = 16000000 };

static bool enlist_for_cases(struct filch_waiter *waiter, void *context)
{
    struct filch_first *first = context;
    for (size_t i = 0; i < first->n; i++) {
        const struct filch_case_kind *kind = case_kind_of(&first->cases[i]);
        if (kind->enlist && !kind->enlist(&first->cases[i], waiter)) {
            return false;
        }
    }
    /* Last: one that is served by a channel waits to be told, and does nothing else. */
    return filch_first_enlist_channels(first, waiter);
}

static void leave_cases(struct filch_waiter *waiter, void *context)
{
    struct filch_first *first = context;
    (void)waiter;
    for (size_t i = 0; i < first->n; i++) {
        if (case_kind_of(&first->cases[i])->leave) {
            case_kind_of(&first->cases[i])->leave(&first->cases[i]);
        }
    }
    filch_first_leave_channels(first);
}

static const struct filch_wait_kind channels_wait = {
    .what = "a channel", .enlist = enlist_for_cases, .leave = leave_cases, .always_leaves = true};
static const struct filch_wait_kind derived_wait = {.what = "the first of several",
                                                    .enlist = enlist_for_cases,
                                                    .leave = leave_cases,
                                                    .always_leaves = true,
                                                    .derived = true};
static const struct filch_wait_kind outside_wait = {.what = "the first of several",
                                                    .enlist = enlist_for_cases,
                                                    .leave = leave_cases,
                                                    .always_leaves = true,
                                                    .outside = true};

static bool waits_outside(const struct filch_first *first)
{
    bool outside = false;
    for (size_t i = 0; i < first->n; i++) {
        outside = outside || case_kind_of(&first->cases[i])->outside;
    }
    return outside;
}

static const struct filch_wait_kind *wait_kind_of(const struct filch_first *first)
{
    bool derived = false;
    for (size_t i = 0; i < first->n; i++) {
        derived = derived || case_kind_of(&first->cases[i])->derived;
    }
    return waits_outside(first) ? &outside_wait : derived ? &derived_wait : &channels_wait;
}

static filch_status prepare_cases(struct filch_first *first)
{
    filch_status status = FILCH_OK;
    first->glances = false;
    for (size_t i = 0; i < first->n && status == FILCH_OK; i++) {
        filch_case *one = &first->cases[i];
        const struct filch_case_kind *kind = case_kind_of(one);
        status = filch_case_is_channel(one) ? filch_first_check_channel(one)
                 : kind->prepare            ? kind->prepare(one, first)
                                            : FILCH_OK;
    }
    return status;
}

/* Wait once. FILCH_OK: look again. */
static filch_status wait_for_cases(struct filch_first *first, uint64_t *glance_ns)
{
    filch_status status = prepare_cases(first);
    if (status != FILCH_OK) {
        return status;
    }
    uint64_t deadline = first->deadline_ns;
    if (first->glances) {
        uint64_t glance = filch_os_now_ns() + *glance_ns;
        deadline = glance < deadline ? glance : deadline;
        *glance_ns = 2 * *glance_ns < GLANCE_MOST_NS ? 2 * *glance_ns : GLANCE_MOST_NS;
    }
    status = filch_wait_until(wait_kind_of(first), first, deadline);
    return status == FILCH_ETIMEDOUT && deadline != first->deadline_ns ? FILCH_OK : status;
}

/* Rounds, until one case was done: FILCH_OK. */
static filch_status go_round(struct filch_first *first, filch_case **done)
{
    uint64_t glance_ns = GLANCE_FIRST_NS;
    filch_status status = FILCH_OK;
    while (!*done && status == FILCH_OK) {
        status = wait_for_cases(first, &glance_ns);
        *done = filch_first_done_channel(first);
        /* When the time is up, too: it may be the time of a case. */
        if (!*done && (status == FILCH_OK || status == FILCH_ETIMEDOUT)) {
            *done = do_first_case(first);
        }
    }
    return *done ? FILCH_OK : status;
}

struct round_visit {
    struct filch_first *first;
    filch_case **done;
};

static filch_status go_round_in_pool(filch_pool *pool, void *context)
{
    struct round_visit *visit = context;
    (void)pool;
    return go_round(visit->first, visit->done);
}

static const filch_function_info first_info = {
    "filch_first", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, NULL};

static filch_status find_first(struct filch_first *first, filch_case **done)
{
    struct round_visit visit = {first, done};
    *done = do_first_case(first);
    if (*done) {
        return FILCH_OK;
    }
    if (first->deadline_ns == 0) {
        return FILCH_ETIMEDOUT;
    }
    return waits_outside(first) && !filch_fiber_self()
               ? filch_run_in_pool(NULL, go_round_in_pool, &visit, 0, &first_info)
               : go_round(first, done);
}

static size_t any_turn(size_t n)
{
    /* As good as any, also in a loop whose turns take a multiple of the same few ticks. */
    uint64_t mixed = filch_os_ticks() * 0x9e3779b97f4a7c15u; /* multiplicative hashing */
    return (size_t)((mixed >> 32) % n);
}

/* The time of the first case that is one, if it comes before the deadline. */
static void note_case_times(struct filch_first *first)
{
    for (size_t i = 0; i < first->n; i++) {
        const filch_case *one = &first->cases[i];
        uint64_t at = one->kind == FILCH_CASE_TIME ? filch_deadline_ns(one->at) : FILCH_OS_NEVER;
        first->deadline_ns = at < first->deadline_ns ? at : first->deadline_ns;
    }
}

static int index_of_case(const struct filch_first *first, filch_case *done, unsigned *turn)
{
    size_t index = (size_t)(done - first->cases);
    FILCH_ASSERT(index < first->n);
    if (filch_case_is_channel(done) && done->status) {
        const struct filch_case_state *state = filch_case_state_of(done);
        *done->status = state->status;
    }
    if (turn) {
        *turn = (unsigned)index;
    }
    return (int)index;
}

int filch_first(filch_case *cases, size_t n, filch_deadline until, unsigned *turn)
{
    struct filch_first first = {.cases = cases, .n = n, .deadline_ns = filch_deadline_ns(until)};
    filch_case *done = NULL;
    if ((!cases && n) || n > INT_MAX) {
        return -FILCH_EINVAL;
    }
    if (n > 1) {
        first.next = turn ? ((size_t)*turn + 1) % n : any_turn(n);
    }
    filch_status status = begin_cases(&first);
    if (status != FILCH_OK) {
        return -(int)status;
    }
    note_case_times(&first);
    status = find_first(&first, &done);
    end_cases(&first);
    return done ? index_of_case(&first, done, turn) : -(int)status;
}
