/* filch/adapters/jxl.h: libjxl's encoders and decoders run on a filch pool.
 *
 *     #include <filch/adapters/jxl.h>
 *     #include <jxl/encode.h>
 *
 *     // Grey, one byte for each pixel; returns how many bytes of `out` it has become, or 0.
 *     size_t encode(filch_pool *pool, const unsigned char *pixels, uint32_t wide, uint32_t high,
 *                   unsigned char *out, size_t room)
 *     {
 *         JxlEncoder *encoder = JxlEncoderCreate(NULL);
 *         JxlEncoderSetParallelRunner(encoder, filch_jxl_runner, pool); // NULL: the default pool
 *         JxlBasicInfo info;
 *         JxlEncoderInitBasicInfo(&info);
 *         info.xsize = wide;
 *         info.ysize = high;
 *         info.num_color_channels = 1;
 *         JxlColorEncoding color;
 *         JxlColorEncodingSetToSRGB(&color, 1);
 *         JxlPixelFormat format = {1, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
 *         unsigned char *end = out;
 *         if (JxlEncoderSetBasicInfo(encoder, &info) != JXL_ENC_SUCCESS ||
 *             JxlEncoderSetColorEncoding(encoder, &color) != JXL_ENC_SUCCESS ||
 *             JxlEncoderAddImageFrame(JxlEncoderFrameSettingsCreate(encoder, NULL), &format,
 *                                     pixels, (size_t)wide * high) != JXL_ENC_SUCCESS) {
 *             room = 0;
 *         }
 *         JxlEncoderCloseInput(encoder);
 *         if (room && JxlEncoderProcessOutput(encoder, &end, &room) != JXL_ENC_SUCCESS) {
 *             end = out;
 *         }
 *         JxlEncoderDestroy(encoder);
 *         return (size_t)(end - out);
 *     }
 *
 *     cc app.c $(pkg-config --cflags --libs filch libjxl)
 *
 * JxlDecoderSetParallelRunner(decoder, filch_jxl_runner, pool) likewise. libjxl_threads is not
 * needed, and there is nothing to create or to destroy; the pool must stay as long as the codecs.
 * Any number of them may run on it at once, from any thread and any task, and what they compute is
 * what libjxl's own runners compute. In the child of a fork(), and where the pool is closed or
 * there is no memory, a codec runs on its caller alone. */
#ifndef FILCH_ADAPTERS_JXL_H
#define FILCH_ADAPTERS_JXL_H

#include <jxl/parallel_runner.h>

#include <filch/kind.h>
#include <filch/slots.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_jxl_values {
    JxlParallelRunFunction run;
    void *codec;
    uint32_t first;
} filch_jxl_values;

static inline void filch_jxl_value(size_t i, size_t slot, void *values)
{
    const filch_jxl_values *all = (const filch_jxl_values *)values;
    all->run(all->codec, all->first + (uint32_t)i, slot);
}

/* Effect: a JxlParallelRunner. Args: pool: the codec's runner_opaque.
 * Returns: 0, or what init has answered; then nothing has run. */
static inline JxlParallelRetCode filch_jxl_runner(void *pool, void *codec, JxlParallelRunInit init,
                                                  JxlParallelRunFunction run, uint32_t first,
                                                  uint32_t end)
{
    static const filch_function_info info = {
        "libjxl", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, 0};
    filch_jxl_values values = {run, codec, first};
    size_t threads = filch_pool_workers((filch_pool *)pool);
    JxlParallelRetCode refused = init(codec, threads);
    if (refused == 0 && first < end) {
        filch_parallel_slots((filch_pool *)pool, end - first, threads, filch_jxl_value, &values,
                             &info);
    }
    return refused;
}

#ifdef __cplusplus
}
#endif

#endif
