/* filch/adapters/libav.h: FFmpeg's filters and codecs run their slices on a filch pool.
 *
 *     #include <filch/adapters/libav.h>
 *
 *     // Before any filter is added. NULL: the default pool.
 *     AVFilterGraph *new_graph(filch_pool *pool)
 *     {
 *         AVFilterGraph *graph = avfilter_graph_alloc();
 *         if (graph) {
 *             filch_libav_use_in_graph(graph, pool);
 *         }
 *         return graph;
 *     }
 *
 *     // In the place of avcodec_open2().
 *     int open_sliced(AVCodecContext *codec, const AVCodec *type, filch_pool *pool)
 *     {
 *         codec->thread_type = FF_THREAD_SLICE;
 *         codec->thread_count = (int)filch_pool_workers(pool);
 *         int error = avcodec_open2(codec, type, NULL);
 *         if (error == 0) {
 *             filch_libav_use_in_codec(codec, pool);
 *         }
 *         return error;
 *     }
 *
 *     cc app.c $(pkg-config --cflags --libs filch libavfilter libavcodec libavutil)
 *
 * `opaque` of graph and codec is the pool then, which must stay as long as they do. One that has an
 * `opaque` of its own sets the callbacks itself: to functions of a line each that call
 * filch_libav_filter_on(), filch_libav_execute_on() and filch_libav_execute2_on(), with any pool.
 *
 * A graph starts no threads. A codec that is opened for slices does, but they have nothing to do
 * and sleep; frame threads (FF_THREAD_FRAME) are FFmpeg's own in any case, and so are the slices of
 * VP8's and VP9's decoders. What is computed is what FFmpeg's own threads compute. In the child of
 * a fork(), and where the pool is closed or there is no memory, jobs run on the caller in order. */
#ifndef FILCH_ADAPTERS_LIBAV_H
#define FILCH_ADAPTERS_LIBAV_H

#ifdef __cplusplus
extern "C" {
#endif

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>

#ifdef __cplusplus
}
#endif

#include <filch/kind.h>
#include <filch/slots.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- filters ---- */

typedef struct filch_libav_filter {
    AVFilterContext *filter;
    avfilter_action_func *action;
    void *argument;
    int *results; /* NULL: not wanted */
    int count;
} filch_libav_filter;

static inline void filch_libav_filter_job(size_t i, size_t slot, void *jobs)
{
    const filch_libav_filter *all = (const filch_libav_filter *)jobs;
    int result = all->action(all->filter, all->argument, (int)i, all->count);
    (void)slot;
    if (all->results) {
        all->results[i] = result;
    }
}

/* Effect: an AVFilterGraph.execute on a given pool, NULL: the default pool. Returns: 0. */
static inline int filch_libav_filter_on(filch_pool *pool, AVFilterContext *filter,
                                        avfilter_action_func *action, void *argument, int *results,
                                        int count)
{
    static const filch_function_info info = {
        "libavfilter", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, 0};
    filch_libav_filter jobs = {filter, action, argument, results, count};
    size_t n = count > 0 ? (size_t)count : 0;
    filch_parallel_slots(pool, n, n + 1, filch_libav_filter_job, &jobs, &info);
    return 0;
}

static inline int filch_libav_graph_execute(AVFilterContext *filter, avfilter_action_func *action,
                                            void *argument, int *results, int count)
{
    return filch_libav_filter_on((filch_pool *)filter->graph->opaque, filter, action, argument,
                                 results, count);
}

/* Effect: the graph's filters run on this pool, in as many slices as it has workers, unless
 * nb_threads says otherwise. Sets execute, opaque and nb_threads.
 * Threads: one, before any filter is added. Does not block. */
static inline void filch_libav_use_in_graph(AVFilterGraph *graph, filch_pool *pool)
{
    graph->execute = filch_libav_graph_execute;
    graph->opaque = pool;
    if (graph->nb_threads <= 0) { /* FFmpeg would make no slices at all */
        graph->nb_threads = (int)filch_pool_workers(pool);
    }
}

/* ---- codecs ---- */

typedef struct filch_libav_codec {
    AVCodecContext *codec;
    int (*action)(AVCodecContext *codec, void *argument);                       /* execute's, or */
    int (*action2)(AVCodecContext *codec, void *argument, int job, int thread); /* execute2's */
    char *argument;
    size_t bytes; /* execute: from one job's argument to the next */
    int *results; /* NULL: not wanted */
} filch_libav_codec;

static inline void filch_libav_codec_job(size_t i, size_t slot, void *jobs)
{
    const filch_libav_codec *all = (const filch_libav_codec *)jobs;
    int result = all->action ? all->action(all->codec, all->argument + i * all->bytes)
                             : all->action2(all->codec, all->argument, (int)i, (int)slot);
    if (all->results) {
        all->results[i] = result;
    }
}

static inline int filch_libav_run(filch_pool *pool, filch_libav_codec *jobs, int count)
{
    static const filch_function_info info = {
        "libavcodec", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, 0};
    int threads = jobs->codec->thread_count;
    filch_parallel_slots(pool, count > 0 ? (size_t)count : 0, threads > 0 ? (size_t)threads : 1,
                         filch_libav_codec_job, jobs, &info);
    return 0;
}

/* Effect: an AVCodecContext.execute on a given pool, NULL: the default pool. Returns: 0. */
static inline int filch_libav_execute_on(filch_pool *pool, AVCodecContext *codec,
                                         int (*action)(AVCodecContext *codec, void *argument),
                                         void *arguments, int *results, int count, int bytes)
{
    filch_libav_codec jobs = {codec, action, NULL, (char *)arguments, (size_t)bytes, results};
    return filch_libav_run(pool, &jobs, count);
}

/* Effect: an AVCodecContext.execute2, likewise. */
static inline int filch_libav_execute2_on(filch_pool *pool, AVCodecContext *codec,
                                          int (*action)(AVCodecContext *codec, void *argument,
                                                        int job, int thread),
                                          void *argument, int *results, int count)
{
    filch_libav_codec jobs = {codec, NULL, action, (char *)argument, 0, results};
    return filch_libav_run(pool, &jobs, count);
}

static inline int filch_libav_codec_execute(AVCodecContext *codec,
                                            int (*action)(AVCodecContext *codec, void *argument),
                                            void *arguments, int *results, int count, int bytes)
{
    return filch_libav_execute_on((filch_pool *)codec->opaque, codec, action, arguments, results,
                                  count, bytes);
}

static inline int filch_libav_codec_execute2(AVCodecContext *codec,
                                             int (*action)(AVCodecContext *codec, void *argument,
                                                           int job, int thread),
                                             void *argument, int *results, int count)
{
    return filch_libav_execute2_on((filch_pool *)codec->opaque, codec, action, argument, results,
                                   count);
}

/* Effect: the codec runs its slices on this pool, at most thread_count at a time. Sets execute,
 * execute2 and opaque.
 * Threads: one, after avcodec_open2() and before the first frame. Does not block. */
static inline void filch_libav_use_in_codec(AVCodecContext *codec, filch_pool *pool)
{
    if (codec->codec_id != AV_CODEC_ID_VP8) { /* whose jobs would have to run at the same time */
        codec->execute = filch_libav_codec_execute;
        codec->execute2 = filch_libav_codec_execute2;
        codec->opaque = pool;
    }
}

#ifdef __cplusplus
}
#endif

#endif
