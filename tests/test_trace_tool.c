/* filch-trace in parts: predictions against closed forms, lengths of known orders of work, clocks,
 * and files that are no traces any more. */
#define _GNU_SOURCE
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filch/filch.h>

#include "analysis.h"
#include "clock.h"
#include "export.h"
#include "forecast.h"
#include "predict.h"
#include "report.h"
#include "view.h"

/* ---- orders of work ---- */

enum { WORK = 10000 }; /* of each segment, in nanoseconds */

static uint32_t add(struct dag *dag, int64_t ns)
{
    uint32_t segment = dag_segment(dag, UINT32_MAX, SEGMENT_WORK, 0);
    dag->segments.at[segment].ns = ns;
    return segment;
}

static struct dag chain_of(unsigned n)
{
    struct dag dag = {.first = NULL};
    uint32_t before = SEGMENT_NONE;
    for (unsigned i = 0; i < n; i++) {
        uint32_t segment = add(&dag, WORK);
        dag_edge(&dag, before, segment, EDGE_NEXT);
        before = segment;
    }
    dag_finish(&dag);
    return dag;
}

/* One, then n side by side, then one. */
static struct dag fan_of(unsigned n)
{
    struct dag dag = {.first = NULL};
    uint32_t first = add(&dag, WORK);
    for (unsigned i = 0; i < n; i++) {
        dag_edge(&dag, first, add(&dag, WORK), EDGE_SPAWN);
    }
    uint32_t last = add(&dag, WORK);
    for (unsigned i = 0; i < n; i++) {
        dag_edge(&dag, first + 1 + i, last, EDGE_JOIN);
    }
    dag_finish(&dag);
    return dag;
}

/* The segment that ends a subtree. */
static uint32_t tree_under(struct dag *dag, uint32_t root, unsigned depth)
{
    if (depth == 0) {
        return root;
    }
    uint32_t left = add(dag, WORK);
    dag_edge(dag, root, left, EDGE_SPAWN);
    uint32_t right = add(dag, WORK);
    dag_edge(dag, root, right, EDGE_NEXT);
    left = tree_under(dag, left, depth - 1);
    right = tree_under(dag, right, depth - 1);
    uint32_t join = add(dag, 0);
    dag_edge(dag, right, join, EDGE_NEXT);
    dag_edge(dag, left, join, EDGE_JOIN);
    return join;
}

static struct dag tree_of(unsigned depth)
{
    struct dag dag = {.first = NULL};
    tree_under(&dag, add(&dag, WORK), depth);
    dag_finish(&dag);
    return dag;
}

static struct dag random_of(unsigned n)
{
    struct dag dag = {.first = NULL};
    for (unsigned i = 0; i < n; i++) {
        uint32_t segment = add(&dag, rand() % 5000);
        for (int k = rand() % 4; k > 0 && i > 0; k--) {
            dag_edge(&dag, (uint32_t)rand() % i, segment, EDGE_SPAWN);
        }
    }
    dag_finish(&dag);
    return dag;
}

static const struct delays no_delay = {NULL, 0};

START_TEST(a_chain_takes_its_length_on_any_number_of_cores)
{
    struct dag dag = chain_of(100);
    for (unsigned cores = 1; cores <= 1024; cores *= 4) {
        ck_assert_int_eq(predict_once(&dag, cores, no_delay, cores), 100 * WORK);
    }
    struct dag_length length = dag_measure(&dag, 500);
    ck_assert_int_eq(length.work, 100 * WORK);
    ck_assert_int_eq(length.span, 100 * WORK);
    ck_assert_int_eq(length.burdened, 100 * WORK); /* nothing moves */
    dag_free(&dag);
}
END_TEST

START_TEST(a_fan_takes_rounds)
{
    enum { N = 100 };
    struct dag dag = fan_of(N);
    for (unsigned cores = 1; cores <= 1024; cores *= 2) {
        int64_t rounds = (N + cores - 1) / cores;
        ck_assert_int_eq(predict_once(&dag, cores, no_delay, 1), (2 + rounds) * WORK);
    }
    struct dag_length length = dag_measure(&dag, 500);
    ck_assert_int_eq(length.work, (N + 2) * WORK);
    ck_assert_int_eq(length.span, 3 * WORK);
    ck_assert_int_eq(length.burdened, 3 * WORK + 2 * 500);
    dag_free(&dag);
}
END_TEST

START_TEST(a_tree_is_as_fast_as_it_is_deep)
{
    enum { DEPTH = 10 };
    struct dag dag = tree_of(DEPTH);
    struct dag_length length = dag_measure(&dag, 0);
    ck_assert_int_eq(length.work, ((2 << DEPTH) - 1) * WORK);
    ck_assert_int_eq(length.span, (DEPTH + 1) * WORK);
    ck_assert_int_eq(predict_once(&dag, 1, no_delay, 1), length.work);
    ck_assert_int_eq(predict_once(&dag, 1024, no_delay, 1), length.span);
    dag_free(&dag);
}
END_TEST

START_TEST(no_schedule_beats_the_limits_and_a_greedy_one_keeps_within_their_sum)
{
    srand(7);
    for (int i = 0; i < 50; i++) {
        struct dag dag = random_of(300);
        struct dag_length length = dag_measure(&dag, 0);
        for (unsigned cores = 1; cores <= 64; cores *= 2) {
            int64_t took = predict_once(&dag, cores, no_delay, (uint64_t)i);
            ck_assert_int_ge(took, length.span);
            ck_assert_int_ge(took * cores, length.work);
            ck_assert_int_le(took, length.work / cores + length.span + 1);
        }
        dag_free(&dag);
    }
}
END_TEST

START_TEST(times_that_pass_need_no_core)
{
    struct dag dag = {.first = NULL};
    uint32_t first = add(&dag, WORK);
    for (int i = 0; i < 10; i++) {
        uint32_t sleep = dag_segment(&dag, UINT32_MAX, SEGMENT_TIME, 0);
        dag.segments.at[sleep].ns = 50 * WORK;
        dag_edge(&dag, first, sleep, EDGE_NEXT);
    }
    dag_finish(&dag);
    ck_assert_int_eq(predict_once(&dag, 1, no_delay, 1), 51 * WORK);
    ck_assert_int_eq(dag_measure(&dag, 0).span, WORK);
    ck_assert_int_eq(dag_measure(&dag, 0).path, 51 * WORK);
    dag_free(&dag);
}
END_TEST

START_TEST(what_ifs_change_what_they_name)
{
    struct dag dag = {.first = NULL};
    uint32_t one = dag_segment(&dag, 0, SEGMENT_WORK, 0);
    uint32_t other = dag_segment(&dag, 1, SEGMENT_WORK, 0);
    dag.segments.at[one].ns = dag.segments.at[other].ns = 64 * WORK;
    dag_edge(&dag, one, other, EDGE_LOCK);
    dag_finish(&dag);
    const double scale[] = {0.5, 1};
    const unsigned parts[] = {0, 4};
    struct dag changed;
    predict_expand(&dag, 1, &(struct what_if){.scale = scale}, &changed);
    ck_assert_int_eq(predict_once(&changed, 8, no_delay, 1), 96 * WORK);
    dag_free(&changed);
    predict_expand(&dag, 1, &(struct what_if){.parts = parts}, &changed);
    ck_assert_int_eq(predict_once(&changed, 8, no_delay, 1), 80 * WORK);
    dag_free(&changed);
    predict_expand(&dag, 1, &(struct what_if){.without_locks = true}, &changed);
    ck_assert_int_eq(predict_once(&changed, 8, no_delay, 1), 64 * WORK);
    dag_free(&changed);
    dag_free(&dag);
}
END_TEST

/* ---- clocks ---- */

START_TEST(clocks_follow_believable_pairs_only)
{
    struct clock clock = {.last = 0};
    clock_begin(&clock, 1000, 5000, 2000000000); /* two ticks a nanosecond */
    for (uint64_t s = 1; s <= 10; s++) {         /* a little slower than it says */
        clock_add(&clock, 1000 + s * 2000000000, 5000 + s * 1000100000);
    }
    clock_add(&clock, 1000 + 3100000000u, 5000 + 9000000000u); /* interrupted between the two */
    clock_add(&clock, 10, 5);                                  /* before the start */
    clock_fit(&clock);
    int64_t last = -1;
    for (uint64_t ticks = 1000; ticks < 30000000000; ticks += 123456789) {
        int64_t ns = clock_ns(&clock, ticks);
        ck_assert_int_ge(ns, last);
        int64_t right = (int64_t)((double)(ticks - 1000) * 0.50005);
        ck_assert_int_le(llabs(ns - right), 20000);
        last = ns;
    }
    ck_assert(!clock_knows(&clock, 999));
    ck_assert(!clock_knows(&clock, UINT64_MAX));
    clock_free(&clock);
}
END_TEST

/* ---- damaged files ---- */

static char path[] = "/tmp/filch-tool-XXXXXX";
static unsigned char *whole;
static size_t whole_bytes;

static struct trace *read_bytes(const unsigned char *data, size_t bytes, const char **why)
{
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(data, 1, bytes, out), bytes);
    ck_assert_int_eq(fclose(out), 0);
    return trace_read(path, why);
}

/* All that the tool can say of it, thrown away. */
static void say_all(const struct analysis *analysis)
{
    FILE *out = fopen("/dev/null", "w");
    struct forecast forecast;
    ck_assert_ptr_nonnull(out);
    report(analysis, out);
    report_difference(analysis, analysis, out);
    view(analysis, out);
    export_perfetto(analysis->run, out);
    export_chrome(analysis->run, out);
    export_csv(analysis->run, out);
    if (forecast_of(analysis, NULL, &forecast)) {
        forecast_print(analysis, &forecast, out);
    }
    fclose(out);
}

static void say_forecast(const struct analysis *analysis)
{
    struct forecast forecast;
    forecast_of(analysis, NULL, &forecast);
}

static void use(const unsigned char *data, size_t bytes, void (*say)(const struct analysis *))
{
    const char *why;
    struct trace *trace = read_bytes(data, bytes, &why);
    if (!trace) {
        ck_assert_ptr_nonnull(why);
        return;
    }
    struct run *run = run_of(trace);
    struct analysis *analysis = analysis_of(run);
    say(analysis);
    analysis_free(analysis);
    run_free(run);
    trace_free(trace);
}

static void read_sample(void)
{
    const char *sample = getenv("FILCH_TEST_TRACE");
    FILE *in = sample ? fopen(sample, "rb") : NULL;
    ck_assert_msg(in != NULL, "FILCH_TEST_TRACE names a trace");
    whole = malloc(1 << 22);
    whole_bytes = fread(whole, 1, 1 << 22, in);
    fclose(in);
    ck_assert_uint_gt(whole_bytes, FILCH_TRACE_HEADER_BYTES + FILCH_TRACE_CHUNK_BYTES);
    filch_trace_header header;
    memcpy(&header, whole, sizeof header);
    size_t used = FILCH_TRACE_HEADER_BYTES + (size_t)header.chunks * FILCH_TRACE_CHUNK_BYTES;
    whole_bytes = used < whole_bytes ? used : whole_bytes; /* chunks are made a few at a time */
    ck_assert_int_ge(mkstemp(path), 0);
}

static void sample_gone(void)
{
    unlink(path);
    free(whole);
}

START_TEST(truncated_files_are_read_as_far_as_they_go)
{
    for (size_t bytes = 0; bytes < whole_bytes; bytes += 1 + bytes / 7) {
        use(whole, bytes, say_forecast);
    }
}
END_TEST

static size_t damaged_in(size_t bytes)
{
    const char *why;
    struct trace *trace = read_bytes(whole, bytes, &why);
    ck_assert_ptr_nonnull(trace);
    size_t damaged = trace->damaged;
    trace_free(trace);
    return damaged;
}

START_TEST(a_chunk_that_is_lost_or_cut_short_is_counted_wherever_it_was)
{
    ck_assert_uint_eq(damaged_in(whole_bytes), 0);
    for (size_t at = FILCH_TRACE_HEADER_BYTES; at < whole_bytes; at += FILCH_TRACE_CHUNK_BYTES) {
        unsigned char kept[64];
        memcpy(kept, whole + at, sizeof kept);
        memset(whole + at, 0, sizeof kept);
        ck_assert_uint_eq(damaged_in(whole_bytes), 1);
        memcpy(whole + at, kept, sizeof kept);
        ck_assert_uint_ge(damaged_in(at), 1);
        ck_assert_uint_ge(damaged_in(at + 1000), 1);
    }
}
END_TEST

/* Bytes, or whole words, anywhere in the events and the headers. */
static void damage(unsigned char *data, size_t bytes)
{
    int times = 1 + rand() % 20;
    for (int i = 0; i < times; i++) {
        bool early = rand() % 4 == 0; /* where headers and most events are */
        size_t at = (size_t)rand() % (early ? 8192 : bytes);
        if (rand() % 2) {
            data[at] = (unsigned char)rand();
        } else {
            uint64_t word = rand() % 2 ? (uint64_t)rand() << 40 | (uint64_t)rand() : UINT64_MAX;
            memcpy(data + (at & ~(size_t)7), &word, 8);
        }
    }
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 31 };
#else
enum { ROUNDS = 150 };
#endif

START_TEST(garbage_is_survived)
{
    unsigned char *data = malloc(whole_bytes);
    srand((unsigned)_i);
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(data, whole, whole_bytes);
        damage(data, whole_bytes);
        use(data, whole_bytes, round % 30 ? say_forecast : say_all);
    }
    free(data);
}
END_TEST

/* Some events come years after those before them, by a slow clock, on more cores than there are. */
static void stretch(unsigned char *data, size_t bytes)
{
    filch_trace_header header;
    int late = 0;
    memcpy(&header, data, sizeof header);
    header.ticks_per_second = 1000;
    header.end_ns = 0;
    memcpy(data, &header, sizeof header);
    for (size_t at = FILCH_TRACE_HEADER_BYTES; at + FILCH_TRACE_CHUNK_BYTES <= bytes;
         at += FILCH_TRACE_CHUNK_BYTES) {
        filch_trace_chunk chunk;
        memcpy(&chunk, data + at, sizeof chunk);
        chunk.workers = 1024;
        memcpy(data + at, &chunk, sizeof chunk);
        bool events = chunk.kind == FILCH_TRACE_CORE;
        for (size_t e = 0; events && e < FILCH_TRACE_EVENTS; e += 20) {
            size_t place = at + FILCH_TRACE_CHUNK_HEADER_BYTES + e * sizeof(filch_trace_event);
            filch_trace_event event;
            memcpy(&event, data + place, sizeof event);
            if (event.head && late++ < 20) {
                event.head |= UINT64_C(0xffffffff) << 32;
                memcpy(data + place, &event, sizeof event);
            }
        }
    }
    ck_assert_int_gt(late, 10);
}

START_TEST(sums_of_times_stop_at_the_largest_that_there_is)
{
    const char *why;
    stretch(whole, whole_bytes);
    struct trace *trace = read_bytes(whole, whole_bytes, &why);
    ck_assert_ptr_nonnull(trace);
    struct run *run = run_of(trace);
    struct analysis *analysis = analysis_of(run);
    ck_assert_int_gt(trace->end, INT64_MAX / 1024);
    ck_assert_int_ge(run->idle.starved, 0);
    ck_assert_int_ge(run->idle.waiting, 0);
    ck_assert_int_ge(run->idle.searching, 0);
    ck_assert_int_ge(analysis->active, 0);
    ck_assert_int_ge(analysis->length.work, 0);
    ck_assert(run->idle.starved == INT64_MAX || run->idle.waiting == INT64_MAX);
    say_all(analysis);
    analysis_free(analysis);
    run_free(run);
    trace_free(trace);
}
END_TEST

START_TEST(what_is_no_trace_is_refused)
{
    const char *why = NULL;
    ck_assert_ptr_null(trace_read("/nowhere", &why));
    ck_assert_str_eq(why, "it cannot be opened");
    ck_assert_ptr_null(trace_read("/dev/zero", &why));
    ck_assert_str_eq(why, "it is no regular file");
    ck_assert_ptr_null(trace_read("/tmp", &why));
    ck_assert_str_eq(why, "it is no regular file");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* without a writer */
    ck_assert_ptr_null(trace_read(path, &why));
    ck_assert_str_eq(why, "it is no regular file");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_ptr_null(read_bytes(whole + 8, whole_bytes - 8, &why));
    ck_assert_str_eq(why, "this is not a filch trace");
}
END_TEST

/* ---- what needs what ---- */

FILCH_FUNCTION(int, given, (int, x))
{
    return x;
}

FILCH_FUNCTION(int, added, (int, x), (int, y))
{
    return x + y;
}

FILCH_FUNCTION(int, last_of_all, (int, x))
{
    return x;
}

/* given a, given b -> added c; a -> added d, by then; all of c, d and a promise -> last_of_all. */
static void record_needs(unsigned workers)
{
    filch_pool *pool;
    filch_future *f[7];
    filch_promise *promise;
    int got = 0;
    const filch_trace_options options = {.path = path, .level = FILCH_TRACE_LEVEL_TASKS};
    ck_assert_int_eq(filch_trace_start(&options), FILCH_OK);
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = workers}, &pool), FILCH_OK);
    ck_assert_int_eq(filch_promise_new(0, &promise, &f[6]), FILCH_OK);
    ck_assert_int_eq(given_apply_async(pool, 1, &f[0]), FILCH_OK);
    ck_assert_int_eq(given_apply_async(pool, 2, &f[1]), FILCH_OK);
    ck_assert_int_eq(added_after(pool, FILCH_NEEDS(f[0], f[1]), 3, 4, &f[2]), FILCH_OK);
    ck_assert_int_eq(added_then(pool, f[0], 5, &f[3]), FILCH_OK);
    ck_assert_int_eq(filch_when_all((filch_future *[]){f[2], f[3], f[6]}, 3, &f[4]), FILCH_OK);
    ck_assert_int_eq(last_of_all_after(pool, FILCH_NEEDS(f[4]), 6, &f[5]), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_value(promise, NULL), FILCH_OK);
    ck_assert_int_eq(last_of_all_get(f[5], &got), FILCH_OK);
    for (int i = 0; i < 7; i++) {
        filch_future_free(f[i]);
    }
    filch_promise_free(promise);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
}

/* The same of a graph that runs twice. */
static void record_graph(unsigned workers)
{
    filch_pool *pool;
    filch_graph *graph;
    filch_node *nodes[4];
    const filch_trace_options options = {.path = path, .level = FILCH_TRACE_LEVEL_TASKS};
    ck_assert_int_eq(filch_trace_start(&options), FILCH_OK);
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = workers}, &pool), FILCH_OK);
    filch_graph_new(&graph);
    given_node(graph, 1, NULL, &nodes[0]);
    given_node(graph, 2, NULL, &nodes[1]);
    added_node(graph, 3, 4, NULL, &nodes[2]);
    last_of_all_node(graph, 5, NULL, &nodes[3]);
    filch_node_needs(nodes[2], nodes[0]);
    filch_node_needs(nodes[2], nodes[1]);
    filch_node_needs(nodes[3], nodes[2]);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(filch_graph_run(pool, graph), FILCH_OK);
    }
    filch_graph_free(graph);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
}

static const char *function_of(const struct run *run, uint32_t task)
{
    return trace_name(run->trace, run->tasks.at[task].name);
}

static unsigned needs_of(const struct run *run, const char *whose, const char *which)
{
    unsigned found = 0;
    for (size_t i = 0; i < run->needs.count; i++) {
        const struct task_need *need = &run->needs.at[i];
        ck_assert_int_le(run->tasks.at[need->need].ended, run->tasks.at[need->task].began);
        bool here = strcmp(function_of(run, need->task), whose) == 0 &&
                    strcmp(function_of(run, need->need), which) == 0;
        found += here ? 1 : 0;
    }
    return found;
}

START_TEST(a_task_comes_after_what_it_needs)
{
    const char *why;
    ck_assert_int_ge(mkstemp(path), 0);
    record_needs((unsigned)_i);
    struct trace *trace = trace_read(path, &why);
    ck_assert_msg(trace != NULL, "%s", why);
    struct run *run = run_of(trace);
    struct analysis *analysis = analysis_of(run);
    ck_assert_uint_eq(run->needs.count, 5);
    ck_assert_uint_eq(needs_of(run, "added", "given"), 3);
    ck_assert_uint_eq(needs_of(run, "last_of_all", "added"), 2);
    ck_assert_uint_eq(analysis->needs.count, 2);
    ck_assert_uint_eq(analysis->needs.at[0].count, 3);
    ck_assert_uint_eq(analysis->needs.at[0].last, 2); /* once of each */
    ck_assert_uint_eq(analysis->needs.at[1].last, 1);
    analysis_free(analysis);
    run_free(run);
    trace_free(trace);
    unlink(path);
}
END_TEST

START_TEST(so_does_a_node_of_a_graph_in_each_run)
{
    const char *why;
    ck_assert_int_ge(mkstemp(path), 0);
    record_graph((unsigned)_i);
    struct trace *trace = trace_read(path, &why);
    ck_assert_msg(trace != NULL, "%s", why);
    struct run *run = run_of(trace);
    ck_assert_uint_eq(run->needs.count, 6);
    ck_assert_uint_eq(needs_of(run, "added", "given"), 4);
    ck_assert_uint_eq(needs_of(run, "last_of_all", "added"), 2);
    run_free(run);
    trace_free(trace);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace tool");
    TCase *orders = tcase_create("orders of work");
    TCase *files = tcase_create("files");
    tcase_add_test(orders, a_chain_takes_its_length_on_any_number_of_cores);
    tcase_add_test(orders, a_fan_takes_rounds);
    tcase_add_test(orders, a_tree_is_as_fast_as_it_is_deep);
    tcase_add_test(orders, no_schedule_beats_the_limits_and_a_greedy_one_keeps_within_their_sum);
    tcase_add_test(orders, times_that_pass_need_no_core);
    tcase_add_test(orders, what_ifs_change_what_they_name);
    tcase_add_test(orders, clocks_follow_believable_pairs_only);
    tcase_add_loop_test(orders, a_task_comes_after_what_it_needs, 1, 3);
    tcase_add_loop_test(orders, so_does_a_node_of_a_graph_in_each_run, 1, 4);
    tcase_add_checked_fixture(files, read_sample, sample_gone);
    tcase_set_timeout(files, 120);
    tcase_add_test(files, truncated_files_are_read_as_far_as_they_go);
    tcase_add_test(files, a_chunk_that_is_lost_or_cut_short_is_counted_wherever_it_was);
    tcase_add_loop_test(files, garbage_is_survived, 0, 4);
    tcase_add_test(files, sums_of_times_stop_at_the_largest_that_there_is);
    tcase_add_test(files, what_is_no_trace_is_refused);
    suite_add_tcase(suite, orders);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
