/* os without Linux: sleeping on a word through a table of condition variables, guards through
 * mprotect. Slower than os_linux.c and correct. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"
#include "os/os_poll.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { BUCKETS = 64 };

/* One process-wide table, as in the kernel's futex: words that share a bucket wake each other
 * spuriously, which every caller of filch_os_wait() tolerates. */
static struct bucket {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} buckets[BUCKETS];
static pthread_once_t buckets_once = PTHREAD_ONCE_INIT;
static _Atomic(uint32_t) fork_word;

static void make_buckets(void)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (int i = 0; i < BUCKETS; i++) {
        pthread_mutex_init(&buckets[i].mutex, NULL);
        pthread_cond_init(&buckets[i].changed, &monotonic);
    }
    pthread_condattr_destroy(&monotonic);
}

/* There is one thread: what holds a mutex, or sleeps, is in the parent. */
static void child_of_fork(void)
{
    pthread_once(&buckets_once, make_buckets);
    make_buckets();
    atomic_store_explicit(&fork_word, 0, memory_order_relaxed); /* as said */
}

static struct bucket *bucket_of(const void *word)
{
    pthread_once(&buckets_once, make_buckets);
    return &buckets[((uintptr_t)word >> 4) * 0x9E3779B97F4A7C15u >> 58];
}

const char *filch_os_refused(void)
{
    return NULL; /* the C library would end the process first */
}

void filch_os_thread_join(thrd_t thread)
{
    thrd_join(thread, NULL);
}

bool filch_os_wait(_Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns)
{
    struct bucket *bucket = bucket_of(word);
    int rc = 0;
    int cancel = filch_os_cancel_off(); /* or it would end here, the mutex in hand */
    pthread_mutex_lock(&bucket->mutex);
    /* Acquire although the mutex orders us: the waker stores before it takes the mutex. */
    if (atomic_load_explicit(word, memory_order_acquire) == expected) {
        if (deadline_ns == FILCH_OS_NEVER) {
            rc = pthread_cond_wait(&bucket->changed, &bucket->mutex);
        } else {
            struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                                     .tv_nsec = (long)(deadline_ns % 1000000000u)};
            rc = pthread_cond_timedwait(&bucket->changed, &bucket->mutex, &until);
        }
    }
    pthread_mutex_unlock(&bucket->mutex);
    filch_os_cancel_restore(cancel);
    return rc != ETIMEDOUT;
}

void filch_os_wake(_Atomic(uint32_t) *word, int count)
{
    (void)count; /* the bucket is shared: waking one could wake the wrong one */
    struct bucket *bucket = bucket_of((const void *)word);
    pthread_mutex_lock(&bucket->mutex);
    pthread_cond_broadcast(&bucket->changed);
    pthread_mutex_unlock(&bucket->mutex);
}

bool filch_os_wakes_from_handlers(void)
{
    return false; /* POSIX allows sem_post() alone */
}

void *filch_os_map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

bool filch_os_is_resident(void *memory, size_t bytes)
{
    (void)memory;
    return bytes > 0;
}

bool filch_os_guard(void *memory, size_t bytes)
{
    return mprotect(memory, bytes, PROT_NONE) == 0;
}

_Atomic(uint32_t) *filch_os_fork_word(void)
{
    pthread_atfork(NULL, NULL, child_of_fork);
    return &fork_word;
}

unsigned filch_os_affinity_count(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

uint64_t filch_os_thread_id(void)
{
    return (uint64_t)(uintptr_t)pthread_self();
}

size_t filch_os_signal_frame_bytes(void)
{
    return 0;
}

const char *filch_os_getenv(const char *name)
{
    return getuid() == geteuid() && getgid() == getegid() ? getenv(name) : NULL;
}

bool filch_os_event_make(int *read_end, int *write_end)
{
    return filch_os_event_pipe(read_end, write_end);
}

bool filch_os_event_set(int write_end)
{
    int cancel = filch_os_cancel_off();
    bool set = write(write_end, "", 1) == 1 || errno == EAGAIN; /* EAGAIN: it is set already */
    filch_os_cancel_restore(cancel);
    return set;
}

void filch_os_event_close(int read_end, int write_end)
{
    int cancel = filch_os_cancel_off();
    close(read_end);
    close(write_end);
    filch_os_cancel_restore(cancel);
}

unsigned filch_os_thread_count(void)
{
    return 0; /* POSIX has no way to ask */
}

unsigned filch_os_processors(unsigned *numbers, unsigned most)
{
    (void)numbers, (void)most;
    return 0; /* POSIX knows no processors */
}

void filch_os_bind(unsigned processor)
{
    (void)processor; /* as above */
}

void filch_os_thread_move(thrd_t thread)
{
    (void)thread; /* as above */
}

int filch_os_processor(void)
{
    return -1; /* as above */
}

bool filch_os_keep_off(uint64_t thread, int processor)
{
    (void)thread, (void)processor;
    return false; /* as above */
}

void filch_os_let_back(uint64_t thread, int processor)
{
    (void)thread, (void)processor; /* as above: they are not kept off */
}

/* POSIX has no such calls: the caller looks first. */
ssize_t filch_os_read_now(int fd, void *buffer, size_t bytes)
{
    (void)fd;
    (void)buffer;
    (void)bytes;
    return -EOPNOTSUPP;
}

ssize_t filch_os_write_now(int fd, const void *buffer, size_t bytes)
{
    (void)fd;
    (void)buffer;
    (void)bytes;
    return -EOPNOTSUPP;
}
