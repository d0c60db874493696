/* Lifetimes: a caller that learns from an object that the others are done with it may free it while
 * their calls are still on their way out; and what users build, to any depth, is taken apart in
 * little stack.
 *
 * Objects are overwritten when they are freed. The library's locks are wrapped: now and then
 * another thread gets a turn before one is taken or after one is let go of, which is where a late
 * touch would hit. */
#define _GNU_SOURCE
#include "fixture.h"

#include <malloc.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include "os/lock.h"

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { ROUNDS = 400, DEPTH = 100000 }; /* a future takes 700 bytes, and more here */
#else
enum { ROUNDS = 1000, DEPTH = 1000000 }; /* for each number of workers */
#endif
enum { LESS_DEPTH = 50000 }; /* of what differs little from one of DEPTH */
enum { AT_ONCE = 50 };

/* ---- turns for others ---- */

bool __real_filch_lock_acquire(struct filch_lock *lock, enum filch_rank rank);
bool __wrap_filch_lock_acquire(struct filch_lock *lock, enum filch_rank rank);
void __real_filch_lock_release(struct filch_lock *lock);
void __wrap_filch_lock_release(struct filch_lock *lock);

static atomic_bool yields;
static atomic_uint draws;
static _Thread_local bool dawdles; /* this thread comes late from all locks */

static void maybe_yield(void)
{
    if (dawdles) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    } else if (atomic_load_explicit(&yields, memory_order_relaxed)) {
        unsigned draw = atomic_fetch_add_explicit(&draws, 1, memory_order_relaxed) * 2654435761u;
        if (draw >> 29 == 0) {
            sched_yield();
        }
    }
}

bool __wrap_filch_lock_acquire(struct filch_lock *lock, enum filch_rank rank)
{
    maybe_yield();
    return __real_filch_lock_acquire(lock, rank);
}

void __wrap_filch_lock_release(struct filch_lock *lock)
{
    __real_filch_lock_release(lock);
    maybe_yield();
}

/* ---- rounds: each makes an object, which its last user frees ---- */

static atomic_int rounds_over;
static atomic_int wrong;

static void check(bool right)
{
    atomic_fetch_add(&wrong, !right);
}

static void poison(void *object, size_t bytes)
{
    memset(object, 0xEE, bytes);
    free(object);
    atomic_fetch_add(&rounds_over, 1);
}

/* Play `round` so often, a few at a time, half of them with this thread as one of the users. */
static void play(int sweep, void (*round)(filch_pool *pool, bool here))
{
    filch_pool *pool = pool_opened(sweep);
    atomic_store(&rounds_over, 0);
    atomic_store(&wrong, 0);
    atomic_store(&yields, true);
    for (int i = 0; i < ROUNDS; i++) {
        round(pool, i % 2);
        await(&rounds_over, i + 1 - AT_ONCE);
    }
    await(&rounds_over, ROUNDS);
    atomic_store(&yields, false);
    pool_closed(pool);
    ck_assert_int_eq(wrong, 0);
}

/* A user of the object: a task, or this thread. */
#define USE(here, user, pool, object)                                                              \
    do {                                                                                           \
        if (here) {                                                                                \
            user(object);                                                                          \
        } else {                                                                                   \
            ck_assert(user##_apply_async(pool, object, NULL) == FILCH_OK);                         \
        }                                                                                          \
    } while (0)

/* ---- channels ---- */

static filch_channel *channel_new(size_t capacity)
{
    filch_channel *channel;
    ck_assert(filch_channel_new(sizeof(int), capacity, &channel) == FILCH_OK);
    return channel;
}

static void channel_over(filch_channel *channel)
{
    filch_channel_free(channel);
    atomic_fetch_add(&rounds_over, 1);
}

FILCH_FUNCTION(void, sends, (filch_channel *, channel))
{
    int seven = 7;
    check(filch_channel_send(channel, &seven) == FILCH_OK);
}

FILCH_FUNCTION(void, receives, (filch_channel *, channel))
{
    int value = 0;
    check(filch_channel_receive(channel, &value) == FILCH_OK && value == 7);
}

FILCH_FUNCTION(void, receives_last, (filch_channel *, channel))
{
    receives(channel);
    channel_over(channel);
}

FILCH_FUNCTION(void, sends_last, (filch_channel *, channel))
{
    sends(channel);
    channel_over(channel);
}

static void receiver_frees(filch_pool *pool, bool here)
{
    filch_channel *channel = channel_new(here);
    ck_assert(sends_apply_async(pool, channel, NULL) == FILCH_OK);
    USE(here, receives_last, pool, channel);
}

START_TEST(the_receiver_of_a_value_may_free_the_channel)
{
    play(_i, receiver_frees);
}
END_TEST

static void sender_frees(filch_pool *pool, bool here)
{
    filch_channel *channel = channel_new(0);
    ck_assert(receives_apply_async(pool, channel, NULL) == FILCH_OK);
    USE(here, sends_last, pool, channel);
}

START_TEST(who_has_handed_a_value_over_may_free_the_channel)
{
    play(_i, sender_frees);
}
END_TEST

struct shared_channel {
    filch_channel *channel;
    atomic_int left;
};

FILCH_FUNCTION(void, receives_the_end, (struct shared_channel *, shared))
{
    int value;
    check(filch_channel_receive(shared->channel, &value) == FILCH_END);
    if (atomic_fetch_sub(&shared->left, 1) == 1) {
        filch_channel_free(shared->channel);
        poison(shared, sizeof *shared);
    }
}

FILCH_FUNCTION(void, closes, (filch_channel *, channel))
{
    check(filch_channel_close(channel) == FILCH_OK);
}

static void told_of_the_end_frees(filch_pool *pool, bool here)
{
    struct shared_channel *shared = malloc(sizeof *shared);
    filch_channel *channel = shared->channel = channel_new(0);
    atomic_init(&shared->left, 2);
    ck_assert(receives_the_end_apply_async(pool, shared, NULL) == FILCH_OK);
    ck_assert(closes_apply_async(pool, channel, NULL) == FILCH_OK);
    USE(here, receives_the_end, pool, shared);
}

START_TEST(who_is_told_of_a_channels_end_may_free_it)
{
    play(_i, told_of_the_end_frees);
}
END_TEST

/* Two channels. The one who sends through the first frees that; the other goes when the select is
 * over. */
struct choice {
    filch_channel *freed_by_sender;
    filch_channel *other;
};

FILCH_FUNCTION(void, chooses, (struct choice *, choice))
{
    int value = 0;
    int seven = 7;
    filch_status answer = FILCH_EPENDING;
    filch_case cases[] = {filch_on_receive(choice->other, &value, NULL),
                          filch_on_receive(choice->freed_by_sender, &value, &answer),
                          filch_on_send(choice->freed_by_sender, &seven, NULL),
                          filch_on_send(choice->other, &seven, NULL)};
    check(filch_first(cases, 4, filch_never(), NULL) == 1 && answer == FILCH_OK && value == 7);
    check(filch_channel_send_until(choice->other, &seven, filch_in(0)) == FILCH_ETIMEDOUT);
    check(filch_channel_receive_until(choice->other, &value, filch_in(0)) == FILCH_ETIMEDOUT);
    filch_channel_free(choice->other);
    poison(choice, sizeof *choice);
}

FILCH_FUNCTION(void, sends_and_frees, (filch_channel *, channel))
{
    sends(channel);
    filch_channel_free(channel);
}

static void chosen_is_freed(filch_pool *pool, bool here)
{
    struct choice *choice = malloc(sizeof *choice);
    filch_channel *channel = choice->freed_by_sender = channel_new(0);
    choice->other = channel_new(0);
    ck_assert(chooses_apply_async(pool, choice, NULL) == FILCH_OK);
    USE(here, sends_and_frees, pool, channel);
}

START_TEST(a_select_does_not_touch_the_channel_that_served_it)
{
    play(_i, chosen_is_freed);
}
END_TEST

enum { VALUES = ROUNDS };

FILCH_FUNCTION(int, receives_in_haste, (filch_channel *, channel))
{
    int value;
    int received = 0;
    filch_status status;
    do {
        status = filch_channel_receive_until(channel, &value, filch_in(2e-5));
        received += status == FILCH_OK && value == 7;
    } while (status == FILCH_OK || status == FILCH_ETIMEDOUT);
    check(status == FILCH_END);
    return received;
}

FILCH_FUNCTION(void, sends_all, (filch_channel *, channel))
{
    for (int i = 0; i < VALUES; i++) {
        sends(channel);
    }
    check(filch_channel_close(channel) == FILCH_OK);
}

/* A waiter that is chosen to be served cannot time out any more. */
START_TEST(a_value_that_meets_a_time_out_is_not_lost)
{
    filch_pool *pool = pool_opened(_i);
    filch_channel *channel = channel_new(0);
    filch_future *future;
    int received = 0;
    atomic_store(&wrong, 0);
    atomic_store(&yields, true);
    ck_assert(receives_in_haste_apply_async(pool, channel, &future) == FILCH_OK);
    ck_assert(sends_all_apply_async(pool, channel, NULL) == FILCH_OK);
    int received_here = receives_in_haste(channel);
    ck_assert_int_eq(receives_in_haste_get(future, &received), FILCH_OK);
    atomic_store(&yields, false);
    ck_assert_int_eq(received + received_here, VALUES);
    ck_assert_int_eq(wrong, 0);
    filch_future_free(future);
    filch_channel_free(channel);
    pool_closed(pool);
}
END_TEST

/* ---- the objects of sync.h ---- */

struct locked {
    filch_mutex mutex;
    int left;
};

FILCH_FUNCTION(void, uses_locked, (struct locked *, locked))
{
    check(filch_mutex_lock(&locked->mutex) == FILCH_OK);
    if (locked->left % 2) {
        filch_yield(); /* the others come to wait */
    }
    bool last = --locked->left == 0;
    check(filch_mutex_unlock(&locked->mutex) == FILCH_OK);
    if (last) {
        poison(locked, sizeof *locked);
    }
}

static void last_unlocks_and_frees(filch_pool *pool, bool here)
{
    struct locked *locked = calloc(1, sizeof *locked);
    locked->left = 4;
    for (int i = 0; i < 3; i++) {
        ck_assert(uses_locked_apply_async(pool, locked, NULL) == FILCH_OK);
    }
    USE(here, uses_locked, pool, locked);
}

START_TEST(who_has_unlocked_a_mutex_last_may_free_it)
{
    play(_i, last_unlocks_and_frees);
}
END_TEST

struct permits {
    filch_semaphore semaphore;
    atomic_int left;
};

FILCH_FUNCTION(void, takes_permit, (struct permits *, permits))
{
    check(filch_semaphore_acquire(&permits->semaphore) == FILCH_OK);
    if (atomic_fetch_sub(&permits->left, 1) == 1) {
        poison(permits, sizeof *permits);
    }
}

FILCH_FUNCTION(void, gives_permits, (struct permits *, permits))
{
    check(filch_semaphore_release(&permits->semaphore, 3) == FILCH_OK);
}

static void last_taker_frees(filch_pool *pool, bool here)
{
    struct permits *permits = malloc(sizeof *permits);
    filch_semaphore_init(&permits->semaphore, 0);
    atomic_init(&permits->left, 3);
    ck_assert(takes_permit_apply_async(pool, permits, NULL) == FILCH_OK);
    ck_assert(takes_permit_apply_async(pool, permits, NULL) == FILCH_OK);
    ck_assert(gives_permits_apply_async(pool, permits, NULL) == FILCH_OK);
    USE(here, takes_permit, pool, permits);
}

START_TEST(who_takes_the_last_permit_may_free_the_semaphore)
{
    play(_i, last_taker_frees);
}
END_TEST

enum { SIGNALLED = 3 };

struct signalled {
    filch_mutex mutex;
    filch_condition *condition;
    int waiting;
    int left;
    bool come;
};

static void leave_signalled(struct signalled *signalled)
{
    bool last = --signalled->left == 0;
    filch_mutex_unlock(&signalled->mutex);
    if (last) {
        poison(signalled, sizeof *signalled);
    }
}

FILCH_FUNCTION(void, waits_for_signal, (struct signalled *, signalled))
{
    check_int_eq(filch_mutex_lock(&signalled->mutex), FILCH_OK);
    signalled->waiting++;
    /* once: a woken waiter must not look at the condition again */
    check(filch_condition_wait(signalled->condition, &signalled->mutex) == FILCH_OK);
    check(signalled->come);
    leave_signalled(signalled);
}

FILCH_FUNCTION(void, signals_all, (struct signalled *, signalled))
{
    check_int_eq(filch_mutex_lock(&signalled->mutex), FILCH_OK);
    while (signalled->waiting < SIGNALLED) {
        filch_mutex_unlock(&signalled->mutex);
        filch_yield();
        check_int_eq(filch_mutex_lock(&signalled->mutex), FILCH_OK);
    }
    signalled->come = true;
    for (int i = 1; i < SIGNALLED; i += 2) {
        filch_condition_signal(signalled->condition);
    }
    filch_condition_broadcast(signalled->condition); /* nothing waits on it any more */
    memset(signalled->condition, 0xEE, sizeof *signalled->condition);
    free(signalled->condition);
    leave_signalled(signalled);
}

static void signaller_frees(filch_pool *pool, bool here)
{
    struct signalled *signalled = calloc(1, sizeof *signalled);
    signalled->condition = calloc(1, sizeof *signalled->condition);
    signalled->left = SIGNALLED + 1;
    for (int i = 0; i < SIGNALLED; i++) {
        ck_assert(waits_for_signal_apply_async(pool, signalled, NULL) == FILCH_OK);
    }
    USE(here, signals_all, pool, signalled);
}

START_TEST(who_has_woken_all_may_free_the_condition)
{
    play(_i, signaller_frees);
}
END_TEST

struct woken {
    filch_mutex mutex;
    filch_condition condition;
    bool waiting;
};

FILCH_FUNCTION(void, waits_to_be_woken, (struct woken *, woken))
{
    check_int_eq(filch_mutex_lock(&woken->mutex), FILCH_OK);
    woken->waiting = true;
    check(filch_condition_wait(&woken->condition, &woken->mutex) == FILCH_OK);
    filch_mutex_unlock(&woken->mutex);
    poison(woken, sizeof *woken);
}

FILCH_FUNCTION(void, wakes_it, (struct woken *, woken))
{
    for (bool waiting = false; !waiting; filch_yield()) {
        check_int_eq(filch_mutex_lock(&woken->mutex), FILCH_OK);
        waiting = woken->waiting;
        filch_mutex_unlock(&woken->mutex);
    }
    filch_condition_signal(&woken->condition); /* without the mutex, which may be gone */
}

static void woken_frees(filch_pool *pool, bool here)
{
    struct woken *woken = calloc(1, sizeof *woken);
    ck_assert(wakes_it_apply_async(pool, woken, NULL) == FILCH_OK);
    USE(here, waits_to_be_woken, pool, woken);
}

START_TEST(who_was_woken_last_may_free_the_condition)
{
    play(_i, woken_frees);
}
END_TEST

struct work {
    filch_wait_group group;
    atomic_int left;
};

FILCH_FUNCTION(void, does_work, (struct work *, work))
{
    check(filch_wait_group_done(&work->group) == FILCH_OK);
}

FILCH_FUNCTION(void, awaits_work, (struct work *, work))
{
    check(filch_wait_group_wait(&work->group) == FILCH_OK);
    if (atomic_fetch_sub(&work->left, 1) == 1) {
        poison(work, sizeof *work);
    }
}

static void last_waiter_frees(filch_pool *pool, bool here)
{
    struct work *work = calloc(1, sizeof *work);
    atomic_init(&work->left, 2);
    ck_assert(filch_wait_group_add(&work->group, 3) == FILCH_OK);
    ck_assert(awaits_work_apply_async(pool, work, NULL) == FILCH_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert(does_work_apply_async(pool, work, NULL) == FILCH_OK);
    }
    USE(here, awaits_work, pool, work);
}

START_TEST(who_has_seen_all_done_may_free_the_wait_group)
{
    play(_i, last_waiter_frees);
}
END_TEST

enum { ONLOOKERS = 2 };

struct first_use {
    filch_once once;
    atomic_int onlookers;
};

static filch_status run_first(void *mine)
{
    *(bool *)mine = true;
    filch_yield();
    return FILCH_OK;
}

FILCH_FUNCTION(void, uses_first, (struct first_use *, use))
{
    bool mine = false;
    check(filch_once_run(&use->once, run_first, &mine) == FILCH_OK);
    if (!mine && atomic_fetch_sub(&use->onlookers, 1) == 1) {
        poison(use, sizeof *use);
    }
}

static void last_onlooker_frees(filch_pool *pool, bool here)
{
    struct first_use *use = calloc(1, sizeof *use);
    atomic_init(&use->onlookers, ONLOOKERS);
    for (int i = 0; i < ONLOOKERS; i++) {
        ck_assert(uses_first_apply_async(pool, use, NULL) == FILCH_OK);
    }
    USE(here, uses_first, pool, use);
}

START_TEST(who_knows_that_it_was_run_may_free_the_once)
{
    play(_i, last_onlooker_frees);
}
END_TEST

/* ---- futures, and what is made of them ---- */

struct pair {
    filch_promise *promise;
    filch_future *future;
};

static struct pair *pair_new(void)
{
    struct pair *pair = malloc(sizeof *pair);
    ck_assert(filch_promise_new(sizeof(int), &pair->promise, &pair->future) == FILCH_OK);
    return pair;
}

FILCH_FUNCTION(void, keeps_promise, (filch_promise *, promise))
{
    int seven = 7;
    check(filch_promise_set_value(promise, &seven) == FILCH_OK);
}

FILCH_FUNCTION(void, breaks_promise, (filch_promise *, promise))
{
    check(filch_promise_set_error(promise, 7, "seven") == FILCH_OK);
}

FILCH_FUNCTION(void, awaits_promise, (struct pair *, pair))
{
    check(filch_future_wait(pair->future) == FILCH_OK);
    filch_promise_free(pair->promise);
    filch_future_free(pair->future);
    poison(pair, sizeof *pair);
}

static void waiter_frees(filch_pool *pool, bool here)
{
    struct pair *pair = pair_new();
    filch_promise *promise = pair->promise;
    ck_assert((here ? keeps_promise_apply_async : breaks_promise_apply_async)(pool, promise,
                                                                              NULL) == FILCH_OK);
    USE(here, awaits_promise, pool, pair);
}

START_TEST(who_has_what_was_promised_may_free_the_promise)
{
    play(_i, waiter_frees);
}
END_TEST

FILCH_FUNCTION(void, polls_promise, (struct pair *, pair))
{
    while (!filch_future_ready(pair->future)) {
        filch_yield();
    }
    filch_promise_free(pair->promise);
    filch_future_free(pair->future);
    poison(pair, sizeof *pair);
}

static void poller_frees(filch_pool *pool, bool here)
{
    struct pair *pair = pair_new();
    ck_assert(keeps_promise_apply_async(pool, pair->promise, NULL) == FILCH_OK);
    USE(here, polls_promise, pool, pair);
}

START_TEST(who_has_seen_a_future_ready_may_free_it_and_its_promise)
{
    play(_i, poller_frees);
}
END_TEST

FILCH_FUNCTION(void, completes_set, (struct pair *, pair))
{
    filch_completions *set;
    filch_future *ready;
    filch_future *futures[] = {pair->future, pair->future};
    check(filch_as_completed(futures, 2, &set) == FILCH_OK);
    for (int i = 0; i < 2; i++) {
        check(filch_completions_next(set, &ready, NULL) == FILCH_OK);
        filch_future_free(ready);
    }
    filch_completions_free(set);
    filch_promise_free(pair->promise);
    filch_future_free(pair->future);
    poison(pair, sizeof *pair);
}

static void taker_frees(filch_pool *pool, bool here)
{
    struct pair *pair = pair_new();
    filch_promise *promise = pair->promise;
    ck_assert(keeps_promise_apply_async(pool, promise, NULL) == FILCH_OK);
    USE(here, completes_set, pool, pair);
}

START_TEST(who_has_the_last_of_some_futures_may_free_the_set)
{
    play(_i, taker_frees);
}
END_TEST

FILCH_FUNCTION(void, combines, (struct pair *, pair))
{
    filch_future *all;
    filch_future *any;
    filch_future *both[2];
    check(filch_when_any(&pair->future, 1, &any) == FILCH_OK);
    check(filch_when_all(&any, 1, &all) == FILCH_OK);
    both[0] = any;
    both[1] = all;
    check(filch_futures_wait(both, 2, FILCH_ALL_COMPLETED) == FILCH_OK);
    filch_future_free(any);
    filch_future_free(all);
    filch_promise_free(pair->promise);
    filch_future_free(pair->future);
    poison(pair, sizeof *pair);
}

static void combiner_frees(filch_pool *pool, bool here)
{
    struct pair *pair = pair_new();
    filch_promise *promise = pair->promise;
    ck_assert(keeps_promise_apply_async(pool, promise, NULL) == FILCH_OK);
    USE(here, combines, pool, pair);
}

START_TEST(who_has_a_combination_of_futures_may_free_it)
{
    play(_i, combiner_frees);
}
END_TEST

/* A future's descriptor: a caller that finds it readable may free the future. */
FILCH_FUNCTION(void, awaits_descriptor, (struct pair *, pair))
{
    int fd = -1;
    check(filch_future_fd(pair->future, &fd) == FILCH_OK);
    filch_future *all;
    check(filch_when_all(&pair->future, 1, &all) == FILCH_OK);
    int of_all = -1;
    check(filch_future_fd(all, &of_all) == FILCH_OK);
    filch_future_free(all); /* its end keeps it, and the descriptor, for as long as it takes */
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    while (poll(&poller, 1, 0) == 0) {
        filch_yield();
    }
    filch_promise_free(pair->promise);
    filch_future_free(pair->future);
    poison(pair, sizeof *pair);
}

static void fd_waiter_frees(filch_pool *pool, bool here)
{
    struct pair *pair = pair_new();
    filch_promise *promise = pair->promise;
    ck_assert(keeps_promise_apply_async(pool, promise, NULL) == FILCH_OK);
    USE(here, awaits_descriptor, pool, pair);
}

START_TEST(who_finds_a_futures_descriptor_readable_may_free_it)
{
    play(_i, fd_waiter_frees);
}
END_TEST

/* ---- groups ---- */

FILCH_FUNCTION(int, ends_soon, (int, x))
{
    if (x == 1) {
        filch_yield();
    }
    return x;
}

FILCH_FUNCTION(void, opens_group, (filch_pool *, pool))
{
    filch_group *group;
    int results[3] = {0};
    check(filch_group_open(pool, NULL, &group) == FILCH_OK);
    for (int i = 0; i < 3; i++) {
        check(ends_soon_spawn(group, i, &results[i]) == FILCH_OK);
    }
    check(filch_group_close(group, NULL) == FILCH_OK && results[2] == 2);
    atomic_fetch_add(&rounds_over, 1);
}

static void owner_closes(filch_pool *pool, bool here)
{
    USE(here, opens_group, pool, pool);
}

START_TEST(a_group_is_gone_when_its_last_task_has_ended)
{
    play(_i, owner_closes);
}
END_TEST

/* ---- inboxes ---- */

FILCH_FUNCTION(void, posts, (filch_inbox *, inbox))
{
    filch_closure closure = ends_soon_bind(3);
    check(filch_inbox_post(inbox, &closure, NULL) == FILCH_OK);
}

static void server_frees(filch_pool *pool, bool here)
{
    filch_inbox *inbox;
    (void)here;
    ck_assert(filch_inbox_new(pool, &inbox) == FILCH_OK);
    ck_assert(posts_apply_async(pool, inbox, NULL) == FILCH_OK);
    check(filch_inbox_serve(inbox) == FILCH_OK);
    filch_inbox_free(inbox);
    atomic_fetch_add(&rounds_over, 1);
}

START_TEST(who_has_served_the_last_letter_may_free_the_inbox)
{
    play(_i, server_frees);
}
END_TEST

/* ---- pools ---- */

struct visit {
    filch_pool *pool;
    atomic_int seen;
    filch_promise *promise;
};

FILCH_FUNCTION(void, is_seen, (atomic_int *, seen))
{
    atomic_store(seen, 1);
}

static int submits_from_outside(void *context)
{
    struct visit *visit = context;
    dawdles = true;
    check(is_seen_apply_async(visit->pool, &visit->seen, NULL) == FILCH_OK);
    return 0;
}

static int submits_to_background(void *context)
{
    struct visit *visit = context;
    filch_options options = {.background = true};
    dawdles = true;
    check(is_seen_apply_async(filch_on(visit->pool, &options), &visit->seen, NULL) == FILCH_OK);
    return 0;
}

FILCH_FUNCTION(int, passes_on, (int, value), (atomic_int *, seen))
{
    atomic_store(seen, 1);
    return value;
}

static int keeps_from_outside(void *context)
{
    struct visit *visit = context;
    dawdles = true;
    keeps_promise(visit->promise);
    return 0;
}

/* A thread does something that a task of the pool comes of; as soon as that was seen, the pool is
 * freed. */
static void free_when_seen(int sweep, int (*visitor)(void *))
{
    atomic_store(&wrong, 0);
    for (int i = 0; i < 20; i++) {
        struct visit visit = {.pool = pool_opened(sweep)};
        filch_future *future;
        filch_future *next;
        thrd_t thread;
        ck_assert(filch_promise_new(sizeof(int), &visit.promise, &future) == FILCH_OK);
        ck_assert(passes_on_then(visit.pool, future, &visit.seen, &next) == FILCH_OK);
        if (visitor != keeps_from_outside) {
            filch_future_cancel(next);
        }
        ck_assert(thrd_create(&thread, visitor, &visit) == thrd_success);
        await(&visit.seen, 1);
        check(filch_pool_free(visit.pool) == FILCH_OK);
        thrd_join(thread, NULL);
        filch_promise_free(visit.promise);
        filch_future_free(future);
        filch_future_free(next);
    }
    ck_assert_int_eq(wrong, 0);
}

START_TEST(who_has_seen_the_last_task_run_may_free_the_pool)
{
    free_when_seen(_i, submits_from_outside);
    free_when_seen(_i, submits_to_background);
}
END_TEST

START_TEST(who_has_seen_a_continuation_run_may_free_the_pool)
{
    free_when_seen(_i, keeps_from_outside);
}
END_TEST

/* ---- any depth in little stack ---- */

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { LITTLE_STACK = 512 << 10 };
#else
enum { LITTLE_STACK = 64 << 10 };
#endif

static void on_little_stack(void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    atomic_store(&wrong, 0);
    mallopt(M_PERTURB, 0); /* which takes its time */
    pthread_attr_init(&attributes);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, LITTLE_STACK), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, function, argument), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    ck_assert_int_eq(wrong, 0);
}

typedef filch_status when(filch_future *const futures[], size_t n, filch_future **out);

/* `when` around `when` around ... the future, to which the caller's reference goes. */
static filch_future *nest_around(filch_future *future, when *outer, when *inner, int depth)
{
    for (int i = 0; i < depth; i++) {
        filch_future *around;
        check((i % 2 ? outer : inner)(&future, 1, &around) == FILCH_OK);
        filch_future_free(future);
        future = around;
    }
    return future;
}

static void nest_and_end(when *outer, when *inner, int depth, filch_status end)
{
    filch_promise *promise;
    filch_future *future;
    check(filch_promise_new(0, &promise, &future) == FILCH_OK);
    future = nest_around(future, outer, inner, depth);
    check(!filch_future_ready(future));
    if (end == FILCH_OK) {
        check(filch_promise_set_value(promise, NULL) == FILCH_OK);
        check(filch_future_ready(future));
    } else if (end == FILCH_ECANCELED) {
        check(filch_future_cancel(future) == FILCH_OK);
    } /* else it is freed before its end */
    filch_future_free(future);
    filch_promise_free(promise);
}

static void *nests_of_futures(void *unused)
{
    (void)unused;
    nest_and_end(filch_when_all, filch_when_any, DEPTH, FILCH_OK);
    nest_and_end(filch_when_all, filch_when_all, LESS_DEPTH, FILCH_OK);
    nest_and_end(filch_when_any, filch_when_any, LESS_DEPTH, FILCH_OK);
    nest_and_end(filch_when_any, filch_when_all, LESS_DEPTH, FILCH_ECANCELED);
    nest_and_end(filch_when_all, filch_when_any, LESS_DEPTH, FILCH_EBROKEN);
    return NULL;
}

START_TEST(nests_of_futures_complete_and_go_in_little_stack)
{
    long before = allocations_alive();
    on_little_stack(nests_of_futures, NULL);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

/* Ready before it is made: each is complete at once. */
static void *nests_of_ready_futures(void *unused)
{
    filch_promise *promise;
    filch_future *future;
    (void)unused;
    check(filch_promise_new(0, &promise, &future) == FILCH_OK);
    filch_promise_free(promise);
    future = nest_around(future, filch_when_all, filch_when_any, LESS_DEPTH);
    check(filch_future_ready(future));
    filch_future_free(future);
    return NULL;
}

START_TEST(nests_of_ready_futures_go_in_little_stack)
{
    long before = allocations_alive();
    on_little_stack(nests_of_ready_futures, NULL);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

/* A tree with all its branches: the members of each are the one before, many times. */
static void *bushes_of_futures(void *unused)
{
    enum { BRANCHES = 10 };
    filch_promise *promise;
    filch_future *future;
    (void)unused;
    check(filch_promise_new(0, &promise, &future) == FILCH_OK);
    for (int i = 0; i < LESS_DEPTH; i++) {
        filch_future *members[BRANCHES];
        filch_future *around;
        for (int k = 0; k < BRANCHES; k++) {
            members[k] = future;
        }
        check((i % 2 ? filch_when_all : filch_when_any)(members, BRANCHES, &around) == FILCH_OK);
        filch_future_free(future);
        future = around;
    }
    filch_promise_free(promise);
    check(filch_future_ready(future));
    filch_future_free(future);
    return NULL;
}

START_TEST(bushes_of_futures_go_in_little_stack)
{
    long before = allocations_alive();
    on_little_stack(bushes_of_futures, NULL);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

FILCH_FUNCTION(int, plus_one, (int, x))
{
    return x + 1;
}

struct chain {
    filch_pool *pool;
    int depth;
    filch_status end;
};

static void *chain_of_continuations(void *context)
{
    const struct chain *chain = context;
    filch_promise *promise;
    filch_future *last;
    int value = 0;
    check(filch_promise_new(sizeof(int), &promise, &last) == FILCH_OK);
    for (int i = 0; i < chain->depth; i++) {
        filch_future *next;
        check(plus_one_then(chain->pool, last, &next) == FILCH_OK);
        filch_future_free(last);
        last = next;
    }
    if (chain->end == FILCH_OK) {
        check(filch_promise_set_value(promise, &value) == FILCH_OK);
    }
    filch_promise_free(promise);
    check(plus_one_get(last, &value) == chain->end);
    check(chain->end != FILCH_OK || value == chain->depth);
    filch_future_free(last);
    return NULL;
}

START_TEST(chains_of_continuations_run_and_go_in_little_stack)
{
    filch_pool *pool = pool_opened(_i);
    on_little_stack(chain_of_continuations,
                    &(struct chain){pool, _i == 1 ? DEPTH : LESS_DEPTH, FILCH_OK});
    on_little_stack(chain_of_continuations, &(struct chain){pool, LESS_DEPTH, FILCH_EBROKEN});
    pool_closed(pool);
}
END_TEST

/* The promise is never set: the pool is terminated. */
START_TEST(chains_of_continuations_are_cancelled_in_little_stack)
{
    filch_pool *pool = pool_opened(_i);
    filch_promise *promise;
    filch_future *last;
    ck_assert(filch_promise_new(sizeof(int), &promise, &last) == FILCH_OK);
    for (int i = 0; i < LESS_DEPTH; i++) {
        filch_future *next;
        check_int_eq(plus_one_then(pool, last, &next), FILCH_OK);
        filch_future_free(last);
        last = next;
    }
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(last), FILCH_OK);
    ck_assert(filch_future_cancelled(last));
    filch_future_free(last);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    filch_promise_free(promise);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

static atomic_int destroyed;

FILCH_FUNCTION(int, calls_inner, (filch_closure, inner), (int, number))
{
    (void)inner;
    return number;
}

static void destroy_inner(void *captures)
{
    calls_inner_args *owner = captures;
    atomic_fetch_add(&destroyed, 1);
    filch_closure_release(&owner->inner);
}

static void *closures_in_closures(void *unused)
{
    filch_closure closure = {.callable = NULL};
    (void)unused;
    for (int i = 0; i < DEPTH; i++) {
        filch_closure outer;
        check(calls_inner_capture_owned(&outer, closure, i, destroy_inner) == FILCH_OK);
        closure = outer;
    }
    filch_closure second = filch_closure_retain(&closure);
    filch_closure_release(&closure);
    check(destroyed == 0);
    filch_closure_release(&second);
    check(destroyed == DEPTH);
    return NULL;
}

START_TEST(closures_that_own_closures_go_in_little_stack)
{
    filch_sleep(1e-9); /* this thread's record is made now, not between the counts */
    long before = allocations_alive();
    atomic_store(&destroyed, 0);
    on_little_stack(closures_in_closures, NULL);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

FILCH_FUNCTION(void, does_it, (atomic_int *, done))
{
    (void)done;
}

static void tell_destroyed(void *captures)
{
    atomic_store(((does_it_args *)captures)->done, 1);
}

FILCH_FUNCTION(void, releases_another, (atomic_int *, done))
{
    filch_closure closure;
    check(does_it_capture_owned(&closure, done, tell_destroyed) == FILCH_OK);
    filch_closure_release(&closure);
    check(atomic_load(done) == 1);
}

FILCH_FUNCTION(void, owns_work, (filch_pool *, pool), (atomic_int *, done))
{
    (void)pool;
    (void)done;
}

static void destroy_with_work(void *captures)
{
    owns_work_args *owned = captures;
    filch_future *future;
    check(releases_another_apply_async(owned->pool, owned->done, &future) == FILCH_OK);
    check(filch_future_get(future, NULL, 0) == FILCH_OK); /* which may run it here */
    filch_future_free(future);
}

FILCH_FUNCTION(void, releases_worker, (filch_pool *, pool), (atomic_int *, done))
{
    filch_closure closure;
    check(owns_work_capture_owned(&closure, pool, done, destroy_with_work) == FILCH_OK);
    filch_closure_release(&closure);
}

/* What waits in a destructor may run a task, whose destructors do not wait for that one. */
START_TEST(a_destructor_that_waits_holds_up_no_other_tasks)
{
    filch_pool *pool = pool_opened(_i);
    atomic_store(&wrong, 0);
    for (int i = 0; i < 50; i++) {
        atomic_int done = 0;
        ck_assert_int_eq(releases_worker_apply(pool, pool, &done), FILCH_OK);
        atomic_store(&done, 0);
        releases_worker(pool, &done);
    }
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

static void *large_sets(void *unused)
{
    filch_promise *promise;
    filch_future *future;
    filch_future *ready;
    filch_completions *set;
    (void)unused;
    for (int round = 0; round < 2; round++) {
        check(filch_promise_new(0, &promise, &future) == FILCH_OK);
        check(filch_completions_new(&set) == FILCH_OK);
        for (int i = 0; i < DEPTH; i++) {
            check(filch_completions_add(set, future) == FILCH_OK);
        }
        if (round == 0) {
            filch_promise_free(promise);
        }
        check(filch_completions_next_until(set, filch_in(0), &ready, NULL) ==
              (round == 0 ? FILCH_OK : FILCH_ETIMEDOUT));
        filch_completions_free(set);
        if (round == 1) {
            filch_promise_free(promise);
        } else {
            filch_future_free(ready);
        }
        filch_future_free(future);
    }
    return NULL;
}

START_TEST(large_sets_of_futures_go_in_little_stack)
{
    long before = allocations_alive();
    on_little_stack(large_sets, NULL);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

static filch_status three_items(void *context, void *item)
{
    int *given = context;
    *(int *)item = 0;
    return ++*given <= 3 ? FILCH_OK : FILCH_END;
}

static void count_stage(void *context, void *item)
{
    (void)context;
    ++*(int *)item;
}

static void last_stage(void *context, void *item)
{
    atomic_fetch_add((atomic_int *)context, *(int *)item);
}

START_TEST(a_pipeline_of_many_stages_needs_little_stack)
{
    filch_pool *pool = pool_opened(_i);
    filch_stage *stages = calloc(DEPTH, sizeof *stages);
    atomic_int sum = 0;
    int given = 0;
    for (int i = 0; i < DEPTH - 1; i++) {
        stages[i].kind = i % 2 ? FILCH_STAGE_SERIAL : FILCH_STAGE_PARALLEL;
        stages[i].run = count_stage;
    }
    stages[DEPTH - 1] =
        (filch_stage){.kind = FILCH_STAGE_SERIAL, .run = last_stage, .context = &sum};
    filch_pipeline_options options = {.tokens = 2};
    ck_assert_int_eq(
        filch_pipeline(pool, three_items, &given, sizeof(int), stages, DEPTH, &options), FILCH_OK);
    ck_assert_int_eq(sum, 3 * (DEPTH - 1));
    free(stages);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lifetimes");
    TCase *freed = tcase_create("freed by the last");
    tcase_set_timeout(freed, 300);
    tcase_add_loop_test(freed, the_receiver_of_a_value_may_free_the_channel, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_handed_a_value_over_may_free_the_channel, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_is_told_of_a_channels_end_may_free_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, a_select_does_not_touch_the_channel_that_served_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, a_value_that_meets_a_time_out_is_not_lost, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_unlocked_a_mutex_last_may_free_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_takes_the_last_permit_may_free_the_semaphore, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_woken_all_may_free_the_condition, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_was_woken_last_may_free_the_condition, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_seen_all_done_may_free_the_wait_group, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_knows_that_it_was_run_may_free_the_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_what_was_promised_may_free_the_promise, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_seen_a_future_ready_may_free_it_and_its_promise, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_the_last_of_some_futures_may_free_the_set, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_a_combination_of_futures_may_free_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_finds_a_futures_descriptor_readable_may_free_it, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(freed, a_group_is_gone_when_its_last_task_has_ended, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_served_the_last_letter_may_free_the_inbox, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_seen_the_last_task_run_may_free_the_pool, 0, WORKER_SWEEP);
    tcase_add_loop_test(freed, who_has_seen_a_continuation_run_may_free_the_pool, 0, WORKER_SWEEP);
    suite_add_tcase(suite, freed);
    TCase *deep = tcase_create("any depth");
    tcase_set_timeout(deep, 300);
    tcase_add_test(deep, nests_of_futures_complete_and_go_in_little_stack);
    tcase_add_test(deep, nests_of_ready_futures_go_in_little_stack);
    tcase_add_test(deep, bushes_of_futures_go_in_little_stack);
    tcase_add_loop_test(deep, chains_of_continuations_run_and_go_in_little_stack, 0, 2);
    tcase_add_loop_test(deep, chains_of_continuations_are_cancelled_in_little_stack, 1, 2);
    tcase_add_test(deep, closures_that_own_closures_go_in_little_stack);
    tcase_add_loop_test(deep, a_destructor_that_waits_holds_up_no_other_tasks, 0, WORKER_SWEEP);
    tcase_add_test(deep, large_sets_of_futures_go_in_little_stack);
    tcase_add_loop_test(deep, a_pipeline_of_many_stages_needs_little_stack, 0, 2);
    suite_add_tcase(suite, deep);
    mallopt(M_PERTURB, 0x11); /* what the library frees is overwritten, too */
    return run_suite(suite);
}
