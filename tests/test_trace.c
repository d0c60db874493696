/* Recording: what is in a trace, where it may be written, and that it survives what it must. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <filch/trace_format.h>

static char folder[] = "/tmp/filch-trace-XXXXXX";
static char path[128];

static void folder_made(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/run.ftrace", folder);
}

static void folder_removed(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

FILCH_FUNCTION(int, twice, (int, x))
{
    return 2 * x;
}

FILCH_FUNCTION(int, doze, (int, x))
{
    filch_sleep(1e-4);
    return x;
}

FILCH_FORK_FUNCTION(long, tree, (int, depth))
{
    if (depth == 0) {
        return 1;
    }
    FILCH_FORK(left, tree, depth - 1);
    long right = FILCH_CALL(tree, depth - 1);
    return FILCH_JOIN(left) + right;
}

/* ---- a simple reader of our own: how many events of each type are in a file ---- */

struct counts {
    long of[FILCH_TRACE_TYPES];
    long chunks;
    long names;
    filch_trace_header header;
};

static void count_events(const unsigned char *chunk, struct counts *counts)
{
    for (size_t at = FILCH_TRACE_CHUNK_HEADER_BYTES; at < FILCH_TRACE_CHUNK_BYTES; at += 16) {
        filch_trace_event event;
        memcpy(&event, chunk + at, sizeof event);
        if (event.head == 0) {
            return;
        }
        ck_assert_uint_lt(event.head & 255, FILCH_TRACE_TYPES);
        counts->of[event.head & 255]++;
    }
}

static struct counts counts_of(const char *file)
{
    static unsigned char chunk[FILCH_TRACE_CHUNK_BYTES];
    struct counts counts = {.chunks = 0};
    FILE *in = fopen(file, "rb");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_eq(fread(chunk, 1, FILCH_TRACE_HEADER_BYTES, in), FILCH_TRACE_HEADER_BYTES);
    memcpy(&counts.header, chunk, sizeof counts.header);
    ck_assert_str_eq(counts.header.magic, FILCH_TRACE_MAGIC);
    while (fread(chunk, 1, sizeof chunk, in) == sizeof chunk) {
        filch_trace_chunk head;
        memcpy(&head, chunk, sizeof head);
        counts.chunks += head.kind != FILCH_TRACE_UNUSED;
        counts.names += head.kind == FILCH_TRACE_NAMES;
        if (head.kind == FILCH_TRACE_CORE || head.kind == FILCH_TRACE_OUTSIDE) {
            count_events(chunk, &counts);
        }
    }
    fclose(in);
    return counts;
}

static long begun(const struct counts *counts)
{
    return counts->of[FILCH_TRACE_BEGIN] + counts->of[FILCH_TRACE_BEGIN_OWN];
}

static long ended(const struct counts *counts)
{
    return counts->of[FILCH_TRACE_END] + counts->of[FILCH_TRACE_END_OWN];
}

static void start_recording(filch_trace_level level)
{
    filch_trace_options options = {.path = path, .level = level};
    ck_assert_int_eq(filch_trace_start(&options), FILCH_OK);
}

static void run_futures(filch_pool *pool, int n)
{
    for (int i = 0; i < n; i++) {
        filch_future *future;
        int result;
        ck_assert_int_eq(twice_apply_async(pool, i, &future), FILCH_OK);
        ck_assert_int_eq(filch_future_get(future, &result, sizeof result), FILCH_OK);
        ck_assert_int_eq(result, 2 * i);
        filch_future_free(future);
    }
}

/* ---- what is in it ---- */

START_TEST(every_task_is_made_begun_and_ended_once)
{
    filch_pool *pool = pool_opened(_i);
    start_recording(FILCH_TRACE_LEVEL_TASKS);
    run_futures(pool, 1000);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    pool_closed(pool);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(counts.of[FILCH_TRACE_SPAWN], 1000);
    ck_assert_int_eq(begun(&counts), 1000);
    ck_assert_int_eq(ended(&counts), 1000);
    ck_assert_uint_gt(counts.header.end_ns, counts.header.start_ns);
}
END_TEST

START_TEST(at_level_all_every_fork_is_there)
{
    enum { DEPTH = 10 };
    long leaves = 0;
    filch_pool *pool = pool_opened(_i);
    start_recording(FILCH_TRACE_LEVEL_ALL);
    ck_assert_int_eq(tree_apply(pool, DEPTH, &leaves), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    pool_closed(pool);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(leaves, 1 << DEPTH);
    ck_assert_int_eq(counts.of[FILCH_TRACE_FORK], (1 << DEPTH) - 1);
    /* each was run by its owner or by a thief; the call itself is one more */
    ck_assert_int_eq(counts.of[FILCH_TRACE_BEGIN_JOIN] + counts.of[FILCH_TRACE_BEGIN], 1 << DEPTH);
    ck_assert_int_eq(counts.of[FILCH_TRACE_END_JOIN] + counts.of[FILCH_TRACE_END], 1 << DEPTH);
}
END_TEST

START_TEST(at_level_sched_forks_and_own_tasks_are_left_out)
{
    long leaves;
    filch_pool *pool = pool_opened(_i);
    start_recording(FILCH_TRACE_LEVEL_SCHED);
    ck_assert_int_eq(tree_apply(pool, 10, &leaves), FILCH_OK);
    run_futures(pool, 100);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    pool_closed(pool);
    struct counts counts = counts_of(path);
    for (int type = FILCH_TRACE_TASKS_FROM; type < FILCH_TRACE_TYPES; type++) {
        ck_assert_int_eq(counts.of[type], 0);
    }
    ck_assert_int_gt(counts.of[FILCH_TRACE_HOLD], 0);
}
END_TEST

START_TEST(forks_are_fast_again_after_a_recording)
{
    long leaves;
    filch_pool *pool = pool_opened(_i);
    start_recording(FILCH_TRACE_LEVEL_ALL);
    ck_assert_int_eq(tree_apply(pool, 5, &leaves), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    ck_assert_int_eq(tree_apply(pool, 10, &leaves), FILCH_OK);
    start_recording(FILCH_TRACE_LEVEL_ALL);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(counts.of[FILCH_TRACE_FORK], 0);
    pool_closed(pool);
}
END_TEST

START_TEST(waits_are_ended_as_often_as_they_begin)
{
    filch_pool *pool = pool_opened(_i);
    int in[50] = {0};
    int out[50];
    start_recording(FILCH_TRACE_LEVEL_TASKS);
    ck_assert_int_eq(doze_map(pool, in, 50, out), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    pool_closed(pool);
    struct counts counts = counts_of(path);
    ck_assert_int_ge(counts.of[FILCH_TRACE_BLOCK], 50);
    ck_assert_int_le(counts.of[FILCH_TRACE_BLOCK],
                     counts.of[FILCH_TRACE_ENTER] + counts.of[FILCH_TRACE_GO_ON]);
    ck_assert_int_eq(counts.of[FILCH_TRACE_CHUNK], counts.of[FILCH_TRACE_CHUNK_END]);
    ck_assert_int_eq(counts.of[FILCH_TRACE_LOOP], 1);
    ck_assert_int_eq(counts.of[FILCH_TRACE_LOOP_END], 1);
}
END_TEST

START_TEST(the_programs_own_marks_are_in_it)
{
    filch_pool *pool = pool_opened(_i);
    filch_trace_span_begin("before"); /* nothing is recorded: no effect */
    filch_trace_span_end("before");
    start_recording(FILCH_TRACE_LEVEL_SCHED);
    FILCH_TRACE_SECTION("outer")
    {
        FILCH_TRACE_SECTION("inner")
        {
            filch_trace_counter("height", 1.5);
            break; /* leaves the section, and ends it */
        }
        filch_trace_mark("here", 7);
    }
    filch_trace_span_begin(NULL);
    filch_trace_counter(NULL, 1);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    pool_closed(pool);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(counts.of[FILCH_TRACE_SPAN], 2);
    ck_assert_int_eq(counts.of[FILCH_TRACE_SPAN_END], 2);
    ck_assert_int_eq(counts.of[FILCH_TRACE_COUNTER], 1);
    ck_assert_int_eq(counts.of[FILCH_TRACE_MARK], 1);
}
END_TEST

FILCH_SOURCE(int, made_by_the_source, (int *, next))
{
    *item = (*next)++;
    return *item < 20 ? FILCH_OK : FILCH_END;
}

FILCH_STAGE(int, passes_a_stage, (int, x))
{
    filch_yield();
    return x + 1;
}

FILCH_STAGE(void, passes_another, (int, x), (long *, sum))
{
    *sum += x;
}

/* How often the text is in the file. */
static int texts_in(const char *file, const char *text)
{
    int found = 0;
    FILE *in = fopen(file, "rb");
    ck_assert_ptr_nonnull(in);
    size_t at = 0;
    for (int c = getc(in); c != EOF; c = getc(in)) {
        at = c == text[at] ? at + 1 : c == text[0];
        found += text[at] == '\0';
        at = text[at] == '\0' ? 0 : at;
    }
    fclose(in);
    return found;
}

static void run_stages(filch_pool *pool, filch_trace_level level)
{
    int next = 0;
    long sum = 0;
    const filch_stage stages[] = {passes_a_stage_parallel(), passes_another_serial(&sum)};
    start_recording(level);
    ck_assert_int_eq(made_by_the_source_pipeline(pool, &next, stages, 2, NULL), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    ck_assert_int_eq(sum, 210);
}

START_TEST(each_stage_of_each_item_is_in_it_by_name)
{
    filch_pool *pool = pool_opened(_i);
    run_stages(pool, FILCH_TRACE_LEVEL_SCHED);
    ck_assert_int_eq(counts_of(path).of[FILCH_TRACE_STAGE], 0);
    run_stages(pool, FILCH_TRACE_LEVEL_TASKS);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(counts.of[FILCH_TRACE_STAGE], 21 + 20 + 20);
    ck_assert_int_eq(counts.of[FILCH_TRACE_STAGE_END], 21 + 20 + 20);
    ck_assert_int_eq(texts_in(path, "made_by_the_source"), 1);
    ck_assert_int_eq(texts_in(path, "passes_a_stage"), 1);
    ck_assert_int_eq(texts_in(path, "passes_another"), 1);
    ck_assert_int_eq(texts_in(path, "loop/pipeline"), 0);
    pool_closed(pool);
}
END_TEST

START_TEST(names_beyond_all_bounds_are_one)
{
    enum { NAMES = 61000 };
    start_recording(FILCH_TRACE_LEVEL_SCHED);
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "name %d", i);
        filch_trace_mark(name, 0);
    }
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(counts.of[FILCH_TRACE_MARK], NAMES);
    ck_assert_int_gt(counts.names, 1);
}
END_TEST

/* ---- beginning and ending ---- */

START_TEST(there_is_one_recording_at_a_time)
{
    start_recording(FILCH_TRACE_LEVEL_SCHED);
    filch_trace_options options = {.path = path};
    ck_assert_int_eq(filch_trace_start(&options), FILCH_EALREADY);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_EINVAL);
    ck_assert_int_eq(filch_trace_snapshot(path), FILCH_EINVAL);
    ck_assert_int_eq(filch_trace_snapshot(NULL), FILCH_EINVAL);
}
END_TEST

START_TEST(options_are_checked)
{
    filch_trace_options small = {.limit_bytes = 1000};
    filch_trace_options level = {.level = (filch_trace_level)4};
    filch_trace_options nowhere = {.path = "/nowhere/at/all"};
    ck_assert_int_eq(filch_trace_start(&small), FILCH_EINVAL);
    ck_assert_int_eq(filch_trace_start(&level), FILCH_EINVAL);
    ck_assert_int_eq(filch_trace_start(&nowhere), FILCH_EINVAL);
    ck_assert_int_eq(filch_trace_start(NULL), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
}
END_TEST

static atomic_bool enough;

static int keep_busy(void *pool)
{
    while (!atomic_load(&enough)) {
        long leaves;
        int in[20] = {0};
        int out[20];
        ck_assert_int_eq(tree_apply(pool, 8, &leaves), FILCH_OK);
        ck_assert_int_eq(leaves, 256);
        ck_assert_int_eq(doze_map(pool, in, 20, out), FILCH_OK);
    }
    return 0;
}

START_TEST(recordings_come_and_go_while_others_work)
{
    filch_pool *pool = pool_opened(_i);
    thrd_t threads[2];
    atomic_store(&enough, false);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(thrd_create(&threads[i], keep_busy, pool), thrd_success);
    }
    for (int i = 0; i < 30; i++) {
        filch_trace_options options = {.path = i % 2 ? path : NULL,
                                       .level = (filch_trace_level)(i % 3 + 1)};
        ck_assert_int_eq(filch_trace_start(&options), FILCH_OK);
        run_futures(pool, 20);
        if (i % 3 == 0) {
            char other[160];
            snprintf(other, sizeof other, "%s.copy", path);
            ck_assert_int_eq(filch_trace_snapshot(other), FILCH_OK);
            counts_of(other);
        }
        ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++) {
        thrd_join(threads[i], NULL);
    }
    pool_closed(pool);
    counts_of(path);
}
END_TEST

START_TEST(a_pool_that_opens_later_takes_part)
{
    start_recording(FILCH_TRACE_LEVEL_TASKS);
    filch_pool *pool = pool_opened(_i);
    run_futures(pool, 10);
    pool_closed(pool);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(begun(&counts), 10);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_file_stops_at_its_bound_and_a_ring_keeps_the_newest)
{
    enum { MARKS = 200000 }; /* some 50 chunks, of 8 */
    filch_trace_options options = {.path = path, .limit_bytes = 512 << 10};
    ck_assert_int_eq(filch_trace_start(&options), FILCH_OK);
    for (int i = 0; i < MARKS; i++) {
        filch_trace_mark("mark", (uint64_t)i);
    }
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    struct counts full = counts_of(path);
    ck_assert_uint_gt(full.header.full_ns, 0);
    ck_assert_int_le(full.chunks, 8);
    ck_assert_int_lt(full.of[FILCH_TRACE_MARK], MARKS);
    options.path = NULL;
    ck_assert_int_eq(filch_trace_start(&options), FILCH_OK);
    for (int i = 0; i < MARKS; i++) {
        filch_trace_mark("mark", (uint64_t)i);
    }
    ck_assert_int_eq(filch_trace_snapshot(path), FILCH_OK);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    struct counts ring = counts_of(path);
    ck_assert_uint_eq(ring.header.full_ns, 0);
    ck_assert_int_le(ring.chunks, 8);
    ck_assert_int_ge(ring.of[FILCH_TRACE_MARK], 5 * 4000);
    ck_assert_int_eq(ring.names, 1);
}
END_TEST

/* ---- files ---- */

START_TEST(the_file_is_its_owners_alone)
{
    struct stat about;
    start_recording(FILCH_TRACE_LEVEL_SCHED);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_uint_eq(about.st_mode & 07777, 0600);
}
END_TEST

START_TEST(links_pipes_and_folders_are_not_written_to)
{
    char other[160];
    snprintf(other, sizeof other, "%s/precious", folder);
    FILE *precious = fopen(other, "w");
    ck_assert_ptr_nonnull(precious);
    fputs("precious", precious);
    fclose(precious);
    filch_trace_options options = {.path = path};
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_int_eq(filch_trace_start(&options), FILCH_EINVAL);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(link(other, path), 0);
    ck_assert_int_eq(filch_trace_start(&options), FILCH_EINVAL);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(filch_trace_start(&options), FILCH_EINVAL);
    options.path = folder;
    ck_assert_int_eq(filch_trace_start(&options), FILCH_EINVAL);
    struct stat about;
    ck_assert_int_eq(stat(other, &about), 0);
    ck_assert_int_eq(about.st_size, 8);
}
END_TEST

static int status_of_child(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(what_was_recorded_survives_a_kill)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        filch_pool *pool;
        filch_trace_options options = {.path = path, .level = FILCH_TRACE_LEVEL_TASKS};
        if (filch_pool_open(NULL, &pool) == FILCH_OK && filch_trace_start(&options) == FILCH_OK) {
            run_futures(pool, 100);
            ck_assert_int_eq(write(ready[1], "x", 1), 1);
        }
        pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert(WIFSIGNALED(status_of_child(child)));
    struct counts counts = counts_of(path);
    ck_assert_int_eq(counts.of[FILCH_TRACE_SPAWN], 100);
    ck_assert_int_eq(begun(&counts), 100);
    ck_assert_uint_eq(counts.header.end_ns, 0);
}
END_TEST

START_TEST(a_child_writes_nothing_into_its_parents_trace)
{
    filch_pool *pool = pool_opened(1);
    start_recording(FILCH_TRACE_LEVEL_TASKS);
    run_futures(pool, 10);
    pid_t child = fork();
    if (child == 0) {
        filch_pool *own;
        bool fine = filch_pool_open(NULL, &own) == FILCH_OK;
        for (int i = 0; i < 50 && fine; i++) { /* calls: they need no thread */
            int result;
            fine = twice_apply(own, i, &result) == FILCH_OK;
        }
        _exit(fine ? 0 : 1);
    }
    ck_assert_int_eq(status_of_child(child), 0);
    run_futures(pool, 10);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
    pool_closed(pool);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(begun(&counts), 20);
}
END_TEST

START_TEST(two_processes_do_not_share_a_file)
{
    start_recording(FILCH_TRACE_LEVEL_SCHED);
    pid_t child = fork();
    if (child == 0) {
        filch_trace_options options = {.path = path};
        _exit(filch_trace_start(&options) == FILCH_EBUSY ? 0 : 1);
    }
    ck_assert_int_eq(status_of_child(child), 0);
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
}
END_TEST

START_TEST(the_environment_asks_for_a_recording)
{
    char text[160];
    snprintf(text, sizeof text, "%s:tasks", path);
    pid_t child = fork();
    if (child == 0) {
        filch_pool *pool;
        setenv("FILCH_TRACE", text, 1);
        bool fine = filch_pool_open(NULL, &pool) == FILCH_OK;
        if (fine) {
            run_futures(pool, 25);
        }
        exit(fine ? 0 : 1); /* without closing the pool */
    }
    ck_assert_int_eq(status_of_child(child), 0);
    struct counts counts = counts_of(path);
    ck_assert_int_eq(begun(&counts), 25);
    ck_assert_uint_eq(counts.header.level, 2);
    ck_assert_uint_gt(counts.header.end_ns, 0);
}
END_TEST

/* ---- what is refused ---- */

static void may_write(size_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void make_marks(int n)
{
    for (int i = 0; i < n; i++) {
        filch_trace_mark("mark", (uint64_t)i);
    }
}

enum { CHUNKS = 6 };
static const size_t six_chunks = FILCH_TRACE_HEADER_BYTES + CHUNKS * FILCH_TRACE_CHUNK_BYTES + 1000;

START_TEST(a_limit_of_file_sizes_ends_the_recording_and_not_the_program)
{
    pid_t child = fork();
    if (child == 0) {
        filch_trace_options options = {.path = path};
        may_write(six_chunks);
        bool fine = filch_trace_start(&options) == FILCH_OK;
        make_marks(200000);
        _exit(fine && filch_trace_stop() == FILCH_OK ? 0 : 1);
    }
    ck_assert_int_eq(status_of_child(child), 0);
    struct counts counts = counts_of(path);
    ck_assert_uint_gt(counts.header.full_ns, 0);
    ck_assert_int_eq(counts.chunks, CHUNKS);
}
END_TEST

START_TEST(a_snapshot_beyond_the_limit_of_file_sizes_fails_and_harms_nothing)
{
    pid_t child = fork();
    if (child == 0) {
        filch_trace_options options = {.path = NULL};
        may_write(six_chunks);
        bool fine = filch_trace_start(&options) == FILCH_OK;
        make_marks(1000);
        fine = fine && filch_trace_snapshot(path) == FILCH_OK;
        make_marks(200000);
        _exit(fine && filch_trace_snapshot(path) == FILCH_EAGAIN ? 0 : 1);
    }
    ck_assert_int_eq(status_of_child(child), 0);
}
END_TEST

START_TEST(nothing_is_recorded_where_there_is_no_space_for_a_chunk)
{
    pid_t child = fork();
    if (child == 0) {
        filch_trace_options options = {.path = path};
        may_write(FILCH_TRACE_HEADER_BYTES + FILCH_TRACE_CHUNK_BYTES - 1);
        _exit(filch_trace_start(&options) == FILCH_EAGAIN ? 0 : 1);
    }
    ck_assert_int_eq(status_of_child(child), 0);
}
END_TEST

static void keep_message(void *kept, filch_log_level level, const char *message)
{
    (void)level;
    snprintf(kept, 256, "%s", message);
}

/* What is said in a process that is asked for `text`, which is the rest of the path. */
static void told_for(const char *rest, size_t limit, char *told)
{
    int said[2];
    char text[160];
    snprintf(text, sizeof text, "%s%s", path, rest);
    ck_assert_int_eq(pipe(said), 0);
    pid_t child = fork();
    if (child == 0) {
        static char message[256];
        filch_pool *pool;
        may_write(limit);
        filch_log_to(keep_message, message);
        setenv("FILCH_TRACE", text, 1);
        bool fine = filch_pool_open(NULL, &pool) == FILCH_OK && filch_pool_free(pool) == FILCH_OK;
        fine = fine && write(said[1], message, sizeof message) == (ssize_t)sizeof message;
        exit(fine ? 0 : 1);
    }
    close(said[1]);
    ck_assert_int_eq(read(said[0], told, 256), 256);
    ck_assert_int_eq(status_of_child(child), 0);
    close(said[0]);
}

START_TEST(a_disk_without_space_is_told)
{
    char told[256];
    told_for(":all", 1000, told);
    ck_assert_msg(strstr(told, "no disk space") != NULL, "%s", told);
}
END_TEST

START_TEST(a_misspelt_level_is_told_and_makes_no_file)
{
    static const char *const levels[] = {":ALL", ":al", ":", ":tasks ", ":sched,all", "::"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        char told[256];
        char file[160];
        told_for(levels[i], RLIM_INFINITY, told);
        ck_assert_msg(strstr(told, "sched, tasks and all") != NULL, "%s: %s", levels[i], told);
        snprintf(file, sizeof file, "%s%s", path, levels[i]);
        ck_assert_int_ne(access(file, F_OK), 0);
        ck_assert_int_ne(access(path, F_OK), 0);
    }
}
END_TEST

START_TEST(a_colon_may_be_in_a_files_name)
{
    static const char *const rests[] = {":run.ftrace", ":10", ":10:all"};
    static const char *const names[] = {":run.ftrace", ":10", ":10"};
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        char told[256];
        char file[160];
        told_for(rests[i], RLIM_INFINITY, told);
        ck_assert_str_eq(told, "");
        snprintf(file, sizeof file, "%s%s", path, names[i]);
        ck_assert_int_eq(access(file, F_OK), 0);
        ck_assert_int_eq(unlink(file), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *each = tcase_create("with workers");
    TCase *once = tcase_create("once");
    tcase_set_timeout(each, 60);
    tcase_set_timeout(once, 60);
    tcase_add_checked_fixture(each, folder_made, folder_removed);
    tcase_add_checked_fixture(once, folder_made, folder_removed);
    tcase_add_loop_test(each, every_task_is_made_begun_and_ended_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, at_level_all_every_fork_is_there, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, at_level_sched_forks_and_own_tasks_are_left_out, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, forks_are_fast_again_after_a_recording, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, waits_are_ended_as_often_as_they_begin, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, each_stage_of_each_item_is_in_it_by_name, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, the_programs_own_marks_are_in_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, recordings_come_and_go_while_others_work, 0, WORKER_SWEEP);
    tcase_add_loop_test(each, a_pool_that_opens_later_takes_part, 0, WORKER_SWEEP);
    tcase_add_test(once, names_beyond_all_bounds_are_one);
    tcase_add_test(once, there_is_one_recording_at_a_time);
    tcase_add_test(once, options_are_checked);
    tcase_add_test(once, a_file_stops_at_its_bound_and_a_ring_keeps_the_newest);
    tcase_add_test(once, the_file_is_its_owners_alone);
    tcase_add_test(once, links_pipes_and_folders_are_not_written_to);
    tcase_add_test(once, what_was_recorded_survives_a_kill);
    tcase_add_test(once, a_child_writes_nothing_into_its_parents_trace);
    tcase_add_test(once, two_processes_do_not_share_a_file);
    tcase_add_test(once, the_environment_asks_for_a_recording);
    tcase_add_test(once, a_limit_of_file_sizes_ends_the_recording_and_not_the_program);
    tcase_add_test(once, a_snapshot_beyond_the_limit_of_file_sizes_fails_and_harms_nothing);
    tcase_add_test(once, nothing_is_recorded_where_there_is_no_space_for_a_chunk);
    tcase_add_test(once, a_disk_without_space_is_told);
    tcase_add_test(once, a_misspelt_level_is_told_and_makes_no_file);
    tcase_add_test(once, a_colon_may_be_in_a_files_name);
    suite_add_tcase(suite, each);
    suite_add_tcase(suite, once);
    return run_suite(suite);
}
