/* Pipelines: serial stages in order, parallel ones at once, and no item lost. */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>

struct item {
    int number;
    int value;
    int *owned;
};

struct input {
    int next;
    int end;
    filch_status answer;
    atomic_int asking;
    bool wrong;
    atomic_int alive;
    int most_alive;
};

static filch_status read_item(void *context, void *memory)
{
    struct input *input = context;
    struct item *item = memory;
    input->wrong |= atomic_fetch_add(&input->asking, 1) != 0;
    input->wrong |= item->value != 0 || item->owned;
    filch_status answer = input->next == input->end ? input->answer : FILCH_OK;
    if (answer == FILCH_OK) {
        item->number = input->next++;
        item->owned = malloc(sizeof *item->owned);
        int alive = atomic_fetch_add(&input->alive, 1) + 1;
        input->most_alive = alive > input->most_alive ? alive : input->most_alive;
    }
    atomic_fetch_sub(&input->asking, 1);
    return answer;
}

static void square(void *context, void *memory)
{
    struct item *item = memory;
    (void)context;
    if (item->number % 7 == 3) {
        filch_sleep(1e-4);
    }
    item->value = item->number * item->number;
    *item->owned = item->value;
}

struct output {
    int next;
    atomic_int inside;
    bool wrong;
    struct input *input;
};

static void write_item(void *context, void *memory)
{
    struct output *output = context;
    struct item *item = memory;
    output->wrong |= atomic_fetch_add(&output->inside, 1) != 0;
    output->wrong |= item->number != output->next || item->value != item->number * item->number ||
                     *item->owned != item->value;
    if (item->number % 5 == 2) {
        filch_yield();
    }
    output->next++;
    free(item->owned);
    atomic_fetch_sub(&output->input->alive, 1);
    atomic_fetch_sub(&output->inside, 1);
}

static void drop_item(void *context, void *memory)
{
    struct input *input = context;
    struct item *item = memory;
    free(item->owned);
    atomic_fetch_sub(&input->alive, 1);
}

static void nothing(void *context, void *memory)
{
    (void)context;
    (void)memory;
}

START_TEST(items_come_out_in_order)
{
    filch_pool *pool = pool_opened(_i);
    static const size_t tokens[] = {0, 1, 2, 5, 100};
    for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++) {
        struct input input = {.end = 1000, .answer = FILCH_END};
        struct output output = {.input = &input};
        const filch_stage stages[] = {{FILCH_STAGE_PARALLEL, square, NULL},
                                      {FILCH_STAGE_SERIAL, nothing, NULL},
                                      {FILCH_STAGE_PARALLEL, nothing, NULL},
                                      {FILCH_STAGE_SERIAL, write_item, &output}};
        const filch_pipeline_options options = {.tokens = tokens[t]};
        ck_assert_int_eq(
            filch_pipeline(pool, read_item, &input, sizeof(struct item), stages, 4, &options),
            FILCH_OK);
        ck_assert_int_eq(output.next, 1000);
        ck_assert(!output.wrong);
        ck_assert(!input.wrong);
        ck_assert_int_eq(input.alive, 0);
        ck_assert(!tokens[t] || input.most_alive <= (int)tokens[t]);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(no_items_are_no_work)
{
    filch_pool *pool = pool_opened(_i);
    struct input input = {.end = 0, .answer = FILCH_END};
    const filch_stage stage = {FILCH_STAGE_PARALLEL, square, NULL};
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, sizeof(struct item), &stage, 1, NULL),
                     FILCH_OK);
    pool_closed(pool);
}
END_TEST

static void fails_at_50(void *context, void *memory)
{
    const struct item *item = memory;
    (void)context;
    if (item->number == 50) {
        filch_raise(EIO, "item %d", item->number);
    }
}

START_TEST(an_error_stops_it_and_items_under_way_are_dropped)
{
    filch_pool *pool = pool_opened(_i);
    for (int at = 0; at < 2; at++) {
        struct input input = {.end = 100000, .answer = FILCH_END};
        struct output output = {.input = &input};
        filch_error error;
        const filch_stage stages[] = {
            {at ? FILCH_STAGE_SERIAL : FILCH_STAGE_PARALLEL, square, NULL},
            {at ? FILCH_STAGE_SERIAL : FILCH_STAGE_PARALLEL, fails_at_50, NULL},
            {FILCH_STAGE_SERIAL, write_item, &output}};
        const filch_pipeline_options options = {
            .error = &error, .drop = drop_item, .drop_context = &input};
        ck_assert_int_eq(
            filch_pipeline(pool, read_item, &input, sizeof(struct item), stages, 3, &options),
            FILCH_ERAISED);
        ck_assert_int_eq(error.code, EIO);
        ck_assert_uint_eq(error.index, 50);
        ck_assert_int_le(output.next, 50);
        ck_assert(!output.wrong);
        ck_assert_int_lt(input.next, 1000);
        ck_assert_int_eq(input.alive, 0);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(what_the_source_answers_is_the_outcome)
{
    filch_pool *pool = pool_opened(_i);
    struct input input = {.end = 20, .answer = FILCH_EBUSY};
    struct output output = {.input = &input};
    const filch_stage stages[] = {{FILCH_STAGE_PARALLEL, square, NULL},
                                  {FILCH_STAGE_SERIAL, write_item, &output}};
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, sizeof(struct item), stages, 2, NULL),
                     FILCH_EBUSY);
    ck_assert_int_eq(output.next, 20); /* those before it came through */
    ck_assert_int_eq(input.alive, 0);
    pool_closed(pool);
}
END_TEST

static filch_future *_Atomic pipeline_task;

static void cancels_at_10(void *context, void *memory)
{
    const struct item *item = memory;
    (void)context;
    if (item->number == 10) {
        while (!atomic_load(&pipeline_task)) {
            filch_yield();
        }
        filch_future_cancel(atomic_load(&pipeline_task));
    }
}

FILCH_FUNCTION(int, endless_pipeline, (filch_pool *, pool), (struct input *, input))
{
    const filch_stage stages[] = {{FILCH_STAGE_PARALLEL, cancels_at_10, NULL},
                                  {FILCH_STAGE_SERIAL, drop_item, input}};
    const filch_pipeline_options options = {.drop = drop_item, .drop_context = input};
    return (int)filch_pipeline(pool, read_item, input, sizeof(struct item), stages, 2, &options);
}

START_TEST(a_cancelled_task_stops_its_pipeline)
{
    filch_pool *pool = pool_opened(_i);
    struct input input = {.end = -1, .answer = FILCH_END};
    filch_future *future;
    int status = 0;
    atomic_store(&pipeline_task, NULL);
    ck_assert_int_eq(endless_pipeline_apply_async(pool, pool, &input, &future), FILCH_OK);
    atomic_store(&pipeline_task, future);
    ck_assert_int_eq(endless_pipeline_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_ECANCELED);
    ck_assert_int_eq(input.alive, 0);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* ---- whatever happens, an item gets through, or is dropped once ---- */

enum { ITEMS = 60, STAGES = 3 };

enum trouble {
    ONE_RAISES,
    ALL_FROM_THERE_RAISE,
    GROUP_CANCELLED,
    POOL_TERMINATED,
    SOURCE_RAISES_AND_GIVES,
    SOURCE_RAISES_AND_ENDS,
    SOURCE_FAILS,
    TROUBLES
};

struct belt {
    enum trouble trouble;
    int at_item;
    int at_stage;
    filch_pool *pool;
    filch_group *group;
    int produced;
    atomic_int through[ITEMS]; /* the last stage has returned, and it had not raised */
    atomic_int dropped[ITEMS];
    atomic_int late; /* stages that came after a drop */
};

struct station {
    struct belt *belt;
    int index;
};

static filch_status produce(void *context, void *memory)
{
    struct belt *belt = context;
    bool here = belt->produced == belt->at_item;
    if (belt->produced == ITEMS || (here && belt->trouble == SOURCE_FAILS)) {
        return here ? FILCH_EBUSY : FILCH_END;
    }
    if (here &&
        (belt->trouble == SOURCE_RAISES_AND_GIVES || belt->trouble == SOURCE_RAISES_AND_ENDS)) {
        filch_raise(3, "the source");
        if (belt->trouble == SOURCE_RAISES_AND_ENDS) {
            return FILCH_END;
        }
    }
    *(int *)memory = belt->produced++;
    return FILCH_OK;
}

static void work(void *context, void *memory)
{
    const struct station *station = context;
    struct belt *belt = station->belt;
    int number = *(int *)memory;
    bool here = station->index == belt->at_stage;
    atomic_fetch_add(&belt->late, belt->dropped[number] != 0);
    if (number % 7 == station->index) {
        filch_yield();
    }
    if (here && (number == belt->at_item ||
                 (number > belt->at_item && belt->trouble == ALL_FROM_THERE_RAISE))) {
        switch (belt->trouble) {
        case GROUP_CANCELLED: filch_group_cancel(belt->group); break;
        case POOL_TERMINATED: filch_pool_terminate(belt->pool); break;
        case ONE_RAISES:
        case ALL_FROM_THERE_RAISE: filch_raise(4, "item %d", number); return;
        default: break;
        }
    }
    atomic_fetch_add(&belt->through[number], station->index == STAGES - 1);
}

static void drop_from_belt(void *context, void *memory)
{
    struct belt *belt = context;
    atomic_fetch_add(&belt->dropped[*(int *)memory], 1);
}

static filch_status wanted_status(enum trouble trouble)
{
    switch (trouble) {
    case GROUP_CANCELLED:
    case POOL_TERMINATED: return FILCH_ECANCELED;
    case SOURCE_FAILS: return FILCH_EBUSY;
    default: return FILCH_ERAISED;
    }
}

/* kinds: a bit for each stage: serial. */
static void run_belt(struct belt *belt, unsigned kinds, size_t tokens)
{
    filch_status status;
    filch_status closed;
    struct station stations[STAGES];
    filch_stage stages[STAGES];
    for (int s = 0; s < STAGES; s++) {
        stations[s] = (struct station){belt, s};
        stages[s] = (filch_stage){kinds >> s & 1 ? FILCH_STAGE_SERIAL : FILCH_STAGE_PARALLEL, work,
                                  &stations[s]};
    }
    const filch_pipeline_options options = {
        .tokens = tokens, .drop = drop_from_belt, .drop_context = belt};
    FILCH_WITH_GROUP(group, belt->pool, NULL, &closed) {
        belt->group = group;
        status = filch_pipeline(belt->pool, produce, belt, sizeof(int), stages, STAGES, &options);
        bool over = belt->produced == ITEMS && status == FILCH_OK; /* it was too late to stop */
        check_int_eq(over || status == wanted_status(belt->trouble), true);
    }
    for (int i = 0; i < ITEMS; i++) {
        check_int_eq(belt->through[i] + belt->dropped[i], i < belt->produced);
    }
    check_int_eq(belt->late, 0);
}

static void check_trouble(enum trouble trouble, filch_pool *pool)
{
    static const int items[] = {0, 1, ITEMS / 2, ITEMS - 1};
    for (unsigned kinds = 0; kinds < 1u << STAGES; kinds++) {
        for (int stage = 0; stage < (trouble < SOURCE_RAISES_AND_GIVES ? STAGES : 1); stage++) {
            for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
                struct belt belt = {
                    .trouble = trouble, .at_item = items[i], .at_stage = stage, .pool = pool};
                run_belt(&belt, kinds, (kinds + i) % 3 * 3);
            }
        }
    }
}

START_TEST(each_item_gets_through_all_stages_or_is_dropped_once)
{
    filch_pool *pool = pool_opened(_i);
    for (int trouble = 0; trouble < TROUBLES; trouble++) {
        if (trouble != POOL_TERMINATED) {
            check_trouble((enum trouble)trouble, pool);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(so_it_does_when_the_pool_is_terminated)
{
    for (int run = 0; run < 24; run++) {
        struct belt belt = {.trouble = POOL_TERMINATED,
                            .at_item = run % 4 * 10,
                            .at_stage = run % STAGES,
                            .pool = pool_opened(_i)};
        run_belt(&belt, (unsigned)run % (1u << STAGES), (size_t)run % 5);
        pool_closed(belt.pool);
    }
}
END_TEST

static void terminates_at_10(void *context, void *memory)
{
    if (((struct item *)memory)->number == 10) {
        filch_pool_terminate(context);
    }
}

START_TEST(a_terminated_pool_stops_its_pipelines)
{
    filch_pool *pool = pool_opened(_i);
    struct input endless = {.end = -1, .answer = FILCH_END};
    const filch_stage stages[] = {{FILCH_STAGE_PARALLEL, terminates_at_10, pool},
                                  {FILCH_STAGE_SERIAL, drop_item, &endless}};
    const filch_pipeline_options options = {.drop = drop_item, .drop_context = &endless};
    ck_assert_int_eq(
        filch_pipeline(pool, read_item, &endless, sizeof(struct item), stages, 2, &options),
        FILCH_ECANCELED);
    ck_assert_int_eq(endless.alive, 0);
    pool_closed(pool);
}
END_TEST

static atomic_int at_once;

static void both_raise(void *context, void *memory)
{
    int number = ((struct item *)memory)->number;
    const int *first = context;
    atomic_fetch_add(&at_once, 1);
    while (atomic_load(&at_once) < (number == *first ? 2 : 3)) {
        filch_sleep(1e-4);
    }
    filch_raise(50 + number, "item %d", number);
    atomic_fetch_add(&at_once, 1);
}

START_TEST(of_several_errors_that_of_the_first_item_is_told)
{
    filch_pool *pool = pool_opened(_i);
    for (int first = 0; first < 2; first++) { /* whichever comes first */
        struct input input = {.end = 2, .answer = FILCH_END};
        const filch_stage stage = {FILCH_STAGE_PARALLEL, both_raise, &first};
        filch_error error;
        const filch_pipeline_options options = {
            .tokens = 2, .error = &error, .drop = drop_item, .drop_context = &input};
        atomic_store(&at_once, 0);
        ck_assert_int_eq(
            filch_pipeline(pool, read_item, &input, sizeof(struct item), &stage, 1, &options),
            FILCH_ERAISED);
        ck_assert_int_eq(error.code, 50);
        ck_assert_uint_eq(error.index, 0);
        ck_assert_int_eq(input.alive, 0);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    filch_pool *pool = pool_opened(1);
    struct input input = {.end = 1, .answer = FILCH_END};
    const filch_stage good = {FILCH_STAGE_PARALLEL, nothing, NULL};
    const filch_stage no_function = {FILCH_STAGE_SERIAL, NULL, NULL};
    const filch_stage no_kind = {(filch_stage_kind)5, nothing, NULL};
    const filch_pipeline_options many = {.tokens = SIZE_MAX};
    ck_assert_int_eq(filch_pipeline(pool, NULL, NULL, 8, &good, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 0, &good, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, NULL, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, &good, 0, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, &no_function, 1, NULL),
                     FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, &no_kind, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 64, &good, 1, &many), FILCH_ENOMEM);
    ck_assert_int_eq(input.next, 0);
    pool_closed(pool);
}
END_TEST

START_TEST(without_memory_it_does_not_begin_or_comes_to_its_end)
{
    filch_pool *pool = pool_opened(1);
    for (long call = 1; call < 12; call++) {
        struct input input = {.end = 50, .answer = FILCH_END};
        struct output output = {.input = &input};
        const filch_stage stages[] = {{FILCH_STAGE_PARALLEL, square, NULL},
                                      {FILCH_STAGE_SERIAL, write_item, &output}};
        fail_call(call);
        filch_status status =
            filch_pipeline(pool, read_item, &input, sizeof(struct item), stages, 2, NULL);
        fail_call(0);
        ck_assert(status == FILCH_OK || status == FILCH_ENOMEM);
        ck_assert_int_eq(output.next, status == FILCH_OK ? 50 : 0);
    }
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline");
    TCase *tcase = tcase_create("pipeline");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, items_come_out_in_order, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, no_items_are_no_work, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_stops_it_and_items_under_way_are_dropped, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_the_source_answers_is_the_outcome, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_cancelled_task_stops_its_pipeline, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, each_item_gets_through_all_stages_or_is_dropped_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, so_it_does_when_the_pool_is_terminated, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_terminated_pool_stops_its_pipelines, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, of_several_errors_that_of_the_first_item_is_told, 0, WORKER_SWEEP);
    tcase_add_test(tcase, bad_arguments_are_refused);
    tcase_add_test(tcase, without_memory_it_does_not_begin_or_comes_to_its_end);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
