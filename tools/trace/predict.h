/* predict: how long a recorded order of work would take on other numbers of cores.
 *
 * The segments of a run are played on virtual cores with filch's own policy: the newest of the own
 * deque first, else the oldest of a random other's, which begins after a delay drawn from those
 * that were recorded. Several seeds give a band. It never takes less than work / cores or than the
 * longest chain, and with no delay (any greedy schedule) never more than their sum (Brent 1974). */
#ifndef FILCH_TOOL_PREDICT_H
#define FILCH_TOOL_PREDICT_H

#include "dag.h"

enum { PREDICT_POINTS = 11 }; /* 1, 2, 4 ... 1024 cores */

struct delays {
    const int64_t *ns; /* of thefts, to be drawn from */
    size_t count;      /* 0: thefts take no time */
};

struct prediction {
    unsigned cores;
    int64_t low; /* a tenth of the seeds are faster */
    int64_t median;
    int64_t high; /* a tenth are slower */
};

/* One schedule of a finished dag. */
int64_t predict_once(const struct dag *dag, unsigned cores, struct delays delays, uint64_t seed);

/* `seeds` of them. */
struct prediction predict(const struct dag *dag, unsigned cores, struct delays delays,
                          unsigned seeds);

/* How many seeds are worth it for a dag of that size. */
unsigned predict_seeds(const struct dag *dag);

/* A finished copy in which segments of several parts are that many segments, but none much shorter
 * than `grain` nanoseconds; and changed as what-if says: */
struct what_if {
    const double *scale;   /* by task; NULL: all 1 */
    const unsigned *parts; /* by task: all its segments can be divided so; NULL: none more */
    bool without_locks;    /* mutexes are always free */
};
void predict_expand(const struct dag *dag, int64_t grain, const struct what_if *change,
                    struct dag *expanded);

#endif
