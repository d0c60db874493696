/* Futures in the order in which they become ready, and waiting for some of several. */
#include <filch/futures.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/list.h"
#include "base/memory.h"
#include "future/completions.h"
#include "future/task_future.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sleep/wait_list.h"

/* One future of a set. It is in the list `members` until it is returned; the future's completer
 * moves it to the list of those that are ready. */
struct member {
    struct filch_waiter waiter;
    struct filch_completions *set; /* a reference, until it has been called or removed */
    struct filch_future *future;   /* a reference */
    size_t index;
    bool cancelled;         /* lock */
    struct filch_link link; /* lock; in `members` */
    struct member *next;    /* lock; in `ready` */
};

struct filch_completions {
    struct filch_lock lock;
    _Atomic(uint32_t) owners;
    size_t added;                   /* lock */
    struct filch_list members;      /* lock; not ready yet */
    struct member *ready;           /* lock; oldest first */
    struct member **last;           /* lock; where the next that is ready goes */
    struct filch_wait_list waiting; /* lock */
    bool abandoned;                 /* lock */
    uint32_t token;                 /* constant; of the process that made it */
};

static void set_release(struct filch_completions *set)
{
    /* acq_rel: the last owner sees what all others did */
    if (atomic_fetch_sub_explicit(&set->owners, 1, memory_order_acq_rel) == 1) {
        filch_free(set);
    }
}

static void member_free(struct member *member)
{
    filch_future_free(member->future);
    filch_free(member);
}

filch_status filch_completions_new(filch_completions **set)
{
    if (!set) {
        return FILCH_EINVAL;
    }
    *set = filch_calloc(1, sizeof **set);
    if (!*set) {
        return FILCH_ENOMEM;
    }
    filch_lock_init(&(*set)->lock);
    atomic_init(&(*set)->owners, 1);
    (*set)->last = &(*set)->ready;
    (*set)->token = filch_process_token();
    return FILCH_OK;
}

static struct member *member_at(struct filch_link *link)
{
    return link ? FILCH_CONTAINER(link, struct member, link) : NULL;
}

static void unlink_locked(struct filch_completions *set, struct member *member)
{
    FILCH_ASSERT(filch_lock_is_held(&set->lock));
    filch_list_remove(&set->members, &member->link);
}

static void claim_all_locked(struct filch_completions *set, struct filch_claims *claims)
{
    FILCH_ASSERT(filch_lock_is_held(&set->lock));
    while (filch_wait_list_claim_locked(&set->waiting, claims)) { /* each looks again */
    }
}

/* The member's future is ready; or the set is abandoned, and the member's memory is ours. */
static struct filch_waiter *member_is_ready(struct filch_waiter *waiter)
{
    struct member *member = FILCH_CONTAINER(waiter, struct member, waiter);
    struct filch_completions *set = member->set;
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&set->lock, FILCH_RANK_COMPLETIONS);
    bool abandoned = set->abandoned;
    if (!abandoned) {
        unlink_locked(set, member);
        member->next = NULL;
        *set->last = member;
        set->last = &member->next;
        claim_all_locked(set, &claims);
    }
    filch_lock_release(&set->lock);
    filch_claims_tell(&claims);
    if (abandoned) {
        member_free(member);
    }
    set_release(set);
    return NULL;
}

filch_status filch_completions_add(filch_completions *set, filch_future *future)
{
    if (!set || !future) {
        return FILCH_EINVAL;
    }
    if (filch_process_inherited(set->token) || filch_future_is_parents(future)) {
        return FILCH_EFORKED;
    }
    struct member *member = filch_malloc(sizeof *member);
    if (!member) {
        return FILCH_ENOMEM;
    }
    filch_waiter_init(&member->waiter, NULL, NULL);
    member->waiter.call = member_is_ready;
    member->set = set;
    member->future = filch_future_retain(future);
    /* relaxed: the caller has the set, it cannot go meanwhile */
    atomic_fetch_add_explicit(&set->owners, 1, memory_order_relaxed);
    filch_lock_acquire(&set->lock, FILCH_RANK_COMPLETIONS);
    member->index = set->added++;
    member->cancelled = false;
    filch_list_push(&set->members, &member->link);
    filch_lock_release(&set->lock);
    if (!filch_cell_add(&future->cell, &member->waiter)) {
        member_is_ready(&member->waiter);
    }
    return FILCH_OK;
}

filch_status filch_as_completed(filch_future *const futures[], size_t n, filch_completions **set)
{
    filch_status status = n && !futures ? FILCH_EINVAL : filch_completions_new(set);
    for (size_t i = 0; status == FILCH_OK && i < n; i++) {
        status = filch_completions_add(*set, futures[i]);
        if (status != FILCH_OK) {
            filch_completions_free(*set);
            *set = NULL;
        }
    }
    return status;
}

/* FILCH_EPENDING: none is ready, but some will be. No caller stands in line while one is ready: all
 * were woken for it, and the last to come finds the end. */
static filch_status take_ready(struct filch_completions *set, struct member **taken)
{
    filch_lock_acquire(&set->lock, FILCH_RANK_COMPLETIONS);
    *taken = set->ready;
    FILCH_ASSERT(*set->last == NULL);
    if (*taken) {
        set->ready = (*taken)->next;
        if (!set->ready) {
            set->last = &set->ready;
        }
    }
    filch_status status = *taken ? FILCH_OK : set->members.first ? FILCH_EPENDING : FILCH_END;
    filch_lock_release(&set->lock);
    return status;
}

/* A caller that waits for the next. */
struct caller {
    struct filch_completions *set;
    struct filch_wait_node place;
};

static bool enlist_for_member(struct filch_waiter *waiter, void *context)
{
    struct caller *caller = context;
    struct filch_completions *set = caller->set;
    filch_lock_acquire(&set->lock, FILCH_RANK_COMPLETIONS);
    bool waits = !set->ready && set->members.first;
    if (waits) {
        filch_wait_list_add_locked(&set->waiting, &caller->place, waiter);
    }
    filch_lock_release(&set->lock);
    return waits;
}

static void leave_line(struct filch_waiter *waiter, void *context)
{
    struct caller *caller = context;
    (void)waiter;
    filch_lock_acquire(&caller->set->lock, FILCH_RANK_COMPLETIONS);
    filch_wait_list_remove_locked(&caller->set->waiting, &caller->place);
    filch_lock_release(&caller->set->lock);
}

static const struct filch_wait_kind next_wait = {.what = "the next of some futures",
                                                 .enlist = enlist_for_member,
                                                 .leave = leave_line,
                                                 .derived = true};

static filch_status next_until(struct filch_completions *set, uint64_t deadline,
                               filch_future **ready, size_t *index)
{
    struct caller caller = {.set = set};
    struct member *member;
    filch_status status;
    if (filch_process_inherited(set->token)) {
        return FILCH_EFORKED;
    }
    while ((status = take_ready(set, &member)) == FILCH_EPENDING) {
        if (deadline == 0) {
            return FILCH_ETIMEDOUT;
        }
        status = filch_wait_until(&next_wait, &caller, deadline);
        if (status == FILCH_ETIMEDOUT) {
            deadline = 0; /* one last look */
        } else if (status != FILCH_OK) {
            return status;
        }
    }
    if (status == FILCH_OK) {
        *ready = member->future; /* the member's reference */
        if (index) {
            *index = member->index;
        }
        filch_free(member);
    }
    return status;
}

filch_status filch_completions_next(filch_completions *set, filch_future **ready, size_t *index)
{
    return set && ready ? next_until(set, FILCH_OS_NEVER, ready, index) : FILCH_EINVAL;
}

filch_status filch_completions_next_until(filch_completions *set, filch_deadline until,
                                          filch_future **ready, size_t *index)
{
    return set && ready ? next_until(set, filch_deadline_ns(until), ready, index) : FILCH_EINVAL;
}

static void free_list(struct member *member)
{
    while (member) {
        struct member *next = member->next;
        member_free(member);
        member = next;
    }
}

/* Those whose completer has not called yet, and will not. The others wait for our lock, and find
 * the set abandoned. */
static struct member *withdraw_members_locked(struct filch_completions *set)
{
    FILCH_ASSERT(filch_lock_is_held(&set->lock));
    FILCH_ASSERT(set->abandoned);
    struct member *withdrawn = NULL;
    struct filch_link *next;
    for (struct filch_link *link = set->members.first; link; link = next) {
        struct member *member = member_at(link);
        next = link->next;
        if (filch_cell_remove(&member->future->cell, &member->waiter)) {
            member->next = withdrawn;
            withdrawn = member;
            /* relaxed: the caller has a reference still */
            atomic_fetch_sub_explicit(&set->owners, 1, memory_order_relaxed);
        }
    }
    return withdrawn;
}

/* One that is not ready and was not asked before, retained; NULL: none. */
static filch_future *next_to_cancel(struct filch_completions *set)
{
    filch_lock_acquire(&set->lock, FILCH_RANK_COMPLETIONS);
    struct member *member = member_at(set->members.first);
    while (member && member->cancelled) {
        member = member_at(member->link.next);
    }
    if (member) {
        member->cancelled = true;
    }
    filch_future *future = member ? filch_future_retain(member->future) : NULL;
    filch_lock_release(&set->lock);
    return future;
}

void filch_completions_cancel(filch_completions *set)
{
    filch_future *future;
    while ((future = next_to_cancel(set))) {
        filch_future_cancel(future); /* without our lock: its completer takes it */
        filch_future_free(future);
    }
}

void filch_completions_free(filch_completions *set)
{
    if (!set || filch_process_inherited(set->token)) {
        return; /* what the parent waits for will not let go of it here */
    }
    filch_lock_acquire(&set->lock, FILCH_RANK_COMPLETIONS);
    set->abandoned = true;
    struct member *withdrawn = withdraw_members_locked(set);
    struct member *ready = set->ready;
    filch_lock_release(&set->lock);
    free_list(withdrawn);
    free_list(ready);
    set_release(set);
}

static filch_status wait_for_enough(struct filch_completions *set, uint64_t deadline,
                                    filch_wait_mode mode)
{
    filch_status status;
    filch_future *ready;
    bool enough = false;
    while (!enough && (status = next_until(set, deadline, &ready, NULL)) == FILCH_OK) {
        enough = mode == FILCH_FIRST_COMPLETED ||
                 (mode == FILCH_FIRST_ERROR && !filch_future_successful(ready));
        filch_future_free(ready);
    }
    return enough || status == FILCH_END ? FILCH_OK : status;
}

filch_status filch_futures_wait(filch_future *const futures[], size_t n, filch_wait_mode mode)
{
    return filch_futures_wait_until(futures, n, mode, filch_never());
}

filch_status filch_futures_wait_until(filch_future *const futures[], size_t n, filch_wait_mode mode,
                                      filch_deadline until)
{
    filch_completions *set;
    if (mode != FILCH_ALL_COMPLETED && mode != FILCH_FIRST_COMPLETED && mode != FILCH_FIRST_ERROR) {
        return FILCH_EINVAL;
    }
    filch_status status = filch_as_completed(futures, n, &set);
    if (status == FILCH_OK) {
        status = wait_for_enough(set, filch_deadline_ns(until), mode);
        filch_completions_free(set);
    }
    return status;
}
