/* Tasks that talk: channels and locks. crowd.c has what there are many of, talk.go the same rows
 * with goroutines. Main submits tasks and waits for their futures, as any program would. */
#include "rounds.h"

enum { ROOM = 100, PARTIES = 8, PERMITS = 4 };

/* ---- channels ---- */

FILCH_CHANNEL(box, int);

static box new_box(size_t capacity)
{
    box made;
    must(box_new(capacity, &made) == FILCH_OK, "a channel");
    return made;
}

FILCH_FUNCTION(uint64_t, ping, (box, there), (box, back), (int, n))
{
    uint64_t sum = 0;
    for (int i = 0, x = 0; i < n; i++) {
        must(box_send(there, i) == FILCH_OK && box_receive(back, &x) == FILCH_OK, "ping");
        sum += (uint64_t)x;
    }
    return sum;
}

FILCH_FUNCTION(uint64_t, pong, (box, there), (box, back), (int, n))
{
    for (int i = 0, x = 0; i < n; i++) {
        must(box_receive(there, &x) == FILCH_OK && box_send(back, x + 1) == FILCH_OK, "pong");
    }
    return 0;
}

FILCH_FUNCTION(uint64_t, produce, (box, out), (int, n))
{
    for (int i = 0; i < n; i++) {
        must(box_send(out, i) == FILCH_OK, "sending");
    }
    return 0;
}

FILCH_FUNCTION(uint64_t, consume, (box, in))
{
    uint64_t sum = 0;
    for (int x; box_receive(in, &x) == FILCH_OK;) {
        sum += (uint64_t)x;
    }
    return sum;
}

FILCH_FUNCTION(uint64_t, stage, (box, in), (box, out))
{
    for (int x; box_receive(in, &x) == FILCH_OK;) {
        must(box_send(out, x + 1) == FILCH_OK, "sending");
    }
    return (uint64_t)(box_close(out) != FILCH_OK);
}

/* A round: there and back. */
static double ping_pong(filch_pool *pool, int size, uint64_t *check)
{
    struct crew crew = {.pool = pool};
    box there = new_box(0);
    box back = new_box(0);
    double start = now_ns();
    BEGIN(&crew, ping, there, back, size);
    BEGIN(&crew, pong, there, back, size);
    *check += ended(&crew);
    double ns = now_ns() - start;
    box_free(there);
    box_free(back);
    return ns / size;
}

/* An item, from one of the producers to one of the consumers. */
static double through(filch_pool *pool, int size, uint64_t *check, size_t room, int producers,
                      int consumers)
{
    struct crew from = {.pool = pool};
    struct crew to = {.pool = pool};
    box between = new_box(room);
    double start = now_ns();
    for (int i = 0; i < consumers; i++) {
        BEGIN(&to, consume, between);
    }
    for (int i = 0; i < producers; i++) {
        BEGIN(&from, produce, between, size / producers);
    }
    *check += ended(&from);
    must(box_close(between) == FILCH_OK, "closing");
    *check += ended(&to);
    double ns = now_ns() - start;
    box_free(between);
    return ns / size;
}

static double channel(filch_pool *pool, int size, uint64_t *check)
{
    return through(pool, size, check, ROOM, 1, 1);
}

static double channel_4_4(filch_pool *pool, int size, uint64_t *check)
{
    return through(pool, size, check, ROOM, 4, 4);
}

static double fan_in(filch_pool *pool, int size, uint64_t *check)
{
    return through(pool, size, check, 0, PARTIES, 1);
}

/* An item, from the one that makes it through two more stages; three channels with ROOM. */
static double pipeline(filch_pool *pool, int size, uint64_t *check)
{
    struct crew crew = {.pool = pool};
    box boxes[3] = {new_box(ROOM), new_box(ROOM), new_box(ROOM)};
    double start = now_ns();
    for (int i = 0; i < 2; i++) {
        BEGIN(&crew, stage, boxes[i], boxes[i + 1]);
    }
    BEGIN(&crew, consume, boxes[2]);
    for (int i = 0; i < size; i++) {
        must(box_send(boxes[0], i) == FILCH_OK, "sending");
    }
    must(box_close(boxes[0]) == FILCH_OK, "closing");
    *check += ended(&crew);
    double ns = now_ns() - start;
    for (int i = 0; i < 3; i++) {
        box_free(boxes[i]);
    }
    return ns / size;
}

FILCH_FUNCTION(uint64_t, select_all, (const box *, boxes), (int, n))
{
    uint64_t sum = 0;
    int x = 0;
    filch_case cases[PARTIES];
    for (int i = 0; i < PARTIES; i++) {
        cases[i] = box_receiving(boxes[i], &x, NULL);
    }
    for (int i = 0; i < n; i++) {
        must(filch_first(cases, PARTIES, filch_never(), NULL) >= 0, "select");
        sum += (uint64_t)x;
    }
    return sum;
}

/* An item, received by a task that selects over 8 unbuffered channels, each with a producer. */
static double select_8(filch_pool *pool, int size, uint64_t *check)
{
    struct crew crew = {.pool = pool};
    box boxes[PARTIES];
    for (int i = 0; i < PARTIES; i++) {
        boxes[i] = new_box(0);
    }
    double start = now_ns();
    BEGIN(&crew, select_all, boxes, size / PARTIES * PARTIES);
    for (int i = 0; i < PARTIES; i++) {
        BEGIN(&crew, produce, boxes[i], size / PARTIES);
    }
    *check += ended(&crew);
    double ns = now_ns() - start;
    for (int i = 0; i < PARTIES; i++) {
        box_free(boxes[i]);
    }
    return ns / size;
}

/* ---- locks ---- */

struct guarded {
    filch_mutex mutex;
    filch_semaphore semaphore;
    filch_rwlock rwlock;
    uint64_t count;
};

static void hold_for(double ns)
{
    if (ns > 0) {
        for (double end = now_ns() + ns; now_ns() < end;) {
        }
    }
}

FILCH_FUNCTION(uint64_t, lock_often, (struct guarded *, of), (int, n), (double, hold_ns))
{
    for (int i = 0; i < n; i++) {
        must(filch_mutex_lock(&of->mutex) == FILCH_OK, "locking");
        of->count++;
        hold_for(hold_ns);
        must(filch_mutex_unlock(&of->mutex) == FILCH_OK, "unlocking");
    }
    return 0;
}

FILCH_FUNCTION(uint64_t, acquire_often, (struct guarded *, of), (int, n), (bool, yield))
{
    for (int i = 0; i < n; i++) {
        must(filch_semaphore_acquire(&of->semaphore) == FILCH_OK, "acquiring");
        if (yield) {
            filch_yield();
        }
        must(filch_semaphore_release(&of->semaphore, 1) == FILCH_OK, "releasing");
    }
    return (uint64_t)n;
}

/* One in `every` writes, the others read. */
FILCH_FUNCTION(uint64_t, share_often, (struct guarded *, of), (int, n), (int, every))
{
    uint64_t seen = 0;
    for (int i = 0; i < n; i++) {
        if (i % every == 0) {
            must(filch_rwlock_lock(&of->rwlock) == FILCH_OK, "locking");
            of->count++;
            must(filch_rwlock_unlock(&of->rwlock) == FILCH_OK, "unlocking");
        } else {
            must(filch_rwlock_lock_shared(&of->rwlock) == FILCH_OK, "sharing");
            seen |= of->count;
            must(filch_rwlock_unlock_shared(&of->rwlock) == FILCH_OK, "unsharing");
        }
    }
    return seen >> 63;
}

/* A lock and an unlock, by one of so many tasks. */
static double locked(filch_pool *pool, int size, uint64_t *check, int tasks, double hold_ns)
{
    struct crew crew = {.pool = pool};
    struct guarded of = {.mutex = FILCH_MUTEX_INIT};
    double start = now_ns();
    for (int i = 0; i < tasks; i++) {
        BEGIN(&crew, lock_often, &of, size / tasks, hold_ns);
    }
    *check += ended(&crew);
    double ns = now_ns() - start;
    *check += of.count;
    return ns / size;
}

static double mutex_contended(filch_pool *pool, int size, uint64_t *check)
{
    return locked(pool, size, check, PARTIES, 0);
}

static double mutex_free(filch_pool *pool, int size, uint64_t *check)
{
    return locked(pool, size, check, 1, 0);
}

static double mutex_held(filch_pool *pool, int size, uint64_t *check)
{
    return locked(pool, size, check, PARTIES, 1000);
}

/* The same of a read-write lock, which is shared but once in so often. */
static double shared(filch_pool *pool, int size, uint64_t *check, int every)
{
    struct crew crew = {.pool = pool};
    struct guarded of = {.rwlock = FILCH_RWLOCK_INIT};
    double start = now_ns();
    for (int i = 0; i < PARTIES; i++) {
        BEGIN(&crew, share_often, &of, size / PARTIES, every);
    }
    *check += ended(&crew);
    double ns = now_ns() - start;
    *check += of.count;
    return ns / size;
}

static double rwlock_read(filch_pool *pool, int size, uint64_t *check)
{
    return shared(pool, size, check, 1000);
}

static double rwlock_tenth(filch_pool *pool, int size, uint64_t *check)
{
    return shared(pool, size, check, 10);
}

/* An acquire and a release, by one of 8 tasks, of one of 4 permits. */
static double acquired(filch_pool *pool, int size, uint64_t *check, bool yield)
{
    struct crew crew = {.pool = pool};
    struct guarded of = {.count = 0};
    filch_semaphore_init(&of.semaphore, PERMITS);
    double start = now_ns();
    for (int i = 0; i < PARTIES; i++) {
        BEGIN(&crew, acquire_often, &of, size / PARTIES, yield);
    }
    *check += ended(&crew);
    return (now_ns() - start) / size;
}

static double semaphore(filch_pool *pool, int size, uint64_t *check)
{
    return acquired(pool, size, check, false);
}

/* The same, giving way while it is held, so that some always wait. */
static double semaphore_full(filch_pool *pool, int size, uint64_t *check)
{
    return acquired(pool, size, check, true);
}

int main(int argc, char **argv)
{
    static const struct rounds rows[] = {{"ping_pong", ping_pong},
                                         {"channel", channel},
                                         {"channel_4_4", channel_4_4},
                                         {"fan_in", fan_in},
                                         {"pipeline", pipeline},
                                         {"select_8", select_8},
                                         {"mutex_contended", mutex_contended},
                                         {"mutex_free", mutex_free},
                                         {"mutex_held", mutex_held},
                                         {"rwlock_read", rwlock_read},
                                         {"rwlock_tenth", rwlock_tenth},
                                         {"semaphore", semaphore},
                                         {"semaphore_full", semaphore_full}};
    return run_rounds(rows, sizeof rows / sizeof *rows, argc, argv);
}
