/* Iterators that compute ahead, and maps whose arguments are not in arrays. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static atomic_int ran;
static atomic_int gate;

FILCH_FUNCTION(int, square, (int, x))
{
    atomic_fetch_add(&ran, 1);
    return x * x;
}
FILCH_RANGE(square, int);

FILCH_FUNCTION(long, product, (int, x), (long, y))
{
    return x * y;
}

FILCH_FUNCTION(int, odd_fails, (int, x))
{
    return x % 2 ? (filch_raise(x, "%d is odd", x), 0) : x;
}

FILCH_FUNCTION(int, first_waits, (int, x))
{
    if (x == 0) {
        while (!atomic_load(&gate)) {
            filch_yield();
        }
    }
    return x;
}

FILCH_FUNCTION(void, counts, (int, by))
{
    atomic_fetch_add(&ran, by);
}

/* ---- generators ---- */

struct counter {
    int next;
    int end;
    filch_status ended; /* what it answers then */
    int asked;
};

static filch_status count(void *context, square_args *arguments)
{
    struct counter *counter = context;
    counter->asked++;
    if (counter->next == counter->end) {
        return counter->ended;
    }
    arguments->x = counter->next++;
    return FILCH_OK;
}

static filch_status count_odd_fails(void *context, odd_fails_args *arguments)
{
    square_args square_arguments = {0};
    filch_status status = count(context, &square_arguments);
    arguments->x = square_arguments.x;
    return status;
}

START_TEST(results_come_in_order)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = 500 };
    for (size_t chunk = 0; chunk < 4; chunk++) {
        struct counter counter = {0, N, FILCH_END, 0};
        filch_imap_options options = {.chunksize = chunk * chunk, .at_once = chunk * 7};
        filch_iterator *it;
        filch_error error;
        int value;
        ck_assert_int_eq(square_imap_from(pool, count, &counter, &options, &it), FILCH_OK);
        for (int i = 0; i < N; i++) {
            ck_assert_int_eq(square_imap_next(it, &value), FILCH_OK);
            ck_assert_int_eq(value, i * i);
            ck_assert_int_eq(filch_iterator_error(it, &error), FILCH_OK);
            ck_assert_uint_eq(error.index, (size_t)i);
            ck_assert_int_eq(error.status, FILCH_OK);
        }
        ck_assert_int_eq(square_imap_next(it, &value), FILCH_END);
        ck_assert_int_eq(square_imap_next_until(it, filch_in(0), &value), FILCH_END);
        filch_iterator_free(it);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(unordered_results_come_each_once)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = 500 };
    int xs[N];
    bool seen[N] = {false};
    filch_iterator *it;
    int value;
    int items = 0;
    for (int i = 0; i < N; i++) {
        xs[i] = i;
    }
    filch_imap_options options = {.chunksize = 3};
    ck_assert_int_eq(odd_fails_imap_unordered(pool, xs, N, &options, &it), FILCH_OK);
    filch_status status;
    while ((status = odd_fails_imap_next(it, &value)) != FILCH_END) {
        filch_error error;
        filch_iterator_error(it, &error);
        ck_assert(!seen[error.index]);
        seen[error.index] = true;
        ck_assert_int_eq(status, error.index % 2 ? FILCH_ERAISED : FILCH_OK);
        ck_assert(status != FILCH_OK || value == (int)error.index);
        items++;
    }
    ck_assert_int_eq(items, N);
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

START_TEST(unordered_results_overtake_a_slow_one)
{
    filch_pool *pool = pool_opened(_i);
    int xs[10];
    filch_iterator *it;
    int value = 0;
    for (int i = 0; i < 10; i++) {
        xs[i] = i;
    }
    atomic_store(&gate, 0);
    filch_imap_options options = {.at_once = 4};
    ck_assert_int_eq(first_waits_imap_unordered(pool, xs, 10, &options, &it), FILCH_OK);
    for (int i = 1; i < 10; i++) {
        ck_assert_int_eq(first_waits_imap_next(it, &value), FILCH_OK);
        ck_assert_int_ne(value, 0);
    }
    ck_assert_int_eq(first_waits_imap_next_until(it, filch_in(0.01), &value), FILCH_ETIMEDOUT);
    atomic_store(&gate, 1);
    ck_assert_int_eq(first_waits_imap_next(it, &value), FILCH_OK);
    ck_assert_int_eq(value, 0);
    ck_assert_int_eq(first_waits_imap_next(it, &value), FILCH_END);
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

START_TEST(no_more_is_taken_from_the_source_than_may_be_at_once)
{
    filch_pool *pool = pool_opened(_i);
    struct counter endless = {0, -1, FILCH_END, 0};
    filch_imap_options options = {.at_once = 5};
    filch_iterator *it;
    int value;
    ck_assert_int_eq(square_imap_from(pool, count, &endless, &options, &it), FILCH_OK);
    ck_assert_int_eq(endless.asked, 5);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(square_imap_next(it, &value), FILCH_OK);
        ck_assert_int_le(endless.asked, i + 1 + 5);
    }
    filch_iterator_free(it); /* abandoned */
    int asked = endless.asked;
    pool_closed(pool);
    ck_assert_int_eq(endless.asked, asked);
}
END_TEST

START_TEST(an_item_that_fails_does_not_lose_the_rest)
{
    filch_pool *pool = pool_opened(_i);
    struct counter counter = {0, 20, FILCH_END, 0};
    filch_imap_options options = {.chunksize = 4};
    filch_iterator *it;
    filch_error error;
    ck_assert_int_eq(odd_fails_imap_from(pool, count_odd_fails, &counter, &options, &it), FILCH_OK);
    for (int i = 0; i < 20; i++) {
        int value = -7;
        ck_assert_int_eq(odd_fails_imap_next(it, &value), i % 2 ? FILCH_ERAISED : FILCH_OK);
        ck_assert_int_eq(value, i % 2 ? -7 : i);
        filch_iterator_error(it, &error);
        ck_assert_int_eq(error.code, i % 2 ? i : 0);
        ck_assert_uint_eq(error.index, (size_t)i);
    }
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

enum { RETURNS, SLEEPS, RAISES };

FILCH_FUNCTION(int, stays, (int, how))
{
    if (how == RETURNS || filch_sleep(1000) != FILCH_ECANCELED) {
        return how;
    }
    return how == RAISES ? filch_raise(how, "told to stop") : how;
}

START_TEST(an_item_that_runs_too_long_is_asked_to_stop)
{
    filch_pool *pool = pool_opened(_i);
    static const int hows[] = {RETURNS, SLEEPS, RETURNS, RAISES, RETURNS, SLEEPS};
    static const filch_status ends[] = {FILCH_OK, FILCH_ECANCELED, FILCH_ERAISED};
    for (size_t chunk = 1; chunk <= 2; chunk++) {
        filch_iterator *it;
        const filch_imap_options options = {.item_seconds = 0.2, .chunksize = chunk};
        ck_assert_int_eq(stays_imap(pool, hows, 6, &options, &it), FILCH_OK);
        for (size_t i = 0; i < 6; i++) {
            int value = -7;
            filch_error error;
            ck_assert_int_eq(stays_imap_next(it, &value), ends[hows[i]]);
            ck_assert_uint_eq(filch_iterator_index(it), i);
            ck_assert_int_eq(filch_iterator_error(it, &error), FILCH_OK);
            ck_assert_int_eq(error.status, hows[i] == SLEEPS ? FILCH_ETIMEDOUT : ends[hows[i]]);
            ck_assert_int_eq(value, hows[i] == RETURNS ? RETURNS : -7);
        }
        filch_iterator_free(it);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(unordered_items_tell_their_places)
{
    filch_pool *pool = pool_opened(_i);
    struct counter counter = {0, 100, FILCH_END, 0};
    filch_iterator *it;
    int value;
    ck_assert_uint_eq(filch_iterator_index(NULL), FILCH_NO_INDEX);
    ck_assert_int_eq(square_imap_unordered_from(pool, count, &counter, NULL, &it), FILCH_OK);
    ck_assert_uint_eq(filch_iterator_index(it), FILCH_NO_INDEX);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(square_imap_next(it, &value), FILCH_OK);
        int place = (int)filch_iterator_index(it);
        ck_assert_int_eq(value, place * place);
    }
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

START_TEST(items_that_all_were_cut_short_are_no_time_outs_of_theirs)
{
    filch_pool *pool = pool_opened(_i);
    static const int hows[] = {SLEEPS, SLEEPS};
    const filch_imap_options options = {.item_seconds = 1000};
    filch_iterator *it;
    filch_error error;
    int value = -7;
    ck_assert_int_eq(stays_imap(FILCH_ON(pool, .until = filch_in(0.02)), hows, 2, &options, &it),
                     FILCH_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(stays_imap_next(it, &value), FILCH_ECANCELED);
        ck_assert_int_eq(filch_iterator_error(it, &error), FILCH_OK);
        ck_assert_int_eq(error.status, FILCH_ECANCELED);
    }
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

START_TEST(items_that_have_not_begun_by_a_deadline_never_do)
{
    filch_pool *pool = pool_opened(_i);
    struct counter counter = {0, 20, FILCH_END, 0};
    filch_iterator *it;
    int value = -7;
    ck_assert_int_eq(
        square_imap_from(FILCH_ON(pool, .until = filch_in(0)), count, &counter, NULL, &it),
        FILCH_OK);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(square_imap_next(it, &value), FILCH_ECANCELED);
    }
    ck_assert_int_eq(square_imap_next(it, &value), FILCH_END);
    ck_assert_int_eq(value, -7);
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

START_TEST(an_error_of_the_source_comes_in_its_place)
{
    filch_pool *pool = pool_opened(_i);
    struct counter counter = {0, 7, FILCH_EBUSY, 0};
    filch_imap_options options = {.chunksize = 3};
    filch_iterator *it;
    int value;
    ck_assert_int_eq(square_imap_from(pool, count, &counter, &options, &it), FILCH_OK);
    for (int i = 0; i < 7; i++) {
        ck_assert_int_eq(square_imap_next(it, &value), FILCH_OK);
        ck_assert_int_eq(value, i * i);
    }
    ck_assert_int_eq(square_imap_next(it, &value), FILCH_EBUSY);
    ck_assert_int_eq(square_imap_next(it, &value), FILCH_EBUSY);
    ck_assert_int_eq(counter.asked, 8);
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, counts_and_waits, (int, x))
{
    atomic_fetch_add(&ran, 1);
    while (!atomic_load(&gate)) {
        filch_yield();
    }
    return x;
}

START_TEST(of_a_chunk_that_runs_when_it_is_abandoned_no_more_items_begin)
{
    int xs[10] = {0};
    const filch_imap_options options = {.chunksize = 10};
    for (int unordered = 0; unordered < 2; unordered++) {
        filch_pool *pool = pool_opened(_i);
        filch_iterator *it;
        atomic_store(&ran, 0);
        atomic_store(&gate, 0);
        ck_assert_int_eq(unordered ? counts_and_waits_imap_unordered(pool, xs, 10, &options, &it)
                                   : counts_and_waits_imap(pool, xs, 10, &options, &it),
                         FILCH_OK);
        await(&ran, 1);
        filch_iterator_free(it);
        atomic_store(&gate, 1);
        pool_closed(pool);
        ck_assert_int_eq(ran, 1);
    }
}
END_TEST

FILCH_FUNCTION(int, holds_its_worker, (int, x))
{
    atomic_fetch_add(&ran, 1);
    await(&gate, 1);
    return x;
}

START_TEST(items_that_were_not_begun_are_cancelled_with_the_pool)
{
    filch_pool *pool = pool_opened(0);
    int xs[4] = {7, 7, 7, 7};
    filch_iterator *it;
    int value = 0;
    atomic_store(&ran, 0);
    atomic_store(&gate, 0);
    ck_assert_int_eq(holds_its_worker_imap(pool, xs, 4, NULL, &it), FILCH_OK);
    await(&ran, 1);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    atomic_store(&gate, 1);
    ck_assert_int_eq(holds_its_worker_imap_next(it, &value), FILCH_OK);
    for (int i = 1; i < 4; i++) {
        ck_assert_int_eq(holds_its_worker_imap_next(it, &value), FILCH_ECANCELED);
    }
    ck_assert_int_eq(ran, 1);
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

static void cannot_start(void *context, unsigned worker)
{
    (void)context;
    filch_raise(71, "worker %u", worker);
}

START_TEST(items_tell_that_no_worker_could_start)
{
    filch_pool *pool =
        pool_opened_with(&(filch_pool_options){.processes = 1, .start = cannot_start});
    int x = 1;
    filch_iterator *it;
    filch_error error;
    int value;
    ck_assert_int_eq(square_imap(pool, &x, 1, NULL, &it), FILCH_OK);
    ck_assert_int_eq(square_imap_next(it, &value), FILCH_EBROKEN);
    ck_assert_int_eq(filch_iterator_error(it, &error), FILCH_OK);
    ck_assert_int_eq(error.status, FILCH_EBROKEN);
    ck_assert_int_eq(error.code, 71);
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

START_TEST(the_next_item_can_be_waited_for_with_a_time_out)
{
    filch_pool *pool = pool_opened(_i);
    int xs[3] = {0, 1, 2};
    filch_iterator *it;
    int value = -1;
    atomic_store(&gate, 0);
    ck_assert_int_eq(first_waits_imap(pool, xs, 3, NULL, &it), FILCH_OK);
    ck_assert_int_eq(first_waits_imap_next_until(it, filch_in(0), &value), FILCH_ETIMEDOUT);
    ck_assert_int_eq(first_waits_imap_next_until(it, filch_in(0.01), &value), FILCH_ETIMEDOUT);
    ck_assert_int_eq(value, -1);
    atomic_store(&gate, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(first_waits_imap_next_until(it, filch_in(100), &value), FILCH_OK);
        ck_assert_int_eq(value, i);
    }
    ck_assert_int_eq(first_waits_imap_next_until(it, filch_in(100), &value), FILCH_END);
    filch_iterator_free(it);
    pool_closed(pool);
}
END_TEST

START_TEST(closing_lets_the_window_come_and_terminating_cancels_it)
{
    for (int terminated = 0; terminated < 2; terminated++) {
        filch_pool *pool = pool_opened(_i);
        struct counter endless = {0, -1, FILCH_END, 0};
        filch_imap_options options = {.at_once = 6};
        filch_iterator *it;
        filch_status status = FILCH_OK;
        int value;
        int items = 0;
        ck_assert_int_eq(square_imap_from(pool, count, &endless, &options, &it), FILCH_OK);
        ck_assert_int_eq(terminated ? filch_pool_terminate(pool) : filch_pool_close(pool),
                         FILCH_OK);
        while (status != FILCH_ECLOSED) {
            status = square_imap_next(it, &value);
            ck_assert(status == FILCH_OK || status == FILCH_ECLOSED ||
                      (terminated && status == FILCH_ECANCELED));
            items += status != FILCH_ECLOSED;
        }
        ck_assert_int_eq(items, 6);
        filch_iterator_free(it);
        pool_closed(pool);
    }
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    filch_pool *pool = pool_opened(1);
    filch_iterator *it = NULL;
    int x = 1;
    long long wrong;
    filch_imap_options huge = {.chunksize = SIZE_MAX};
    filch_imap_options far = {.at_once = SIZE_MAX};
    struct counter counter = {0, 3, FILCH_END, 0};
    ck_assert_int_eq(square_imap(pool, NULL, 1, NULL, &it), FILCH_EINVAL);
    ck_assert_int_eq(square_imap_from(pool, NULL, NULL, NULL, &it), FILCH_EINVAL);
    ck_assert_int_eq(filch_imap(pool, NULL, NULL, NULL, &it), FILCH_EINVAL);
    ck_assert_int_eq(square_imap(pool, &x, 1, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(square_imap_from(pool, count, &counter, &huge, &it), FILCH_EOVERFLOW);
    ck_assert_int_eq(square_imap_from(pool, count, &counter, &far, &it), FILCH_EOVERFLOW);
    ck_assert_ptr_null(it);
    ck_assert_int_eq(square_imap(pool, NULL, 0, NULL, &it), FILCH_OK);
    ck_assert_int_eq(filch_iterator_next(it, &wrong, sizeof wrong), FILCH_EINVAL);
    ck_assert_int_eq(filch_iterator_next(it, NULL, sizeof x), FILCH_EINVAL);
    ck_assert_int_eq(filch_iterator_next(NULL, &x, sizeof x), FILCH_EINVAL);
    ck_assert_int_eq(filch_iterator_error(it, NULL), FILCH_EINVAL);
    ck_assert_int_eq(square_imap_next(it, &x), FILCH_END);
    filch_iterator_free(it);
    filch_iterator_free(NULL);
    pool_closed(pool);
}
END_TEST

START_TEST(without_memory_the_iteration_ends_and_leaks_nothing)
{
    filch_pool *pool = pool_opened(1);
    for (int unordered = 0; unordered < 2; unordered++) {
        for (long call = 1; call < 30; call++) {
            struct counter counter = {0, 10, FILCH_END, 0};
            filch_iterator *it = NULL;
            int value;
            fail_call(call);
            filch_status status = unordered
                                      ? square_imap_unordered_from(pool, count, &counter, NULL, &it)
                                      : square_imap_from(pool, count, &counter, NULL, &it);
            ck_assert(status == FILCH_OK || status == FILCH_ENOMEM);
            ck_assert_int_eq(status == FILCH_OK, it != NULL);
            int items = 0;
            while (it && (status = square_imap_next(it, &value)) == FILCH_OK) {
                items++;
            }
            ck_assert(!it || status == FILCH_ENOMEM || status == FILCH_EAGAIN ||
                      (status == FILCH_END && items == 10));
            fail_call(0);
            filch_iterator_free(it);
        }
    }
    pool_closed(pool);
}
END_TEST

/* ---- maps from elsewhere ---- */

struct particle {
    char name[5];
    int mass;
    long speed;
    long momentum;
};

START_TEST(fields_of_structs_are_mapped_in_place)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = 1000 };
    struct particle *p = calloc(N, sizeof *p);
    for (int i = 0; i < N; i++) {
        p[i].mass = i;
        p[i].speed = 3;
    }
    ck_assert_int_eq(product_map_strided(pool, &p[0].mass, sizeof *p, &p[0].speed, sizeof *p, N,
                                         &p[0].momentum, sizeof *p),
                     FILCH_OK);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(p[i].momentum, 3L * i);
    }
    const long same = 5; /* the same argument each time, and backwards */
    ck_assert_int_eq(product_map_strided(pool, &p[N - 1].mass, -(ptrdiff_t)sizeof *p, &same, 0, N,
                                         &p[0].momentum, sizeof *p),
                     FILCH_OK);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(p[i].momentum, 5L * (N - 1 - i));
    }
    ck_assert_int_eq(product_map_strided(pool, NULL, 4, &same, 0, N, &p[0].momentum, 8),
                     FILCH_EINVAL);
    atomic_store(&ran, 0);
    const int one = 1;
    ck_assert_int_eq(counts_map_strided(pool, &one, 0, N), FILCH_OK);
    ck_assert_int_eq(ran, N);
    free(p);
    pool_closed(pool);
}
END_TEST

static void fill_products(void *context, size_t i, product_args *arguments)
{
    const int *offset = context;
    arguments->x = (int)i + *offset;
    arguments->y = (long)i;
}

START_TEST(arguments_can_be_computed_and_ranges_need_no_array)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = 10000 };
    long *out = malloc(N * sizeof *out);
    int *squares = malloc(N * sizeof *squares);
    int offset = 2;
    ck_assert_int_eq(product_map_from(pool, fill_products, &offset, N, out), FILCH_OK);
    ck_assert_int_eq(square_map_range(pool, 10, -2, N, squares), FILCH_OK);
    for (long i = 0; i < N; i++) {
        ck_assert_int_eq(out[i], (i + 2) * i);
        ck_assert_int_eq(squares[i], (10 - 2 * i) * (10 - 2 * i));
    }
    ck_assert_int_eq(product_map_from(pool, NULL, NULL, N, out), FILCH_EINVAL);
    free(out);
    free(squares);
    pool_closed(pool);
}
END_TEST

START_TEST(a_progress_bar_shows_counts_and_is_silent_elsewhere)
{
    filch_pool *pool = pool_opened(1);
    FILE *stream = tmpfile();
    char text[4000] = "";
    filch_progress_bar bar = {.label = "squares", .stream = stream};
    filch_options options = {.progress = filch_progress_bar_show, .progress_context = &bar};
    int xs[300] = {0};
    int out[300];
    ck_assert_int_eq(square_map(filch_on(pool, &options), xs, 300, out), FILCH_OK);
    ck_assert_int_eq(ftell(stream), 0); /* not a terminal */
    bar = (filch_progress_bar){.label = "squares", .stream = stream, .always = 1};
    ck_assert_int_eq(square_map(filch_on(pool, &options), xs, 300, out), FILCH_OK);
    rewind(stream);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, stream), 0);
    ck_assert(strstr(text, "\rsquares   0% |                        | 0/300"));
    ck_assert(strstr(text, "\rsquares 100% |########################| 300/300"));
    ck_assert(strstr(text, "\n"));
    fclose(stream);
    filch_progress_bar_show(NULL, 1, 2);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("imap");
    TCase *tcase = tcase_create("imap");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, results_come_in_order, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, unordered_results_come_each_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, unordered_results_overtake_a_slow_one, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, no_more_is_taken_from_the_source_than_may_be_at_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_item_that_fails_does_not_lose_the_rest, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_item_that_runs_too_long_is_asked_to_stop, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, unordered_items_tell_their_places, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, items_that_all_were_cut_short_are_no_time_outs_of_theirs, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, items_that_have_not_begun_by_a_deadline_never_do, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_of_the_source_comes_in_its_place, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, of_a_chunk_that_runs_when_it_is_abandoned_no_more_items_begin, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, items_that_were_not_begun_are_cancelled_with_the_pool);
    tcase_add_test(tcase, items_tell_that_no_worker_could_start);
    tcase_add_loop_test(tcase, the_next_item_can_be_waited_for_with_a_time_out, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, closing_lets_the_window_come_and_terminating_cancels_it, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, bad_arguments_are_refused);
    tcase_add_test(tcase, without_memory_the_iteration_ends_and_leaks_nothing);
    tcase_add_loop_test(tcase, fields_of_structs_are_mapped_in_place, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, arguments_can_be_computed_and_ranges_need_no_array, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_progress_bar_shows_counts_and_is_silent_elsewhere);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
