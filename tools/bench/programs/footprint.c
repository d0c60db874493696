/* What things take, in bytes. Looks inside the library. */
#include <stdio.h>

#include <filch/filch.h>

#include "sched/core.h"
#include "sched/pool.h"
#include "sched/fiber.h"
#include "future/task_future.h"
#include "sched/thread.h"

int main(void)
{
    printf("pool %zu\n", sizeof(struct filch_pool) +
                             (FILCH_POOL_SPARES + 1) * sizeof(_Atomic(struct filch_core *)));
    printf("core %zu\n", sizeof(struct filch_core) + 64 * sizeof(void *));
    printf("thread record %zu\n", sizeof(struct filch_thread));
    printf("future of an int %zu\n", sizeof(struct filch_future) + sizeof(int));
    printf("fiber header %zu\n", sizeof(struct filch_fiber));
    return 0;
}
