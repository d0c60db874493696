/* threads.h for builds under ThreadSanitizer, which does not know the C library's C11 thread calls
 * (a program that uses them crashes or is reported): the same calls over POSIX threads. Only what
 * filch and its tests use. */
#ifndef FILCH_SHADOW_THREADS_H
#define FILCH_SHADOW_THREADS_H

#include <pthread.h>
#include <time.h>
#include <stdint.h>
#include <stdlib.h>

typedef pthread_t thrd_t;
typedef int (*thrd_start_t)(void *);
typedef pthread_key_t tss_t;
typedef pthread_once_t once_flag;
enum { thrd_success, thrd_error };
#define ONCE_FLAG_INIT PTHREAD_ONCE_INIT

struct shadow_start {
    thrd_start_t main;
    void *argument;
};

static inline void *shadow_thread_main(void *argument)
{
    struct shadow_start start = *(struct shadow_start *)argument;
    free(argument);
    return (void *)(intptr_t)start.main(start.argument);
}

static inline int thrd_create(thrd_t *thread, thrd_start_t main, void *argument)
{
    struct shadow_start *start = malloc(sizeof *start);
    if (!start) {
        return thrd_error;
    }
    *start = (struct shadow_start){main, argument};
    if (pthread_create(thread, NULL, shadow_thread_main, start) != 0) {
        free(start);
        return thrd_error;
    }
    return thrd_success;
}

static inline int thrd_join(thrd_t thread, int *result)
{
    void *value;
    int rc = pthread_join(thread, &value);
    if (rc == 0 && result) {
        *result = (int)(intptr_t)value;
    }
    return rc == 0 ? thrd_success : thrd_error;
}

static inline _Noreturn void thrd_exit(int result)
{
    pthread_exit((void *)(intptr_t)result);
}

static inline thrd_t thrd_current(void)
{
    return pthread_self();
}

static inline int thrd_equal(thrd_t a, thrd_t b)
{
    return pthread_equal(a, b);
}

static inline int thrd_detach(thrd_t thread)
{
    return pthread_detach(thread) == 0 ? thrd_success : thrd_error;
}

static inline int thrd_sleep(const struct timespec *time, struct timespec *left)
{
    return nanosleep(time, left);
}

static inline int tss_create(tss_t *key, void (*destructor)(void *))
{
    return pthread_key_create(key, destructor) == 0 ? thrd_success : thrd_error;
}

static inline int tss_set(tss_t key, void *value)
{
    return pthread_setspecific(key, value) == 0 ? thrd_success : thrd_error;
}

static inline void call_once(once_flag *flag, void (*function)(void))
{
    pthread_once(flag, function);
}

#endif
