/* FFmpeg's filters and codecs on a pool: the bits of its own threads, from everywhere. */
#define _GNU_SOURCE
#include "everywhere.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <filch/adapters/libav.h>
#include <libavfilter/buffersink.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>

/* ThreadSanitizer does not see how threads that are not built with it wait for each other. */
#if defined(__SANITIZE_THREAD__)
enum { OWN_THREADS = 0 };
#else
enum { OWN_THREADS = 1 };
#endif

#if defined(__SANITIZE_ADDRESS__)
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libx265"; /* some of what it has, when it is closed */
}
#endif

enum { FRAMES = 3, THREADS = 4, WIDE = 640, HIGH = 384 };

static atomic_int calls; /* of the callbacks that count */

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t count)
{
    uint64_t word;
    for (size_t i = 0; i < count; i += sizeof word) {
        word = 0;
        memcpy(&word, bytes + i, count - i < sizeof word ? count - i : sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static uint64_t hash_frame(uint64_t hash, const AVFrame *frame)
{
    int bytes = av_image_get_buffer_size(frame->format, frame->width, frame->height, 1);
    uint8_t *copy = malloc((size_t)bytes);
    int copied =
        av_image_copy_to_buffer(copy, bytes, (const uint8_t *const *)frame->data, frame->linesize,
                                frame->format, frame->width, frame->height, 1);
    hash = copied == bytes ? hash_bytes(hash, copy, (size_t)bytes) : 0;
    free(copy);
    return hash;
}

/* ---- filters ---- */

static const char *const chains[] = {
    "testsrc2=size=1920x1080:rate=25,format=yuv420p,gblur=sigma=5,unsharp",
    "testsrc2=size=640x480:rate=25,format=gbrp,avgblur=sizeX=7,negate,lenscorrection=k1=0.1",
};
enum { CHAINS = sizeof chains / sizeof *chains };

static uint64_t expected_of_chains[CHAINS];

static int count_and_filter(AVFilterContext *filter, avfilter_action_func *action, void *argument,
                            int *results, int count)
{
    atomic_fetch_add(&calls, 1);
    return filch_libav_filter_on(filter->graph->opaque, filter, action, argument, results, count);
}

/* The hash of its first frames; 0: it failed. */
static uint64_t run_graph(AVFilterGraph *graph, const char *chain)
{
    char text[300];
    uint64_t hash = 0xcbf29ce484222325u;
    AVFilterInOut *inputs = NULL;
    AVFilterInOut *outputs = NULL;
    AVFrame *frame = av_frame_alloc();
    snprintf(text, sizeof text, "%s,buffersink@out", chain);
    bool good = avfilter_graph_parse2(graph, text, &inputs, &outputs) >= 0 &&
                avfilter_graph_config(graph, NULL) >= 0;
    AVFilterContext *sink = good ? graph->filters[graph->nb_filters - 1] : NULL;
    for (unsigned i = 0; good && i < graph->nb_filters; i++) {
        if (strcmp(graph->filters[i]->filter->name, "buffersink") == 0) {
            sink = graph->filters[i];
        }
    }
    for (int i = 0; good && i < FRAMES; i++) {
        good = av_buffersink_get_frame(sink, frame) >= 0;
        hash = good ? hash_frame(hash, frame) : 0;
        av_frame_unref(frame);
    }
    av_frame_free(&frame);
    avfilter_inout_free(&inputs);
    avfilter_inout_free(&outputs);
    avfilter_graph_free(&graph);
    return good ? hash : 0;
}

static bool filters_well(filch_pool *pool, unsigned number)
{
    bool well = true;
    for (int i = 0; i < CHAINS; i++) {
        AVFilterGraph *graph = avfilter_graph_alloc();
        filch_libav_use_in_graph(graph, pool);
        if (number == 0) {
            graph->execute = count_and_filter;
        }
        well = well && run_graph(graph, chains[i]) == expected_of_chains[i];
    }
    return well;
}

/* What FFmpeg's own threads make of them. */
static void expect_of_chains(void)
{
    av_log_set_level(AV_LOG_ERROR);
    for (int i = 0; i < CHAINS; i++) {
        AVFilterGraph *graph = avfilter_graph_alloc();
        graph->nb_threads = 1 + OWN_THREADS;
        expected_of_chains[i] = run_graph(graph, chains[i]);
        ck_assert(expected_of_chains[i]);
    }
}

START_TEST(filters_compute_to_the_bit_what_ffmpegs_own_threads_compute)
{
    filch_pool *pool = pool_of((int[]){1, 3}[_i]);
    expect_of_chains();
    works_everywhere(pool, filters_well);
    ck_assert_int_gt(calls, 0);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

START_TEST(filters_are_right_without_a_pool_too)
{
    expect_of_chains();
    works_without_a_pool(filters_well);
}
END_TEST

/* ---- codecs ---- */

static const struct codec_case {
    const char *encoder;
    enum AVPixelFormat format;
    const char *options; /* of the encoder */
    bool encodes;        /* in slices; decoders all do */
    bool starts;         /* threads of its own, in any case */
} codecs[] = {
    {"ffv1", AV_PIX_FMT_YUV420P, "level=3:slices=12", true, false},
    {"mpeg2video", AV_PIX_FMT_YUV420P, "qscale=4", true, false},
    {"prores_ks", AV_PIX_FMT_YUV422P10, "", true, false},
    {"dnxhd", AV_PIX_FMT_YUV422P, "profile=dnxhr_sq", true, false},
    /* Rows that wait for each other; and parts that only come to an end together. */
    {"libx265", AV_PIX_FMT_YUV420P, "preset=ultrafast:x265-params=log-level=none", false, true},
    {"libvpx", AV_PIX_FMT_YUV420P, "deadline=realtime:cpu-used=8:b=2M", false, true},
};
enum { CODECS = sizeof codecs / sizeof *codecs };

static AVPacket *packets[CODECS][FRAMES];
static uint8_t extra[CODECS][4096]; /* what decoders need beside the packets */
static int extra_bytes[CODECS];
static uint64_t expected_code[CODECS], expected_frames[CODECS];

static int count_and_execute(AVCodecContext *codec, int (*action)(AVCodecContext *, void *),
                             void *arguments, int *results, int count, int bytes)
{
    atomic_fetch_add(&calls, 1);
    return filch_libav_execute_on(codec->opaque, codec, action, arguments, results, count, bytes);
}

static int count_and_execute2(AVCodecContext *codec,
                              int (*action)(AVCodecContext *, void *, int, int), void *argument,
                              int *results, int count)
{
    atomic_fetch_add(&calls, 1);
    return filch_libav_execute2_on(codec->opaque, codec, action, argument, results, count);
}

enum whose { FFMPEGS, POOLS, POOLS_COUNTED };

static bool open_codec(AVCodecContext *context, const AVCodec *codec, AVDictionary **options,
                       enum whose whose, filch_pool *pool)
{
    context->thread_type = FF_THREAD_SLICE;
    context->thread_count = THREADS;
    if (avcodec_open2(context, codec, options) < 0) {
        return false;
    }
    if (whose != FFMPEGS) {
        filch_libav_use_in_codec(context, pool);
    } else if (!OWN_THREADS) {
        context->execute = avcodec_default_execute;
        context->execute2 = avcodec_default_execute2;
    }
    if (whose == POOLS_COUNTED) {
        context->execute = count_and_execute;
        context->execute2 = count_and_execute2;
    }
    return true;
}

static void paint(AVFrame *frame, int number)
{
    for (int plane = 0; plane < 3; plane++) {
        int high = plane && frame->format == AV_PIX_FMT_YUV420P ? HIGH / 2 : HIGH;
        for (int y = 0; y < high; y++) {
            uint8_t *row = frame->data[plane] + y * frame->linesize[plane];
            bool deep = frame->format == AV_PIX_FMT_YUV422P10;
            int bytes = frame->linesize[plane] < WIDE * 2 ? frame->linesize[plane] : WIDE * 2;
            for (int x = 0; x < bytes; x++) {
                int value = (x + y * 2 + number * 9) ^ (x * y / 300) % 11;
                row[x] = (uint8_t)(deep && x % 2 ? value & 3 : value);
            }
        }
    }
}

static uint64_t hash_packets(AVPacket *const *made)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < FRAMES; i++) {
        hash = made[i] ? hash_bytes(hash, made[i]->data, (size_t)made[i]->size) : 0;
    }
    return hash;
}

static void receive_packets(AVCodecContext *context, AVPacket **made, int *count)
{
    AVPacket *packet = av_packet_alloc();
    while (*count < FRAMES && avcodec_receive_packet(context, packet) == 0) {
        made[(*count)++] = packet;
        packet = av_packet_alloc();
    }
    av_packet_free(&packet);
}

static bool encode(const struct codec_case *which, enum whose whose, filch_pool *pool,
                   AVPacket **made)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(which->encoder);
    AVCodecContext *context = avcodec_alloc_context3(codec);
    AVDictionary *options = NULL;
    int count = 0;
    context->width = WIDE;
    context->height = HIGH;
    context->pix_fmt = which->format;
    context->time_base = (AVRational){1, 25};
    context->framerate = (AVRational){25, 1};
    context->max_b_frames = 0;
    context->gop_size = 2;
    bool good = av_dict_parse_string(&options, which->options, "=", ":", 0) >= 0 &&
                open_codec(context, codec, &options, whose, pool);
    for (int i = 0; good && i < FRAMES; i++) {
        AVFrame *frame = av_frame_alloc();
        frame->format = which->format;
        frame->width = WIDE;
        frame->height = HIGH;
        frame->pts = i;
        good = av_frame_get_buffer(frame, 0) >= 0;
        if (good) {
            paint(frame, i);
            good = avcodec_send_frame(context, frame) >= 0;
            receive_packets(context, made, &count);
        }
        av_frame_free(&frame);
    }
    good = good && avcodec_send_frame(context, NULL) >= 0;
    if (good) {
        receive_packets(context, made, &count);
    }
    int bytes = context->extradata_size;
    good = good && bytes <= (int)sizeof extra[0];
    if (good && whose == FFMPEGS && bytes) {
        memcpy(extra[which - codecs], context->extradata, (size_t)bytes);
        extra_bytes[which - codecs] = bytes;
    }
    av_dict_free(&options);
    avcodec_free_context(&context);
    return good && count == FRAMES;
}

static void receive_frames(AVCodecContext *context, uint64_t *hash, int *count)
{
    AVFrame *frame = av_frame_alloc();
    while (avcodec_receive_frame(context, frame) == 0) {
        *hash = hash_frame(*hash, frame);
        ++*count;
        av_frame_unref(frame);
    }
    av_frame_free(&frame);
}

/* The hash of the frames; 0: it failed. */
static uint64_t decode(const struct codec_case *which, enum whose whose, filch_pool *pool,
                       AVPacket *const *made)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(which->encoder);
    const AVCodec *codec = avcodec_find_decoder(encoder->id);
    AVCodecContext *context = avcodec_alloc_context3(codec);
    uint64_t hash = 0xcbf29ce484222325u;
    int count = 0;
    context->width = WIDE;
    context->height = HIGH;
    context->extradata_size = extra_bytes[which - codecs];
    context->extradata = av_mallocz(sizeof extra[0] + AV_INPUT_BUFFER_PADDING_SIZE);
    memcpy(context->extradata, extra[which - codecs], sizeof extra[0]);
    bool good = open_codec(context, codec, NULL, whose, pool);
    for (int i = 0; good && i < FRAMES; i++) {
        good = avcodec_send_packet(context, made[i]) >= 0;
        receive_frames(context, &hash, &count);
    }
    good = good && avcodec_send_packet(context, NULL) >= 0;
    if (good) {
        receive_frames(context, &hash, &count);
    }
    avcodec_free_context(&context);
    return good && count == FRAMES ? hash : 0;
}

static void free_packets(AVPacket **made)
{
    for (int i = 0; i < FRAMES; i++) {
        av_packet_free(&made[i]);
    }
}

/* What FFmpeg's own threads make of them. */
static void expect_of_codecs(void)
{
    av_log_set_level(AV_LOG_ERROR);
    for (int i = 0; i < CODECS; i++) {
        bool starts = codecs[i].starts && !OWN_THREADS;
        if (avcodec_find_encoder_by_name(codecs[i].encoder) && !starts) {
            ck_assert(encode(&codecs[i], FFMPEGS, NULL, packets[i]));
            expected_code[i] = hash_packets(packets[i]);
            expected_frames[i] = decode(&codecs[i], FFMPEGS, NULL, packets[i]);
            ck_assert(expected_frames[i]);
        }
    }
}

static bool codes_well(filch_pool *pool, unsigned number)
{
    enum whose whose = number == 0 ? POOLS_COUNTED : POOLS;
    bool well = true;
    for (int i = 0; i < CODECS; i++) {
        AVPacket *made[FRAMES] = {NULL};
        if (expected_frames[i] && codecs[i].encodes) {
            well = well && encode(&codecs[i], whose, pool, made) &&
                   hash_packets(made) == expected_code[i];
            free_packets(made);
        }
        if (expected_frames[i]) {
            well = well && decode(&codecs[i], whose, pool, packets[i]) == expected_frames[i];
        }
    }
    return well;
}

START_TEST(codecs_compute_to_the_bit_what_ffmpegs_own_threads_compute)
{
    filch_pool *pool = pool_of((int[]){1, 3}[_i]);
    expect_of_codecs();
    works_everywhere(pool, codes_well);
    ck_assert_int_gt(calls, 0);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

/* ---- the convention ---- */

static int add_argument(AVCodecContext *codec, void *argument)
{
    (void)codec;
    return *(int *)argument + 1;
}

static int add_job(AVCodecContext *codec, void *argument, int job, int thread)
{
    return thread < 0 || thread >= codec->thread_count ? -1 : job + *(int *)argument;
}

START_TEST(results_are_the_jobs_and_may_be_left_out)
{
    AVCodecContext *codec = avcodec_alloc_context3(NULL);
    int arguments[20];
    int results[20];
    for (int threads = 0; threads < 3; threads++) { /* 0: it was not opened for any */
        codec->thread_count = threads;
        filch_libav_use_in_codec(codec, NULL);
        for (int i = 0; i < 20; i++) {
            arguments[i] = 10 * i;
        }
        ck_assert_int_eq(codec->execute(codec, add_argument, arguments, results, 20, sizeof(int)),
                         0);
        for (int i = 0; i < 20; i++) {
            ck_assert_int_eq(results[i], 10 * i + 1);
        }
        codec->thread_count = threads ? threads : 1;
        ck_assert_int_eq(codec->execute2(codec, add_job, &arguments[3], results, 20), 0);
        for (int i = 0; i < 20; i++) {
            ck_assert_int_eq(results[i], 30 + i);
        }
        ck_assert_int_eq(codec->execute(codec, add_argument, arguments, NULL, 20, sizeof(int)), 0);
        ck_assert_int_eq(codec->execute2(codec, add_job, &arguments[3], NULL, 0), 0);
    }
    avcodec_free_context(&codec);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter-libav");
    TCase *tcase = tcase_create("libav");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, filters_compute_to_the_bit_what_ffmpegs_own_threads_compute, 0, 2);
    tcase_add_test(tcase, filters_are_right_without_a_pool_too);
    tcase_add_loop_test(tcase, codecs_compute_to_the_bit_what_ffmpegs_own_threads_compute, 0, 2);
    tcase_add_test(tcase, results_are_the_jobs_and_may_be_left_out);
    suite_add_tcase(suite, tcase);
    return run_adapter_suite(suite);
}
