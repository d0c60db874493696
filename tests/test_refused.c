/* A program forbids itself system calls (seccomp), one at a time, from the start or while a pool is
 * open. What filch does with the call is done without it, or what needs it says so; nothing hangs,
 * nothing spins. The calls are those that the library makes by strace -f -c of the suites. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

/* ---- the calls ---- */

enum need {
    ADVICE = 0,       /* all goes right without it */
    WORK = 1,         /* what needs it fails, and says so */
    OPEN = 2,         /* there is no pool without it; one that is open already goes on */
    C_LIBRARY = 4,    /* the C library may end the process over it, once it is too late to say so */
    NOT_SANITIZED = 8 /* a sanitizer's own runtime cannot do without it */
};

struct call {
    const char *name;
    unsigned need;
    long numbers[4]; /* all refused together; the rest is 0 */
};

/* The first is a number of its own: read() is 0 on some processors. */
#define CALL(name, need)                                                                           \
    {                                                                                              \
#name, need,                                                                               \
        {                                                                                          \
            SYS_##name                                                                             \
        }                                                                                          \
    }

/* Not in the list: brk, whose refusal the C library takes for an address; rseq, whose refusal it
 * notices as a thread starts, and then ends the process; exit, exit_group and rt_sigreturn, after
 * which nothing goes on anywhere; wait4 and timer_create, with which Check watches a test. */
static const struct call calls[] = {
    CALL(clock_nanosleep, ADVICE),
    CALL(clone3, WORK | NOT_SANITIZED),
    {"threads", WORK | NOT_SANITIZED, {SYS_clone3, SYS_clone}},
    CALL(close, ADVICE),
    CALL(connect, ADVICE),
    CALL(epoll_create1, WORK),
    CALL(epoll_ctl, WORK),
#ifdef SYS_epoll_wait
    {"epoll_wait", WORK, {SYS_epoll_wait, SYS_epoll_pwait}},
#else
    CALL(epoll_pwait, WORK),
#endif
    CALL(eventfd2, ADVICE),
    CALL(fallocate, WORK),
    CALL(fchmod, WORK),
    CALL(fcntl, WORK),
    CALL(flock, WORK),
    CALL(ftruncate, WORK),
    CALL(futex, OPEN | C_LIBRARY | NOT_SANITIZED),
    CALL(getpid, ADVICE),
    CALL(getrandom, ADVICE),
    CALL(getsockopt, ADVICE),
    CALL(gettid, ADVICE),
    CALL(madvise, NOT_SANITIZED),
    CALL(membarrier, ADVICE),
    CALL(mmap, WORK | OPEN | NOT_SANITIZED),
    CALL(mprotect, WORK | NOT_SANITIZED),
    CALL(mremap, NOT_SANITIZED),
    CALL(munmap, NOT_SANITIZED),
    {"files", WORK | NOT_SANITIZED, {SYS_openat, SYS_newfstatat}},
    CALL(pipe2, WORK), /* of the POSIX layer */
#ifdef SYS_poll
    {"poll", WORK, {SYS_poll, SYS_ppoll}},
#else
    CALL(ppoll, WORK),
#endif
    CALL(prctl, ADVICE),
    CALL(prlimit64, NOT_SANITIZED),
    {"read", WORK | NOT_SANITIZED, {SYS_read, SYS_preadv2}},
    CALL(recvfrom, WORK),
    CALL(rt_sigaction, WORK),
    CALL(rt_sigprocmask, OPEN | C_LIBRARY | NOT_SANITIZED),
    CALL(sched_getaffinity, NOT_SANITIZED),
    CALL(sched_setaffinity, ADVICE),
    CALL(sched_yield, ADVICE),
    CALL(sendto, ADVICE),
    CALL(set_robust_list, ADVICE),
    CALL(sigaltstack, NOT_SANITIZED),
    {"write", WORK, {SYS_write, SYS_pwritev2}},
};
enum { CALLS = sizeof calls / sizeof *calls };

enum when { FROM_THE_START, LATER, LATER_HERE }; /* the last: to one thread alone */

struct trial {
    const struct call *call;
    char path[64];    /* of its own */
    filch_pool *pool; /* likewise */
    enum when when;
    int error; /* what the filter answers */
};

/* ---- refusing ---- */

static bool refuse(const struct trial *trial)
{
    enum { HEAD = 1, MOST = 4 };
    struct sock_filter code[HEAD + 2 * MOST + 1] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short n = HEAD;
    for (int i = 0; i < MOST && (i == 0 || trial->call->numbers[i]); i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                 (unsigned)trial->call->numbers[i], 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(
            BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)trial->error & SECCOMP_RET_DATA));
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = n, .filter = code};
    unsigned long flags = trial->when == LATER ? SECCOMP_FILTER_FLAG_TSYNC : 0; /* all threads */
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
}

/* ---- what a child does ---- */

enum answer { RIGHT, REPORTED, WRONG };

static enum answer from_status(filch_status status, bool right)
{
    switch (status) {
    case FILCH_OK: return right ? RIGHT : WRONG;
    case FILCH_ENOMEM:
    case FILCH_EAGAIN:
    case FILCH_ENOSYS: return REPORTED;
    default: return WRONG;
    }
}

FILCH_FUNCTION(int, square, (int, x))
{
    return x * x;
}

FILCH_FUNCTION(int, nap, (double, seconds))
{
    return (int)filch_sleep(seconds);
}

FILCH_FUNCTION(int, nap_blocking, (int, milliseconds))
{
    FILCH_BLOCKING
    {
        usleep((unsigned)milliseconds * 1000);
    }
    return milliseconds;
}

FILCH_CHANNEL(numbers, int);

FILCH_FUNCTION(int, sum_of, (numbers, in))
{
    int sum = 0;
    int value;
    while (numbers_receive(in, &value) == FILCH_OK) {
        sum += value;
    }
    return sum;
}

/* Some calls have no deadline of the kernel's: ours ends them. */
FILCH_FUNCTION(int, read_byte, (int, fd), (double, seconds))
{
    char byte = 0;
    ssize_t n = filch_read_until(fd, &byte, 1, filch_in(seconds));
    return n == 1 ? byte : n < 0 ? (int)n : 0;
}

static enum answer maps(const struct trial *trial)
{
    enum { N = 200 };
    int in[N];
    int out[N] = {0};
    for (int i = 0; i < N; i++) {
        in[i] = i;
    }
    filch_status status = square_map(trial->pool, in, N, out);
    return from_status(status, out[N - 1] == (N - 1) * (N - 1));
}

static enum answer sleeps(const struct trial *trial)
{
    int out = -1;
    filch_status status = nap_apply(trial->pool, 0.002, &out);
    if (status == FILCH_OK) {
        status = filch_sleep(0.002);
    }
    return from_status(status, out == FILCH_OK);
}

static enum answer uses_futures(const struct trial *trial)
{
    enum { N = 20 };
    filch_future *futures[N];
    enum answer answer = RIGHT;
    int n = 0;
    while (n < N && answer == RIGHT) {
        answer = from_status(n % 2 ? nap_apply_async(trial->pool, 0.001, &futures[n])
                                   : nap_blocking_apply_async(trial->pool, 1, &futures[n]),
                             true);
        n += answer == RIGHT;
    }
    for (int i = 0; i < n; i++) {
        int value = -1;
        filch_status status =
            i % 2 ? nap_get(futures[i], &value) : nap_blocking_get(futures[i], &value);
        enum answer one = from_status(status, value == (i % 2 ? 0 : 1));
        answer = one > answer ? one : answer;
        filch_future_free(futures[i]);
    }
    return answer;
}

static enum answer uses_channels(const struct trial *trial)
{
    numbers box;
    filch_future *future;
    int sum = 0;
    enum answer answer = from_status(numbers_new(4, &box), true);
    if (answer != RIGHT) {
        return answer;
    }
    answer = from_status(sum_of_apply_async(trial->pool, box, &future), true);
    for (int i = 1; i <= 100 && answer == RIGHT; i++) {
        answer = from_status(numbers_send(box, i), true);
    }
    numbers_close(box);
    if (answer == RIGHT) {
        filch_status status = sum_of_get(future, &sum);
        filch_future_free(future);
        answer = from_status(status, sum == 5050);
    }
    numbers_free(box);
    return answer;
}

static enum answer reads(const struct trial *trial)
{
    int ends[2];
    int byte = 0;
    filch_future *future;
    if (pipe(ends) != 0) {
        return RIGHT; /* that is the program's own affair */
    }
    enum answer answer =
        from_status(read_byte_apply_async(trial->pool, ends[0], INFINITY, &future), true);
    filch_sleep(0.002);
    if (write(ends[1], "x", 1) != 1) {
        close(ends[1]); /* which the reader sees, too */
        ends[1] = -1;
    }
    if (answer == RIGHT) {
        answer = from_status(read_byte_get(future, &byte), true);
        filch_future_free(future);
    }
    if (answer == RIGHT && byte != 'x') {
        answer = byte <= 0 ? REPORTED : WRONG;
    }
    close(ends[0]);
    close(ends[1]);
    return answer;
}

static enum answer tells_by_descriptor(const struct trial *trial)
{
    filch_future *future;
    struct pollfd one = {.events = POLLIN};
    enum answer answer = from_status(nap_apply_async(trial->pool, 0.003, &future), true);
    if (answer != RIGHT) {
        return answer;
    }
    answer = from_status(filch_future_fd(future, &one.fd), true);
    any_status(filch_future_wait(future));
    if (answer == RIGHT && poll(&one, 1, 500) != 1) {
        answer = REPORTED; /* poll() is the program's, but what sets the descriptor is refused */
    }
    filch_future_free(future);
    return answer;
}

static enum answer binds(const struct trial *trial)
{
    filch_pool_options options = {.processes = 2, .bind_workers = 1};
    struct trial bound = *trial;
    enum answer answer = from_status(filch_pool_open(&options, &bound.pool), true);
    if (answer == RIGHT) {
        answer = sleeps(&bound);
        answer = filch_pool_free(bound.pool) == FILCH_OK ? answer : WRONG;
    }
    return answer;
}

static enum answer traces(const struct trial *trial)
{
    filch_status status = filch_trace_start(&(filch_trace_options){.path = trial->path});
    if (status == FILCH_OK) {
        sleeps(trial);
        filch_trace_stop();
    }
    unlink(trial->path);
    return status == FILCH_EINVAL || status == FILCH_EBUSY ? REPORTED : from_status(status, true);
}

static enum answer dumps(const struct trial *trial)
{
    (void)trial;
    if (SANITIZED) {
        return RIGHT; /* nothing is hidden of what a sanitizer says */
    }
    filch_status status = filch_dump_on_signal(SIGUSR1);
    if (status == FILCH_OK) {
        raise(SIGUSR1);
    }
    return from_status(status, true);
}

static enum answer forks(const struct trial *trial)
{
    int status = 0;
    pid_t child = SANITIZED ? -1 : fork();
    if (child == 0) {
        int out;
        _exit(square_apply(trial->pool, 2, &out) == FILCH_EFORKED ? 0 : 1);
    }
    return child > 0 && (waitpid(child, &status, 0) != child || status != 0) ? WRONG : RIGHT;
}

static enum answer (*const works[])(const struct trial *trial) = {
    maps,  uses_futures, sleeps, uses_channels, reads, tells_by_descriptor,
    binds, traces,       dumps,  forks};
enum { WORKS = sizeof works / sizeof *works };

/* ---- idleness ---- */

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void rest(void)
{
    struct timespec while_idle = {.tv_nsec = 100000000};
    if (nanosleep(&while_idle, NULL) != 0) {
        poll(NULL, 0, 100);
    }
}

/* Nothing spins while a task waits for a descriptor, one for the time, and the rest for work. */
static enum answer idles(const struct trial *trial)
{
    int ends[2] = {-1, -1};
    filch_future *reader = NULL;
    filch_future *sleeper = NULL;
    if (pipe(ends) == 0) {
        any_status(read_byte_apply_async(trial->pool, ends[0], 0.15, &reader));
    }
    any_status(nap_apply_async(trial->pool, 0.15, &sleeper));
    filch_sleep(0.02);
    double before = cpu_seconds();
    rest();
    bool calm = cpu_seconds() - before < 0.05;
    any_status(filch_future_wait(reader));
    any_status(filch_future_wait(sleeper));
    filch_future_free(reader);
    filch_future_free(sleeper);
    close(ends[0]);
    close(ends[1]);
    return calm ? RIGHT : WRONG;
}

/* ---- a child ---- */

enum { OPENS_WRONG = 20, LOGS_NOTHING, CANNOT_REFUSE, FREES_WRONG, SPINS, WORKS_WRONG = 40 };

static void hear(void *context, filch_log_level level, const char *message)
{
    (void)level;
    snprintf(context, 200, "%s", message);
}

static int open_refused(const struct trial *trial, filch_status status, const char *log)
{
    if (from_status(status, false) != REPORTED ||
        (trial->when == FROM_THE_START && !(trial->call->need & OPEN))) {
        return OPENS_WRONG;
    }
    return status == FILCH_ENOSYS && !strstr(log, trial->call->name) ? LOGS_NOTHING : REPORTED;
}

/* The C library keeps small stacks of threads that have ended, and ends the process when it may not
 * unmap a large one. Under sanitizers all are large, and munmap is not refused. */
static void few_bytes_of_stack(void)
{
    if (SANITIZED) {
        return;
    }
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 19);
    pthread_setattr_default_np(&small);
    pthread_attr_destroy(&small);
}

static int try(struct trial *trial)
{
    char log[200] = "";
    few_bytes_of_stack();
    if (!SANITIZED) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    }
    filch_log_to(hear, log);
    if (trial->when == FROM_THE_START && !refuse(trial)) {
        return CANNOT_REFUSE;
    }
    filch_status opened = filch_pool_open(&(filch_pool_options){.processes = 2}, &trial->pool);
    if (opened != FILCH_OK) {
        return open_refused(trial, opened, log);
    }
    if (trial->when != FROM_THE_START) {
        for (int i = 0; i < WORKS; i++) {
            if (works[i](trial) != RIGHT) {
                return WORKS_WRONG + WORKS + i;
            }
        }
        if (!refuse(trial)) {
            return CANNOT_REFUSE;
        }
    }
    enum answer answer = RIGHT;
    for (int i = 0; i < WORKS; i++) {
        enum answer one = works[i](trial);
        if (one == WRONG) {
            return WORKS_WRONG + i;
        }
        answer = one > answer ? one : answer;
    }
    if (idles(trial) != RIGHT) {
        return SPINS;
    }
    return filch_pool_free(trial->pool) == FILCH_OK ? (int)answer : FREES_WRONG;
}

static pid_t begin(struct trial *trial)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(SANITIZED ? 60 : 20);
        _exit(try(trial));
    }
    return child;
}

/* It sleeps through the C library, and cannot try whether that would do. */
static bool on_posix_layer(void)
{
    return filch_os_thread_count() == 0;
}

/* False, and said, if it went wrong. */
static bool ends_well(const struct trial *trial, pid_t child)
{
    int status;
    unsigned need = trial->call->need;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    unlink(trial->path);
    if (WIFSIGNALED(status) && need & C_LIBRARY &&
        (trial->when != FROM_THE_START || on_posix_layer())) {
        /* "The futex facility returned an unexpected error code"; with SIGSEGV where abort() is not
         * allowed to unblock SIGABRT. */
        return WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGSEGV;
    }
    bool may_report = need & WORK || need & OPEN;
    bool good = WIFEXITED(status) &&
                (WEXITSTATUS(status) == RIGHT || (WEXITSTATUS(status) == REPORTED && may_report));
    if (!good) {
        static const char *const whens[] = {"from the start", "later", "later to one thread"};
        fprintf(stderr, "%s refused %s with \"%s\": %s %d\n", trial->call->name, whens[trial->when],
                strerror(trial->error), WIFEXITED(status) ? "answer" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    return good;
}

enum { TRIALS = CALLS * 3 * 2, AT_ONCE = 20 };

static int prepare(struct trial trials[TRIALS])
{
    static const int errors[] = {EPERM, ENOSYS};
    int n = 0;
    for (int i = 0; i < TRIALS; i++) {
        const struct call *call = &calls[i % CALLS];
        if (!(SANITIZED && call->need & NOT_SANITIZED)) {
            struct trial *trial = &trials[n++];
            trial->call = call;
            trial->when = (enum when)(i / CALLS % 3);
            trial->error = errors[i / CALLS / 3];
            snprintf(trial->path, sizeof trial->path, "/tmp/filch-refused-%ld-%d", (long)getpid(),
                     i);
        }
    }
    return n;
}

START_TEST(whatever_call_is_refused_nothing_hangs_spins_or_lies)
{
    static struct trial trials[TRIALS];
    static pid_t children[TRIALS];
    int n = prepare(trials);
    int bad = 0;
    for (int i = 0; i < n + AT_ONCE; i++) {
        if (i >= AT_ONCE) {
            bad += !ends_well(&trials[i - AT_ONCE], children[i - AT_ONCE]);
        }
        if (i < n) {
            children[i] = begin(&trials[i]);
        }
    }
    ck_assert_int_eq(bad, 0);
}
END_TEST

/* ---- what opening says ---- */

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static const struct call *call_named(const char *name)
{
    int i = 0;
    while (strcmp(calls[i].name, name) != 0) {
        i++;
    }
    return &calls[i];
}

static int open_without(const char *name, filch_status eager, filch_status lazy)
{
    struct trial trial = {.call = call_named(name), .error = EPERM};
    filch_pool_options options = {.processes = 2, .eager_threads = 1};
    char log[200] = "";
    int in[3] = {1, 2, 3};
    int out[3] = {0};
    filch_log_to(hear, log);
    if (!refuse(&trial) || filch_pool_open(&options, &trial.pool) != eager || trial.pool) {
        return 1;
    }
    options.eager_threads = 0;
    if (filch_pool_open(&options, &trial.pool) != lazy) {
        return 2;
    }
    if (lazy != FILCH_OK) {
        return (lazy == FILCH_ENOSYS) == (strstr(log, name) != NULL) ? 0 : 3;
    }
    if (square_map(trial.pool, in, 3, out) != FILCH_OK || out[2] != 9 ||
        square_apply_async(trial.pool, 1, NULL) != FILCH_EAGAIN) {
        return 4;
    }
    return filch_pool_free(trial.pool) == FILCH_OK ? 0 : 5;
}

START_TEST(opening_says_what_is_missing_and_without_threads_the_caller_works)
{
    static const struct {
        const char *name;
        filch_status eager;
        filch_status lazy;
    } cases[] = {{"threads", FILCH_EAGAIN, FILCH_OK},
                 {"mmap", FILCH_ENOMEM, FILCH_ENOMEM},
                 {"futex", FILCH_ENOSYS, FILCH_ENOSYS}};
    int n = on_posix_layer() ? 1 : 3; /* which keeps no page of its own, and sees no futex */
    for (int i = 0; i < n; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            _exit(open_without(cases[i].name, cases[i].eager, cases[i].lazy));
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %x", cases[i].name,
                      (unsigned)status);
    }
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("refused");
    TCase *tcase = tcase_create("refused");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, whatever_call_is_refused_nothing_hangs_spins_or_lies);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    tcase_add_test(tcase, opening_says_what_is_missing_and_without_threads_the_caller_works);
#endif
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
