/* cpu: how many processors this process may really use.
 *
 * The smallest of the affinity mask and the quotas of the cgroups that the process is in, v1 or
 * v2, from its own up to the root. A quota of 1.5 processors counts as 2: one worker would leave
 * a third of it unused (oneTBB #190 and #2056 are this ignored, or rounded to 0 or 1). */
#ifndef FILCH_CPU_H
#define FILCH_CPU_H

#include "base/private.h"

enum filch_cpu_reason { FILCH_CPU_AFFINITY, FILCH_CPU_CGROUP_V1, FILCH_CPU_CGROUP_V2 };

struct filch_cpu {
    unsigned count; /* at least 1 */
    enum filch_cpu_reason reason;
};

/* `root` is "" or the top of a tree that has proc/self/cgroup and sys/fs/cgroup, for tests. */
FILCH_PRIVATE struct filch_cpu filch_cpu_detect(const char *root, unsigned affinity_count);

#endif
