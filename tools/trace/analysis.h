/* analysis: what a run amounts to: its lengths, its sites, its waits, and what might be done. */
#ifndef FILCH_TOOL_ANALYSIS_H
#define FILCH_TOOL_ANALYSIS_H

#include "run.h"

/* All tasks of one function; or all runs of the elements of one loop's body. */
struct site {
    uint32_t name;
    uint64_t count;
    int64_t ran; /* without the tasks that ran on top */
    int64_t p50; /* of one */
    int64_t p99;
    int64_t most;
    int64_t waited;
    int64_t blamed; /* idle time of the other cores while only this ran */
    int64_t path;   /* of the longest chain */
    uint64_t stolen;
    uint32_t buckets[40]; /* by size: [i] counts those of 2^i ns and more */
};

/* All waits of the tasks of one function for one kind of thing. */
struct wait_site {
    uint32_t what; /* name of what was waited for */
    uint32_t name; /* whose tasks */
    uint64_t count;
    int64_t ns;
};

/* All needs of the tasks of one function for tasks of another. */
struct need_site {
    uint32_t name; /* whose tasks */
    uint32_t need; /* what they needed */
    uint64_t count;
    uint64_t last; /* how often that was the last of a task's needs to end */
};

struct analysis {
    const struct run *run;
    struct {
        struct site *at;
        size_t count, room;
    } sites; /* the largest first */
    struct {
        struct wait_site *at;
        size_t count, room;
    } waits; /* the longest first */
    struct {
        struct need_site *at;
        size_t count, room;
    } needs; /* the most first */
    struct dag_length length;
    bool *on_path;  /* by segment */
    int64_t burden; /* from publication to the begin on another core: the median */
    int64_t wake;   /* from a wake-up to a core in hand: the median */
    int64_t busy;   /* of all cores */
    int64_t active; /* how long anything ran at all */
    unsigned workers;
    bool sees_tasks;
    bool sees_forks;
    bool has_forks; /* thefts of forks were seen, so there were some */
};

struct analysis *analysis_of(const struct run *run);
void analysis_free(struct analysis *analysis);

/* Each hint is one sentence or two that cite numbers; call(context, text) for each. */
void analysis_hints(const struct analysis *analysis, void (*call)(void *context, const char *text),
                    void *context);

/* "1.25 ms", into `text`; which is returned. */
const char *format_ns(int64_t ns, char text[32]);

/* "fib (demos/fib.c:12)", into `text`, cut to `bytes`; which is returned. */
const char *format_site(const struct trace *trace, uint32_t name, char *text, size_t bytes);

/* Control characters of names are shown as question marks. */
void clean_text(char *text);

double percent(int64_t part, int64_t whole);

#endif
