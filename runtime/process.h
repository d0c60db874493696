/* process: the one object of which there is one per process. */
#ifndef FILCH_PROCESS_H
#define FILCH_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/log.h>
#include <filch/memory.h>

#include "lock.h"

struct filch_thread;
struct filch_pool;
struct filch_overflow;
struct filch_registered;
struct filch_fd_chunk;
struct filch_fd_sleeper;

enum { FILCH_FD_CHUNKS = 2048 };

struct filch_process {
    struct filch_lock lock;
    struct filch_thread *spare_threads;        /* lock */
    struct filch_thread *newest_thread;        /* lock; all records, through `older` */
    _Atomic(struct filch_pool *) default_pool; /* lock to write */
    void (*log)(void *context, filch_log_level level, const char *message); /* lock */
    void *log_context;                                                      /* lock */
    bool log_set;                                                           /* lock */
    bool warned;                         /* lock; of an environment variable that makes no sense */
    uint32_t last_token;                 /* lock */
    _Atomic(uint32_t) *fork_word;        /* lock; zeroed in a child */
    struct filch_overflow *overflow;     /* lock, until it is not NULL; overflow.c */
    struct filch_registered *registered; /* lock; api/registry.c */
    unsigned cpu_count;                  /* lock, until it is not 0 */
    char cpu_reason[48];                 /* lock, as cpu_count */

    filch_memory_hooks memory;   /* constant from the first allocation */
    _Atomic(int64_t) heap_bytes; /* taken less given back by threads that filch does not know */
    _Atomic(ptrdiff_t) mapped_bytes;

    struct filch_lock dump_lock;
    int dump_signal;   /* dump_lock; 0: none */
    int dump_event[2]; /* dump_lock to write; api/dump_signal.c */

    struct filch_lock sleepers_lock;
    struct filch_fd_sleeper *fd_sleepers; /* sleepers_lock; closing.c */
    _Atomic(struct filch_fd_chunk *) fd_chunks[FILCH_FD_CHUNKS]; /* never removed; closing.c */

    struct filch_lock pools_lock; /* held while somebody looks at other pools: they stay */
    struct filch_pool *pools;     /* pools_lock */
    uint32_t pool_number;         /* pools_lock; the last one's */
    uint64_t told;                /* pools_lock; the deadlock that was reported last */
};

struct filch_process *filch_process(void);

/* A number that says "this process, not its parent". 0: no memory. */
uint32_t filch_process_token(void);

/* False: `token` was given out before a fork(), in the parent. */
bool filch_process_owns(uint32_t token);

/* All pools that are open, for those who look at them from outside. */
void filch_process_add_pool(struct filch_pool *pool);
void filch_process_remove_pool(struct filch_pool *pool);

struct filch_thread *filch_process_take_thread(void);
void filch_process_give_thread(struct filch_thread *thread);

#endif
