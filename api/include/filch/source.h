/* filch/source.h: maps whose arguments are not in arrays of their own; nothing is copied.
 *
 * Of each FILCH_FUNCTION with parameters:
 *     name_map_strided(pool, xs, xs_stride, ..., n, results, results_stride)
 *         strides are bytes from one element to the next, for fields of structs and columns of
 *         matrices; a stride of 0 passes the same argument each time
 *     name_map_from(pool, fill, context, n, results)
 *         void fill(void *context, size_t i, name_args *arguments) fills in arguments->x, ... of
 *         element i; it is called by the workers, several at once
 * and where FILCH_RANGE(name, T) stands behind a function of one number of type T:
 *     name_map_range(pool, first, step, n, results)    name(first + i * step)
 * For void functions results and their stride are left out. Errors: as filch_map(). */
#ifndef FILCH_SOURCE_H
#define FILCH_SOURCE_H

#include <stddef.h>

/* clang-format off */
#include <filch/block.h>
#include <filch/loop.h>
#include <filch/macros.h>

FILCH_SHORT_ERRORS

#define FILCH_SOURCES_OF(R, name, ...)                                                             \
    FILCH_CAT(FILCH_SOURCES_OF_, FILCH_COUNT_9(__VA_ARGS__))(R, name, __VA_ARGS__)
#define FILCH_SOURCES_OF_0(R, name, end)
#define FILCH_SOURCES_OF_1(R, name, ...)                                                           \
    FILCH_MAP_FROM(R, name, __VA_ARGS__)                                                           \
    FILCH_MAP_STRIDED(R, name, __VA_ARGS__)

#define FILCH_MAP_FROM(R, name, ...)                                                               \
    typedef void name##_filler(void *filch_context, size_t filch_i,                                \
            name##_args *filch_arguments);                                                         \
    typedef struct filch_of_filled_##name {                                                        \
        name##_filler *filch_fill;                                                                 \
        void *filch_context;                                                                       \
        FILCH_RESULT(FILCH_RESULT_ARRAY_FIELD_, R)                                                 \
    } filch_of_filled_##name;                                                                      \
    FILCH_UNUSED static void filch_of_from_one_##name(const void *filch_environment,               \
                                                      size_t filch_i)                              \
    {                                                                                              \
        const filch_of_filled_##name *filch_arrays =                                               \
                (const filch_of_filled_##name *)filch_environment;                                 \
        name##_args filch_bound;                                                                   \
        const name##_args *filch_args = &filch_bound;                                              \
        filch_arrays->filch_fill(filch_arrays->filch_context, filch_i, &filch_bound);              \
        FILCH_RESULT(FILCH_RESULT_ARRAY_STORE_, R)                                                 \
        name(FILCH_LIST(FILCH_OF_ARGS, , __VA_ARGS__));                                            \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_from_block_##name(const void *filch_environment,             \
                                               filch_range *filch_on)                              \
    {                                                                                              \
        const filch_of_filled_##name filch_copy =                                                  \
                *(const filch_of_filled_##name *)filch_environment;                                \
        filch_block_run(filch_on, filch_of_from_one_##name, &filch_copy);                          \
    }                                                                                              \
    FILCH_UNUSED static const filch_body filch_of_body_from_##name = {                             \
        filch_of_from_block_##name, sizeof(filch_of_filled_##name),                                \
                FILCH_RESULT(FILCH_RESULT_BYTES_, R),                                              \
        &name##_info};                                                                             \
    FILCH_CHECKED filch_status name##_map_from(                                                    \
        filch_pool *filch_to, name##_filler *filch_fill, void *filch_context,                      \
        size_t filch_n FILCH_RESULT(FILCH_RESULT_ARRAY_, R))                                       \
    {                                                                                              \
        const filch_of_filled_##name filch_from = {filch_fill, filch_context,                      \
                                          FILCH_RESULT(FILCH_RESULT_ARRAY_PASS_, R)};              \
        const bool filch_missing = !filch_fill || FILCH_ARRAYS_MISSING(R, ~);                      \
        return filch_map(filch_to, filch_missing ? NULL : &filch_of_body_from_##name,              \
                         &filch_from, filch_n);                                                    \
    }

#define FILCH_MAP_STRIDED(R, name, ...)                                                            \
    typedef struct filch_of_columns_##name {                                                       \
        FILCH_EACH(FILCH_COLUMN_FIELD, __VA_ARGS__)                                                \
        FILCH_RESULT(FILCH_COLUMN_RESULT_FIELD_, R)                                                \
    } filch_of_columns_##name;                                                                     \
    FILCH_UNUSED static void filch_of_strided_one_##name(const void *filch_environment,            \
                                                         size_t filch_i)                           \
    {                                                                                              \
        const filch_of_columns_##name *filch_columns =                                             \
                (const filch_of_columns_##name *)filch_environment;                                \
        const ptrdiff_t filch_row = (ptrdiff_t)filch_i;                                            \
        FILCH_RESULT(FILCH_COLUMN_RESULT_STORE_, R)                                                \
        name(FILCH_LIST(FILCH_OF_COLUMNS, , __VA_ARGS__));                                         \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_strided_block_##name(const void *filch_environment,          \
                                                  filch_range *filch_on)                           \
    {                                                                                              \
        const filch_of_columns_##name filch_copy =                                                 \
                *(const filch_of_columns_##name *)filch_environment;                               \
        filch_block_run(filch_on, filch_of_strided_one_##name, &filch_copy);                       \
    }                                                                                              \
    FILCH_UNUSED static const filch_body filch_of_body_strided_##name = {                          \
        filch_of_strided_block_##name, sizeof(filch_of_columns_##name), 0, &name##_info};          \
    FILCH_CHECKED filch_status name##_map_strided(                                                 \
        filch_pool *filch_to, FILCH_THEN(FILCH_COLUMN, __VA_ARGS__) size_t filch_n                 \
            FILCH_RESULT(FILCH_COLUMN_RESULT_, R))                                                 \
    {                                                                                              \
        const filch_of_columns_##name filch_columns = {FILCH_THEN(FILCH_COLUMN_PASS, __VA_ARGS__)  \
                                                  FILCH_RESULT(FILCH_COLUMN_RESULT_PASS_, R)};     \
        const bool filch_missing = FILCH_ARRAYS_MISSING(R, __VA_ARGS__);                           \
        return filch_map(filch_to, filch_missing ? NULL : &filch_of_body_strided_##name,           \
                         &filch_columns, filch_n);                                                 \
    }
#define FILCH_COLUMN(T, x) T const *x, ptrdiff_t x##_stride
#define FILCH_COLUMN_FIELD(T, x)                                                                   \
    const char *x;                                                                                 \
    ptrdiff_t x##_stride;
#define FILCH_COLUMN_PASS(T, x) (const char *)x, x##_stride
#define FILCH_OF_COLUMNS(T, x)                                                                     \
    *(T const *)(const void *)(filch_columns->x + filch_row * filch_columns->x##_stride)
#define FILCH_COLUMN_RESULT_0(R) , R *filch_out, ptrdiff_t filch_out_stride
#define FILCH_COLUMN_RESULT_1(R)
#define FILCH_COLUMN_RESULT_FIELD_0(R)                                                             \
    char *filch_out;                                                                               \
    ptrdiff_t filch_out_stride;
#define FILCH_COLUMN_RESULT_FIELD_1(R) char filch_none;
#define FILCH_COLUMN_RESULT_PASS_0(R) (char *)filch_out, filch_out_stride
#define FILCH_COLUMN_RESULT_PASS_1(R) 0
#define FILCH_COLUMN_RESULT_STORE_0(R)                                                             \
    *(R *)(void *)(filch_columns->filch_out + filch_row * filch_columns->filch_out_stride) =
#define FILCH_COLUMN_RESULT_STORE_1(R)

/* FILCH_RANGE(name, T): see above. */
#define FILCH_RANGE(name, T)                                                                       \
    typedef struct filch_of_range_##name {                                                         \
        T filch_first;                                                                             \
        T filch_step;                                                                              \
    } filch_of_range_##name;                                                                       \
    FILCH_UNUSED static void filch_of_fill_range_##name(void *filch_context, size_t filch_i,       \
                                               name##_args *filch_arguments)                       \
    {                                                                                              \
        const filch_of_range_##name *filch_numbers =                                               \
                (const filch_of_range_##name *)filch_context;                                      \
        const name##_args filch_bound = {                                                          \
            (T)(filch_numbers->filch_first + (T)filch_i * filch_numbers->filch_step)};             \
        *filch_arguments = filch_bound;                                                            \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_map_range(                                                   \
        filch_pool *filch_to, T filch_first, T filch_step, size_t filch_n,                         \
        filch_of_result_##name *filch_out)                                                         \
    {                                                                                              \
        filch_of_range_##name filch_numbers = {filch_first, filch_step};                           \
        return name##_map_from(filch_to, filch_of_fill_range_##name, &filch_numbers, filch_n,      \
                                    filch_out);                                                    \
    }                                                                                              \
    typedef filch_of_range_##name filch_of_range_##name
/* clang-format on */

#endif
