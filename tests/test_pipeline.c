/* Pipelines: serial stages in order, parallel ones at once, and no item lost. */
#define _GNU_SOURCE /* open_memstream() */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void drop_one(void *context, size_t stage, void *memory)
{
    (void)stage;
    drop_item(context, memory);
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
        const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, square, NULL),
                                      filch_stage_of(FILCH_STAGE_SERIAL, nothing, NULL),
                                      filch_stage_of(FILCH_STAGE_PARALLEL, nothing, NULL),
                                      filch_stage_of(FILCH_STAGE_SERIAL, write_item, &output)};
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
    const filch_stage stage = filch_stage_of(FILCH_STAGE_PARALLEL, square, NULL);
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

START_TEST(an_error_stops_it_and_the_items_before_it_come_to_the_end)
{
    filch_pool *pool = pool_opened(_i);
    for (int at = 0; at < 2; at++) {
        struct input input = {.end = 100000, .answer = FILCH_END};
        struct output output = {.input = &input};
        filch_error error;
        const filch_stage stages[] = {
            filch_stage_of(at ? FILCH_STAGE_SERIAL : FILCH_STAGE_PARALLEL, square, NULL),
            filch_stage_of(at ? FILCH_STAGE_SERIAL : FILCH_STAGE_PARALLEL, fails_at_50, NULL),
            filch_stage_of(FILCH_STAGE_SERIAL, write_item, &output)};
        const filch_pipeline_options options = {.drop = drop_one, .drop_context = &input};
        ck_assert_int_eq(filch_pipeline(FILCH_ON(pool, .error = &error), read_item, &input,
                                        sizeof(struct item), stages, 3, &options),
                         FILCH_ERAISED);
        ck_assert_int_eq(error.code, EIO);
        ck_assert_uint_eq(error.index, 50);
        ck_assert_str_eq(error.function, "pipeline");
        ck_assert_int_eq(output.next, 50);
        ck_assert(!output.wrong);
        ck_assert_int_lt(input.next, 1000);
        ck_assert_int_eq(input.alive, 0);
    }
    pool_closed(pool);
}
END_TEST

/* ---- the items before one that fails ---- */

enum { FAILS = 5 };

struct order {
    atomic_int slow; /* the item that waits for that */
    atomic_int fails_too;
    atomic_int dropped[2 * FAILS];
    int written;
};

/* The item `slow` comes through after FAILS has failed; and may fail then, too. */
static void fails_in_order(void *context, void *memory)
{
    struct order *order = context;
    int number = ((struct item *)memory)->number;
    if (number == order->slow) {
        while (atomic_load(&order->dropped[FAILS]) == 0) {
            filch_sleep(1e-4);
        }
    }
    if (number == FAILS || (number == order->slow && order->fails_too)) {
        filch_raise(100 + number, "item %d", number);
    }
}

static void note_order(void *context, void *memory)
{
    struct order *order = context;
    check_int_eq(((struct item *)memory)->number, order->written);
    order->written++;
    free(((struct item *)memory)->owned);
}

static void drop_order(void *context, size_t stage, void *memory)
{
    struct order *order = context;
    struct item *item = memory;
    check_int_eq(item->number == FAILS && stage != 0, false);
    if (item->number < 2 * FAILS) {
        atomic_fetch_add(&order->dropped[item->number], 1);
    }
    free(item->owned);
}

static filch_error run_order(filch_pool *pool, struct order *order, filch_pipeline_policy policy)
{
    struct input input = {.end = 1000, .answer = FILCH_END};
    filch_error error;
    const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, fails_in_order, order),
                                  filch_stage_of(FILCH_STAGE_SERIAL, note_order, order)};
    const filch_pipeline_options options = {
        .tokens = 4, .drop = drop_order, .drop_context = order, .policy = policy};
    ck_assert_int_eq(filch_pipeline(FILCH_ON(pool, .error = &error), read_item, &input,
                                    sizeof(struct item), stages, 2, &options),
                     FILCH_ERAISED);
    ck_assert_int_lt(input.next, 1000);
    ck_assert_int_eq(order->dropped[FAILS], 1);
    return error;
}

START_TEST(items_before_one_that_failed_come_through_though_they_were_behind_in_time)
{
    filch_pool *pool = pool_opened(_i);
    struct order order = {.slow = FAILS - 2};
    filch_error error = run_order(pool, &order, FILCH_PIPELINE_UP_TO_ERROR);
    ck_assert_int_eq(error.code, 100 + FAILS);
    ck_assert_uint_eq(error.index, FAILS);
    ck_assert_int_eq(order.written, FAILS);
    pool_closed(pool);
}
END_TEST

START_TEST(if_one_of_them_fails_too_it_ends_there)
{
    filch_pool *pool = pool_opened(_i);
    struct order order = {.slow = FAILS - 2, .fails_too = 1};
    filch_error error = run_order(pool, &order, FILCH_PIPELINE_UP_TO_ERROR);
    ck_assert_int_eq(error.code, 100 + FAILS - 2);
    ck_assert_uint_eq(error.index, FAILS - 2);
    ck_assert_int_eq(order.written, FAILS - 2);
    for (int i = FAILS - 2; i <= FAILS; i++) {
        ck_assert_int_eq(order.dropped[i], 1);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(under_the_other_policy_they_are_dropped)
{
    filch_pool *pool = pool_opened(_i);
    struct order order = {.slow = FAILS - 2};
    filch_error error = run_order(pool, &order, FILCH_PIPELINE_DROP);
    ck_assert_int_eq(error.code, 100 + FAILS);
    ck_assert_int_le(order.written, FAILS - 2);
    ck_assert_int_eq(order.dropped[FAILS - 2], 1);
    ck_assert_int_eq(order.dropped[FAILS - 1], 1);
    pool_closed(pool);
}
END_TEST

START_TEST(what_the_source_answers_is_the_outcome)
{
    filch_pool *pool = pool_opened(_i);
    struct input input = {.end = 20, .answer = FILCH_EBUSY};
    struct output output = {.input = &input};
    const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, square, NULL),
                                  filch_stage_of(FILCH_STAGE_SERIAL, write_item, &output)};
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
    const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, cancels_at_10, NULL),
                                  filch_stage_of(FILCH_STAGE_SERIAL, drop_item, input)};
    const filch_pipeline_options options = {.drop = drop_one, .drop_context = input};
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

static void drop_from_belt(void *context, size_t stage, void *memory)
{
    struct belt *belt = context;
    int number = *(int *)memory;
    bool failed = number == belt->at_item && belt->trouble == ONE_RAISES;
    check_int_eq(stage < STAGES && (!failed || (int)stage == belt->at_stage), true);
    atomic_fetch_add(&belt->dropped[number], 1);
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
    filch_status status = FILCH_EINVAL;
    filch_status closed;
    struct station stations[STAGES];
    filch_stage stages[STAGES];
    for (int s = 0; s < STAGES; s++) {
        stations[s] = (struct station){belt, s};
        stages[s] = filch_stage_of(kinds >> s & 1 ? FILCH_STAGE_SERIAL : FILCH_STAGE_PARALLEL, work,
                                   &stations[s]);
    }
    const filch_pipeline_options options = {
        .tokens = tokens, .drop = drop_from_belt, .drop_context = belt};
    FILCH_WITH_GROUP(group, belt->pool, NULL, &closed) {
        belt->group = group;
        status = filch_pipeline(belt->pool, produce, belt, sizeof(int), stages, STAGES, &options);
        bool over = belt->produced == ITEMS && status == FILCH_OK; /* it was too late to stop */
        check_int_eq(over || status == wanted_status(belt->trouble), true);
    }
    bool fails = wanted_status(belt->trouble) == FILCH_ERAISED;
    bool in_order = kinds >> belt->at_stage != 0 || belt->trouble >= SOURCE_RAISES_AND_GIVES;
    for (int i = 0; i < ITEMS; i++) {
        check_int_eq(belt->through[i] + belt->dropped[i], i < belt->produced);
        check_int_eq(status == FILCH_OK && belt->dropped[i], false);
        check_int_eq(fails && i < belt->at_item && belt->dropped[i], false);
        check_int_eq(fails && in_order && i >= belt->at_item && belt->through[i], false);
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
    const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, terminates_at_10, pool),
                                  filch_stage_of(FILCH_STAGE_SERIAL, drop_item, &endless)};
    const filch_pipeline_options options = {.drop = drop_one, .drop_context = &endless};
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
        const filch_stage stage = filch_stage_of(FILCH_STAGE_PARALLEL, both_raise, &first);
        filch_error error;
        const filch_pipeline_options options = {
            .tokens = 2, .drop = drop_one, .drop_context = &input};
        atomic_store(&at_once, 0);
        ck_assert_int_eq(filch_pipeline(FILCH_ON(pool, .error = &error), read_item, &input,
                                        sizeof(struct item), &stage, 1, &options),
                         FILCH_ERAISED);
        ck_assert_int_eq(error.code, 50);
        ck_assert_uint_eq(error.index, 0);
        ck_assert_int_eq(input.alive, 0);
    }
    pool_closed(pool);
}
END_TEST

/* ---- typed stages ---- */

struct digits {
    char text[3]; /* not a multiple of 8: items are of many sizes */
};

typedef struct wide {
    FILCH_ALIGNED(16) double half;
    int number;
} wide;

FILCH_SOURCE(struct digits, count_up, "Numbers from 0 on.", (int *, next), (int, end))
{
    check_int_eq(item->text[0] | item->text[1] | item->text[2], 0);
    item->text[0] = (char)('0' + *next / 10);
    item->text[1] = (char)('0' + *next % 10);
    return (*next)++ < end ? FILCH_OK : FILCH_END;
}

FILCH_STAGE(wide, parse, (struct digits, digits), (int, bad))
{
    wide made = {.number = atoi(digits.text)};
    made.half = made.number / 2.0;
    if (made.number == bad) {
        filch_raise(ERANGE, "%s", digits.text);
    }
    return made;
}

static atomic_int looked;

FILCH_STAGE(void, look, "Lets pass what it sees.", (wide, item))
{
    atomic_fetch_add(&looked, item.number);
    check_int_eq((uintptr_t)&item % 16, 0);
}

FILCH_STAGE(short, halve, (wide, item))
{
    return (short)(2 * item.half);
}

FILCH_STAGE(void, sum, (short, number), (long *, into))
{
    check_int_eq(number >= 0, true);
    *into += number;
}

static void make_odd(void *context, void *memory)
{
    (void)context;
    *(short *)memory |= 1;
}

START_TEST(typed_stages_make_one_type_of_another)
{
    filch_pool *pool = pool_opened(_i);
    for (int odd = 0; odd < 2; odd++) {
        int next = 0;
        long total = 0;
        const filch_stage stages[] = {
            parse_parallel(-1),
            look_parallel(),
            look_serial(),
            halve_parallel(),
            filch_stage_of(FILCH_STAGE_PARALLEL, odd ? make_odd : nothing, NULL),
            sum_serial(&total)};
        atomic_store(&looked, 0);
        ck_assert_int_eq(count_up_pipeline(pool, &next, 100, stages, 6, NULL), FILCH_OK);
        ck_assert_int_eq(total, odd ? 4950 + 50 : 4950);
        ck_assert_int_eq(atomic_load(&looked), 2 * 4950);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(the_functions_of_stages_can_be_called)
{
    struct digits digits = {""};
    int next = 42;
    long total = 0;
    ck_assert_int_eq(count_up(&digits, &next, 43), FILCH_OK);
    wide item = parse(digits, -1);
    ck_assert_int_eq(item.number, 42);
    sum(halve(item), &total);
    ck_assert_int_eq(total, 42);
    memset(&digits, 0, sizeof digits);
    ck_assert_int_eq(count_up(&digits, &next, 43), FILCH_END);
    ck_assert_str_eq(count_up_info.doc, "Numbers from 0 on.");
    ck_assert_str_eq(look_info.doc, "Lets pass what it sees.");
}
END_TEST

struct leftovers {
    atomic_int digits; /* the one that failed was seen as the stage found it */
    atomic_int others;
};

static void drop_typed(void *context, size_t stage, void *item)
{
    struct leftovers *left = context;
    int number = stage == 0   ? atoi(((struct digits *)item)->text)
                 : stage == 1 ? ((wide *)item)->number
                              : *(short *)item;
    check_int_eq(number >= 30, true);
    atomic_fetch_add(&left->digits, number == 30 && stage == 0);
    atomic_fetch_add(&left->others, number != 30);
}

START_TEST(an_error_has_the_name_of_the_users_stage)
{
    filch_pool *pool = pool_opened(_i);
    int next = 0;
    long total = 0;
    struct leftovers left = {0, 0};
    filch_error error;
    const filch_stage stages[] = {parse_parallel(30), halve_parallel(), sum_serial(&total)};
    const filch_pipeline_options options = {.drop = drop_typed, .drop_context = &left};
    ck_assert_int_eq(
        count_up_pipeline(FILCH_ON(pool, .error = &error), &next, 100, stages, 3, &options),
        FILCH_ERAISED);
    ck_assert_int_eq(error.code, ERANGE);
    ck_assert_str_eq(error.message, "30");
    ck_assert_str_eq(error.function, "parse");
    ck_assert_uint_eq(error.index, 30);
    ck_assert_int_eq(total, 29 * 30 / 2);
    ck_assert_int_eq(left.digits, 1);
    ck_assert_int_eq(left.others, next - 31);
    pool_closed(pool);
}
END_TEST

FILCH_SOURCE(int, fails_at_once, (int, code))
{
    (void)item;
    filch_raise(code, "no input");
    return FILCH_END;
}

static void ignore_int(void *context, void *item)
{
    (void)context;
    (void)item;
}

START_TEST(so_it_has_of_the_source)
{
    filch_pool *pool = pool_opened(_i);
    filch_error error;
    const filch_stage stage = filch_stage_of(FILCH_STAGE_SERIAL, ignore_int, NULL);
    ck_assert_int_eq(fails_at_once_pipeline(FILCH_ON(pool, .error = &error), EIO, &stage, 1, NULL),
                     FILCH_ERAISED);
    ck_assert_int_eq(error.code, EIO);
    ck_assert_str_eq(error.function, "fails_at_once");
    pool_closed(pool);
}
END_TEST

static atomic_int log_lines;
static char log_text[1000];

static void keep_log(void *context, filch_log_level level, const char *message)
{
    (void)context;
    atomic_fetch_add(&log_lines, level == FILCH_LOG_ERROR);
    strncpy(log_text, message, sizeof log_text - 1);
}

typedef struct digits same_digits;
struct letters {
    char text[3];
};

FILCH_STAGE(short, of_other_name, (same_digits, digits))
{
    return (short)atoi(digits.text);
}

FILCH_STAGE(short, of_letters, (struct letters, letters))
{
    return letters.text[0];
}

FILCH_STAGE(void, of_bits, (float, bits), (long *, into))
{
    *into += bits < 0;
}

FILCH_STAGE(int, widened, (unsigned short, number))
{
    return number;
}

FILCH_STAGE(void, sum_of_wide, (enum filch_stage_kind, number), (long *, into))
{
    *into += (long)number;
}

START_TEST(another_name_for_a_type_is_the_same_type)
{
    filch_pool *pool = pool_opened(_i);
    int next = 0;
    long total = 0;
    const filch_stage stages[] = {of_other_name_parallel(), widened_parallel(),
                                  sum_of_wide_serial(&total)};
    ck_assert_int_eq(count_up_pipeline(pool, &next, 100, stages, 3, NULL), FILCH_OK);
    ck_assert_int_eq(total, 4950);
    pool_closed(pool);
}
END_TEST

START_TEST(stages_that_do_not_fit_are_refused_by_name)
{
    filch_pool *pool = pool_opened(1);
    int next = 0;
    long total = 0;
    struct input input = {.end = 1, .answer = FILCH_END};
    const filch_stage sizes[] = {parse_parallel(-1), sum_serial(&total)};
    const filch_stage tags[] = {of_letters_serial(), sum_serial(&total)};
    const filch_stage kinds[] = {of_other_name_serial(), widened_serial(), of_bits_serial(&total)};
    const filch_stage plain[] = {filch_stage_of(FILCH_STAGE_SERIAL, nothing, NULL),
                                 sum_serial(&total)};
    filch_log_to(keep_log, NULL);
    ck_assert_int_eq(count_up_pipeline(pool, &next, 100, sizes, 2, NULL), FILCH_EINVAL);
    ck_assert_ptr_nonnull(strstr(log_text, "stage sum ("));
    ck_assert_ptr_nonnull(strstr(log_text, "test_pipeline.c:"));
    ck_assert_ptr_nonnull(strstr(log_text, "takes short (2 bytes), but gets wide (16 bytes)"));
    ck_assert_int_eq(count_up_pipeline(pool, &next, 100, tags, 2, NULL), FILCH_EINVAL);
    ck_assert_ptr_nonnull(
        strstr(log_text, "takes struct letters (3 bytes), but gets struct digits (3 bytes)"));
    ck_assert_int_eq(count_up_pipeline(pool, &next, 100, kinds, 3, NULL), FILCH_EINVAL);
    ck_assert_ptr_nonnull(strstr(log_text, "takes float (4 bytes), but gets int (4 bytes)"));
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, sizeof(int), plain, 2, NULL),
                     FILCH_EINVAL);
    ck_assert_ptr_nonnull(strstr(log_text, "gets an item (4 bytes)"));
    ck_assert_int_eq(atomic_load(&log_lines), 4);
    filch_log_to(NULL, NULL);
    ck_assert_int_eq(next + input.next, 0);
    pool_closed(pool);
}
END_TEST

FILCH_STAGE(void, writes_a_dump, (short, number), (filch_pool *, pool), (FILE *, to))
{
    if (number == 3) {
        filch_dump(pool, to);
    }
}

START_TEST(a_dump_says_which_stage_runs)
{
    filch_pool *pool = pool_opened(_i);
    char *text = NULL;
    size_t bytes = 0;
    int next = 0;
    FILE *to = open_memstream(&text, &bytes);
    const filch_stage stages[] = {parse_parallel(-1), halve_parallel(),
                                  writes_a_dump_serial(pool, to)};
    ck_assert_int_eq(count_up_pipeline(pool, &next, 10, stages, 3, NULL), FILCH_OK);
    fclose(to);
    ck_assert_ptr_nonnull(strstr(text, "writes_a_dump (test_pipeline.c:"));
    ck_assert_ptr_null(strstr(text, "loop/pipeline"));
    free(text);
    pool_closed(pool);
}
END_TEST

START_TEST(without_memory_a_typed_one_does_not_begin_or_comes_to_its_end)
{
    filch_pool *pool = pool_opened(1);
    for (long call = 1; call < 12; call++) {
        int next = 0;
        long total = 0;
        const filch_stage stages[] = {parse_parallel(-1), halve_parallel(), sum_serial(&total)};
        fail_call(call);
        filch_status status = count_up_pipeline(pool, &next, 50, stages, 3, NULL);
        fail_call(0);
        ck_assert(status == FILCH_OK || status == FILCH_ENOMEM);
        ck_assert_int_eq(total, status == FILCH_OK ? 49 * 25 : 0);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    filch_pool *pool = pool_opened(1);
    struct input input = {.end = 1, .answer = FILCH_END};
    const filch_pipeline_options no_policy = {.policy = (filch_pipeline_policy)2};
    const filch_stage good = filch_stage_of(FILCH_STAGE_PARALLEL, nothing, NULL);
    const filch_stage no_function = filch_stage_of(FILCH_STAGE_SERIAL, NULL, NULL);
    const filch_stage no_kind = filch_stage_of((filch_stage_kind)5, nothing, NULL);
    const filch_pipeline_options many = {.tokens = SIZE_MAX};
    ck_assert_int_eq(filch_pipeline(pool, NULL, NULL, 8, &good, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 0, &good, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, NULL, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, &good, 0, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, &no_function, 1, NULL),
                     FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, &no_kind, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 64, &good, 1, &many), FILCH_ENOMEM);
    ck_assert_int_eq(filch_pipeline(pool, read_item, &input, 8, &good, 1, &no_policy),
                     FILCH_EINVAL);
    ck_assert_int_eq(filch_pipeline_of(pool, NULL, NULL, &good, 1, NULL), FILCH_EINVAL);
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
        const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, square, NULL),
                                      filch_stage_of(FILCH_STAGE_SERIAL, write_item, &output)};
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
    tcase_add_loop_test(tcase, an_error_stops_it_and_the_items_before_it_come_to_the_end, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase,
                        items_before_one_that_failed_come_through_though_they_were_behind_in_time,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, if_one_of_them_fails_too_it_ends_there, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, under_the_other_policy_they_are_dropped, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_the_source_answers_is_the_outcome, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_cancelled_task_stops_its_pipeline, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, each_item_gets_through_all_stages_or_is_dropped_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, so_it_does_when_the_pool_is_terminated, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_terminated_pool_stops_its_pipelines, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, of_several_errors_that_of_the_first_item_is_told, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, typed_stages_make_one_type_of_another, 0, WORKER_SWEEP);
    tcase_add_test(tcase, the_functions_of_stages_can_be_called);
    tcase_add_loop_test(tcase, an_error_has_the_name_of_the_users_stage, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, so_it_has_of_the_source, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, another_name_for_a_type_is_the_same_type, 0, WORKER_SWEEP);
    tcase_add_test(tcase, stages_that_do_not_fit_are_refused_by_name);
    tcase_add_loop_test(tcase, a_dump_says_which_stage_runs, 0, WORKER_SWEEP);
    tcase_add_test(tcase, without_memory_a_typed_one_does_not_begin_or_comes_to_its_end);
    tcase_add_test(tcase, bad_arguments_are_refused);
    tcase_add_test(tcase, without_memory_it_does_not_begin_or_comes_to_its_end);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
