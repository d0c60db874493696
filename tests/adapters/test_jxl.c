/* libjxl on a pool: the bytes of its own threads, from everywhere. */
#define _GNU_SOURCE
#include "everywhere.h"

#include <string.h>

#include <jxl/decode.h>
#include <jxl/encode.h>
#include <jxl/thread_parallel_runner.h>

#include <filch/adapters/jxl.h>

enum { WIDE = 2048, HIGH = 1536, CHANNELS = 3, BYTES = WIDE * HIGH * CHANNELS };

static const JxlPixelFormat format = {CHANNELS, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};

static unsigned char *picture, *expected_code, *expected_picture, *codes[AT_ONCE],
    *pictures[AT_ONCE];
static size_t expected_bytes;
static bool lossless;
static uint32_t high;

static void prepare(void)
{
    picture = malloc(BYTES);
    expected_code = malloc(BYTES * 2);
    expected_picture = malloc(BYTES);
    for (int i = 0; i < AT_ONCE; i++) {
        codes[i] = malloc(BYTES * 2);
        pictures[i] = malloc(BYTES);
    }
    for (unsigned y = 0; y < HIGH; y++) {
        for (unsigned x = 0; x < WIDE * CHANNELS; x++) {
            picture[y * WIDE * CHANNELS + x] =
                (unsigned char)((x * y / 700 + (x >> 3) + y * 5) ^ (x * 7919 + y * 104729) % 13);
        }
    }
}

static bool describe(JxlEncoder *encoder)
{
    JxlBasicInfo info;
    JxlColorEncoding color;
    JxlEncoderInitBasicInfo(&info);
    info.xsize = WIDE;
    info.ysize = high;
    info.uses_original_profile = lossless;
    JxlColorEncodingSetToSRGB(&color, 0);
    return JxlEncoderSetBasicInfo(encoder, &info) == JXL_ENC_SUCCESS &&
           JxlEncoderSetColorEncoding(encoder, &color) == JXL_ENC_SUCCESS;
}

/* How many bytes it takes; 0: it could not. */
static size_t encode(JxlParallelRunner runner, void *opaque, unsigned char *out)
{
    JxlEncoder *encoder = JxlEncoderCreate(NULL);
    unsigned char *next = out;
    size_t room = BYTES * 2;
    bool good = JxlEncoderSetParallelRunner(encoder, runner, opaque) == JXL_ENC_SUCCESS &&
                describe(encoder);
    JxlEncoderFrameSettings *settings = JxlEncoderFrameSettingsCreate(encoder, NULL);
    good = good &&
           JxlEncoderFrameSettingsSetOption(settings, JXL_ENC_FRAME_SETTING_EFFORT, 3) ==
               JXL_ENC_SUCCESS &&
           JxlEncoderSetFrameLossless(settings, lossless) == JXL_ENC_SUCCESS &&
           JxlEncoderAddImageFrame(settings, &format, picture, (size_t)WIDE * high * CHANNELS) ==
               JXL_ENC_SUCCESS;
    JxlEncoderCloseInput(encoder);
    good = good && JxlEncoderProcessOutput(encoder, &next, &room) == JXL_ENC_SUCCESS;
    JxlEncoderDestroy(encoder);
    return good ? (size_t)(next - out) : 0;
}

static bool decode(JxlParallelRunner runner, void *opaque, const unsigned char *code, size_t bytes,
                   unsigned char *out)
{
    JxlDecoder *decoder = JxlDecoderCreate(NULL);
    JxlDecoderStatus status = JXL_DEC_ERROR;
    if (JxlDecoderSetParallelRunner(decoder, runner, opaque) == JXL_DEC_SUCCESS &&
        JxlDecoderSubscribeEvents(decoder, JXL_DEC_FULL_IMAGE) == JXL_DEC_SUCCESS &&
        JxlDecoderSetInput(decoder, code, bytes) == JXL_DEC_SUCCESS) {
        JxlDecoderCloseInput(decoder);
        status = JxlDecoderProcessInput(decoder);
    }
    if (status == JXL_DEC_NEED_IMAGE_OUT_BUFFER &&
        JxlDecoderSetImageOutBuffer(decoder, &format, out, (size_t)WIDE * high * CHANNELS) ==
            JXL_DEC_SUCCESS) {
        status = JxlDecoderProcessInput(decoder);
    }
    JxlDecoderDestroy(decoder);
    return status == JXL_DEC_FULL_IMAGE || status == JXL_DEC_SUCCESS;
}

/* What libjxl's own threads make of it. */
static void expect(uint32_t rows, bool exactly)
{
    high = rows;
    lossless = exactly;
    void *threads = JxlThreadParallelRunnerCreate(NULL, 2);
    expected_bytes = encode(JxlThreadParallelRunner, threads, expected_code);
    ck_assert_uint_gt(expected_bytes, 0);
    ck_assert(
        decode(JxlThreadParallelRunner, threads, expected_code, expected_bytes, expected_picture));
    JxlThreadParallelRunnerDestroy(threads);
}

static bool there_and_back(filch_pool *pool, unsigned number)
{
    memset(pictures[number], 0, BYTES);
    size_t bytes = encode(filch_jxl_runner, pool, codes[number]);
    return bytes == expected_bytes && memcmp(codes[number], expected_code, bytes) == 0 &&
           decode(filch_jxl_runner, pool, codes[number], bytes, pictures[number]) &&
           memcmp(pictures[number], expected_picture, (size_t)WIDE * high * CHANNELS) == 0;
}

START_TEST(codecs_compute_to_the_bit_what_libjxls_own_threads_compute)
{
    filch_pool *pool = pool_of((int[]){1, 3}[_i]);
    prepare();
    expect(_i == 1 ? HIGH : 512, false);
    works_everywhere(pool, there_and_back);
    expect(320, true);
    works_everywhere(pool, there_and_back);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

START_TEST(codecs_are_right_without_a_pool_too)
{
    prepare();
    expect(256, false);
    works_without_a_pool(there_and_back);
}
END_TEST

/* ---- the convention ---- */

struct asked {
    thrd_t caller;
    size_t threads;
    JxlParallelRetCode answer;
    atomic_int inits;
    atomic_ullong sum;
    atomic_int wrong;
};

static JxlParallelRetCode init(void *context, size_t threads)
{
    struct asked *asked = context;
    asked->threads = threads;
    atomic_fetch_add(&asked->inits, 1);
    atomic_fetch_add(&asked->wrong, !thrd_equal(thrd_current(), asked->caller));
    return asked->answer;
}

static void add_up(void *context, uint32_t value, size_t thread)
{
    struct asked *asked = context;
    atomic_fetch_add(&asked->sum, value);
    atomic_fetch_add(&asked->wrong, thread >= asked->threads);
}

START_TEST(init_is_called_once_by_the_caller_and_may_refuse)
{
    struct asked asked = {.caller = thrd_current()};
    ck_assert_int_eq(filch_jxl_runner(NULL, &asked, init, add_up, 5, 5), 0); /* the default pool */
    ck_assert_uint_eq(asked.threads, filch_pool_workers(NULL));
    ck_assert_uint_eq(asked.sum, 0);
    ck_assert_int_eq(filch_jxl_runner(NULL, &asked, init, add_up, UINT32_MAX - 99, UINT32_MAX), 0);
    ck_assert_uint_eq(asked.sum, 99 * (unsigned long long)UINT32_MAX - 99 * 100 / 2);
    asked.answer = 7;
    ck_assert_int_eq(filch_jxl_runner(NULL, &asked, init, add_up, 0, 100), 7);
    ck_assert_uint_eq(asked.sum, 99 * (unsigned long long)UINT32_MAX - 99 * 100 / 2);
    ck_assert_int_eq(asked.inits, 3);
    ck_assert_int_eq(asked.wrong, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter-jxl");
    TCase *tcase = tcase_create("jxl");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, codecs_compute_to_the_bit_what_libjxls_own_threads_compute, 0, 2);
    tcase_add_test(tcase, codecs_are_right_without_a_pool_too);
    tcase_add_test(tcase, init_is_called_once_by_the_caller_and_may_refuse);
    suite_add_tcase(suite, tcase);
    return run_adapter_suite(suite);
}
