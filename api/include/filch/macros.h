/* filch/macros.h: the preprocessor's part of FILCH_FUNCTION and its relatives. Nothing here is for
 * direct use.
 *
 * A parameter is a group `(type, name)`. A list of parameters travels with a `~` behind it, so that
 * it is never empty, and holds at most eight. A type is anything that can stand before a name and
 * be assigned to, and begins with a word (in C++ not with `::`): function pointers need a typedef;
 * arrays and const values cannot be stored.
 * What only filch uses of a name is filch_of_what_name, which is not offered to who completes
 * `name_`; no `what` begins with another and a `_`. */
#ifndef FILCH_MACROS_H
#define FILCH_MACROS_H

#include <string.h>

#include <filch/kind.h>
#include <filch/platform.h>
#include <filch/version.h>

/* Of the macros of a system's header, as an installed filch has, gcc does not tell each that lies
 * between a program's mistake and what came of it: 12 lines become of 40. Nor does it warn of their
 * code, for which filch's own builds look. */
#if defined __clang__ || defined FILCH_LONG_ERRORS
#define FILCH_SHORT_ERRORS
#else
#define FILCH_SHORT_ERRORS _Pragma("GCC system_header")
#endif
FILCH_SHORT_ERRORS
#define FILCH_UNUSED __attribute__((unused))
#define FILCH_CHECKED __attribute__((unused, warn_unused_result)) static inline

#ifdef __cplusplus
#define FILCH_ASSERT_STATIC(condition, text) static_assert(condition, text)
#define FILCH_ALIGNMENT_OF(T) alignof(T)
#else
#define FILCH_ASSERT_STATIC(condition, text) _Static_assert(condition, text)
#define FILCH_ALIGNMENT_OF(T) _Alignof(T)
#endif

/* Values of the type T are put where the library has room for them: it aligns that room by what a
 * type of that size can be aligned to. */
#define FILCH_ASSERT_ALIGNED(T)                                                                    \
    FILCH_ASSERT_STATIC(FILCH_ALIGNMENT_OF(T) <= 64,                                               \
                        "filch: types aligned to more than 64 bytes are not supported");           \
    FILCH_ASSERT_STATIC(FILCH_ALIGNMENT_OF(T) <= 16 || sizeof(T) % FILCH_ALIGNMENT_OF(T) == 0,     \
                        "filch: a type that is smaller than its alignment is not supported")

/* A struct whose fields are aligned to 16 bytes at most, for where there is no more: the compiler
 * must not take more for granted there. gcc wonders whether that is meant. */
#define FILCH_PACKED_16(type, fields)                                                              \
    FILCH_PACKED_QUIETLY _Pragma("pack(push, 16)") typedef struct type {                           \
        fields                                                                                     \
    } type;                                                                                        \
    _Pragma("pack(pop)") FILCH_PACKED_END
#ifdef __clang__
#define FILCH_PACKED_QUIETLY
#define FILCH_PACKED_END
#else
#define FILCH_PACKED_QUIETLY                                                                       \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wpacked-not-aligned\"")
#define FILCH_PACKED_END _Pragma("GCC diagnostic pop")
#endif

#define FILCH_CAT(a, b) FILCH_CAT_I(a, b)
#define FILCH_CAT_I(a, b) a##b

/* The block that follows is done once, between `begin`, whose value is of that type, and
 * end(&value), however it is left. Compilers see that it is done, and once. */
#define FILCH_BLOCK(type, begin, end)                                                              \
    FILCH_BLOCK_I(type, FILCH_CAT(filch_inside_, __LINE__), FILCH_CAT(filch_once_, __LINE__),      \
                  begin, end)
#define FILCH_BLOCK_I(type, inside, once, begin, end)                                              \
    for (type inside __attribute__((cleanup(end))) = begin, *once = &inside; once; once = 0)

#define FILCH_SECOND(...) FILCH_SECOND_I(__VA_ARGS__, ~)
#define FILCH_SECOND_I(a, b, ...) b
#define FILCH_UNGROUP(...) __VA_ARGS__

/* 1 if x is a group in parentheses, 0 if it is anything else. */
#define FILCH_IS_GROUP(x) FILCH_SECOND(FILCH_GROUP_PROBE x, 0, ~)
#define FILCH_GROUP_PROBE(...) ~, 1

/* Of `p1, ..., pn, ~` and what stands behind it for 8, 7, ... and 0 parameters: that for n. */
#define FILCH_OF_COUNT(a, b, c, d, e, f, g, h, i, it, ...) it

/* m p1 m p2 ... */
#define FILCH_EACH(m, ...)                                                                         \
    FILCH_OF_COUNT(__VA_ARGS__, FILCH_EACH_8, FILCH_EACH_7, FILCH_EACH_6, FILCH_EACH_5,            \
                   FILCH_EACH_4, FILCH_EACH_3, FILCH_EACH_2, FILCH_EACH_1, FILCH_EACH_0, ~)        \
    (m, __VA_ARGS__)
#define FILCH_EACH_0(m, end)
#define FILCH_EACH_1(m, a, end) m a
#define FILCH_EACH_2(m, a, b, end) m a m b
#define FILCH_EACH_3(m, a, b, c, end) m a m b m c
#define FILCH_EACH_4(m, a, b, c, d, end) m a m b m c m d
#define FILCH_EACH_5(m, a, b, c, d, e, end) m a m b m c m d m e
#define FILCH_EACH_6(m, a, b, c, d, e, f, end) m a m b m c m d m e m f
#define FILCH_EACH_7(m, a, b, c, d, e, f, g, end) m a m b m c m d m e m f m g
#define FILCH_EACH_8(m, a, b, c, d, e, f, g, h, end) m a m b m c m d m e m f m g m h

/* m p1, m p2, ... and `none` if there are no parameters. */
#define FILCH_LIST(m, none, ...)                                                                   \
    FILCH_OF_COUNT(__VA_ARGS__, FILCH_LIST_8, FILCH_LIST_7, FILCH_LIST_6, FILCH_LIST_5,            \
                   FILCH_LIST_4, FILCH_LIST_3, FILCH_LIST_2, FILCH_LIST_1, FILCH_LIST_0, ~)        \
    (m, none, __VA_ARGS__)
#define FILCH_LIST_0(m, none, end) none
#define FILCH_LIST_1(m, none, a, end) m a
#define FILCH_LIST_2(m, none, a, b, end) m a, m b
#define FILCH_LIST_3(m, none, a, b, c, end) m a, m b, m c
#define FILCH_LIST_4(m, none, a, b, c, d, end) m a, m b, m c, m d
#define FILCH_LIST_5(m, none, a, b, c, d, e, end) m a, m b, m c, m d, m e
#define FILCH_LIST_6(m, none, a, b, c, d, e, f, end) m a, m b, m c, m d, m e, m f
#define FILCH_LIST_7(m, none, a, b, c, d, e, f, g, end) m a, m b, m c, m d, m e, m f, m g
#define FILCH_LIST_8(m, none, a, b, c, d, e, f, g, h, end) m a, m b, m c, m d, m e, m f, m g, m h

/* m p1, m p2, ... with a comma behind each. */
#define FILCH_THEN(m, ...)                                                                         \
    FILCH_OF_COUNT(__VA_ARGS__, FILCH_THEN_8, FILCH_THEN_7, FILCH_THEN_6, FILCH_THEN_5,            \
                   FILCH_THEN_4, FILCH_THEN_3, FILCH_THEN_2, FILCH_THEN_1, FILCH_THEN_0, ~)        \
    (m, __VA_ARGS__)
#define FILCH_THEN_0(m, end)
#define FILCH_THEN_1(m, a, end) m a,
#define FILCH_THEN_2(m, a, b, end) m a, m b,
#define FILCH_THEN_3(m, a, b, c, end) m a, m b, m c,
#define FILCH_THEN_4(m, a, b, c, d, end) m a, m b, m c, m d,
#define FILCH_THEN_5(m, a, b, c, d, e, end) m a, m b, m c, m d, m e,
#define FILCH_THEN_6(m, a, b, c, d, e, f, end) m a, m b, m c, m d, m e, m f,
#define FILCH_THEN_7(m, a, b, c, d, e, f, g, end) m a, m b, m c, m d, m e, m f, m g,
#define FILCH_THEN_8(m, a, b, c, d, e, f, g, h, end) m a, m b, m c, m d, m e, m f, m g, m h,

/* , m p1, m p2, ... and nothing if there are no parameters. */
#define FILCH_MORE(m, ...)                                                                         \
    FILCH_OF_COUNT(__VA_ARGS__, FILCH_MORE_8, FILCH_MORE_7, FILCH_MORE_6, FILCH_MORE_5,            \
                   FILCH_MORE_4, FILCH_MORE_3, FILCH_MORE_2, FILCH_MORE_1, FILCH_MORE_0, ~)        \
    (m, __VA_ARGS__)
#define FILCH_MORE_0(m, end)
#define FILCH_MORE_1(m, a, end) , m a
#define FILCH_MORE_2(m, a, b, end) , m a, m b
#define FILCH_MORE_3(m, a, b, c, end) , m a, m b, m c
#define FILCH_MORE_4(m, a, b, c, d, end) , m a, m b, m c, m d
#define FILCH_MORE_5(m, a, b, c, d, e, end) , m a, m b, m c, m d, m e
#define FILCH_MORE_6(m, a, b, c, d, e, f, end) , m a, m b, m c, m d, m e, m f
#define FILCH_MORE_7(m, a, b, c, d, e, f, g, end) , m a, m b, m c, m d, m e, m f, m g
#define FILCH_MORE_8(m, a, b, c, d, e, f, g, h, end) , m a, m b, m c, m d, m e, m f, m g, m h

/* What can be done with one parameter. */
#define FILCH_DECLARE(T, x) T x
#define FILCH_NAME(T, x) x
#define FILCH_TYPE_OF(T, x) T
#define FILCH_FIELD(T, x) T x;
#define FILCH_ARRAY(T, x) T const *x
#define FILCH_ARRAY_FIELD(T, x) T const *x;
#define FILCH_ARRAY_MISSING(T, x) || !x
#define FILCH_OF_ARGS(T, x) filch_args->x
#define FILCH_TO_ARGS(T, x) filch_args->x = x;
#define FILCH_OF_ARRAYS(T, x) filch_arrays->x[filch_i]

/* The fields of a struct that must not be empty. */
#define FILCH_FIELDS(...) FILCH_CAT(FILCH_FIELDS_, FILCH_COUNT_9(__VA_ARGS__))(__VA_ARGS__)
#define FILCH_FIELDS_0(end) char filch_none;
#define FILCH_FIELDS_1(...) FILCH_EACH(FILCH_FIELD, __VA_ARGS__)

/* m##1(R) if the type R is void, m##0(R) if it is another, `void *` too. */
#define FILCH_RESULT(m, R) FILCH_SECOND(FILCH_VOID_PROBE_##R(m), m##0, ~)(R)
#define FILCH_VOID_PROBE_void FILCH_VOID_ALONE
#define FILCH_VOID_ALONE(m) ~, m##1
#define FILCH_RESULT_BYTES_0(R) sizeof(R)
#define FILCH_RESULT_BYTES_1(R) 0
#define FILCH_RESULT_ALIGNED_0(R) FILCH_ASSERT_ALIGNED(R);
#define FILCH_RESULT_ALIGNED_1(R)
#define FILCH_RESULT_STORE_0(R) *(R *)filch_result =
#define FILCH_RESULT_STORE_1(R) (void)filch_result;
#define FILCH_RESULT_POINTER_0(R) , R *filch_result
#define FILCH_RESULT_POINTER_1(R)
#define FILCH_RESULT_PASS_0(R) filch_result
#define FILCH_RESULT_PASS_1(R) NULL
#define FILCH_RESULT_ARRAY_0(R) , R *filch_out
#define FILCH_RESULT_ARRAY_1(R)
#define FILCH_RESULT_ARRAY_FIELD_0(R) R *filch_out;
#define FILCH_RESULT_ARRAY_FIELD_1(R) void *filch_out;
#define FILCH_RESULT_ARRAY_PASS_0(R) filch_out
#define FILCH_RESULT_ARRAY_PASS_1(R) NULL
#define FILCH_RESULT_ARRAY_STORE_0(R) filch_arrays->filch_out[filch_i] =
#define FILCH_RESULT_ARRAY_STORE_1(R)
#define FILCH_RESULT_ARRAY_MISSING_0(R) || !filch_out
#define FILCH_RESULT_ARRAY_MISSING_1(R)
#define FILCH_RESULT_FIELD_0(R) R result;
#define FILCH_RESULT_FIELD_1(R) char result; /* there is none; in C a struct is not empty */
/* Copied, because a slot is aligned to 16 bytes only. */
#define FILCH_RESULT_LEAVE_0(R)                                                                    \
    memcpy((void *)filch_run_slot->payload, (const void *)&filch_local, sizeof filch_local);
#define FILCH_RESULT_LEAVE_1(R)
#define FILCH_RESULT_KEPT_0(R) filch_kept->result
#define FILCH_RESULT_KEPT_1(R)
#define FILCH_RESULT_LOCAL_0(R) R filch_local =
#define FILCH_RESULT_LOCAL_1(R)
#define FILCH_RESULT_LOCAL_PASS_0(R) filch_local
#define FILCH_RESULT_LOCAL_PASS_1(R)
#define FILCH_RESULT_ARRAY_MORE_0(R) , filch_out
#define FILCH_RESULT_ARRAY_MORE_1(R)
#define FILCH_RESULT_DEREF_0(R) *filch_result =
#define FILCH_RESULT_DEREF_1(R)

/* Of filch_n elements: is one of their arrays NULL? */
#define FILCH_ARRAYS_MISSING(R, ...)                                                               \
    (filch_n != 0 && (false FILCH_EACH(FILCH_ARRAY_MISSING, __VA_ARGS__)                           \
                          FILCH_RESULT(FILCH_RESULT_ARRAY_MISSING_, R)))

/* 0 for the `~` alone, else 1. */
#define FILCH_COUNT_9(...) FILCH_COUNT_9_I(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, ~)
#define FILCH_COUNT_9_I(a, b, c, d, e, f, g, h, i, j, n, ...) n

/* Declares filch_captured, the block of a function's arguments, with filch_args pointing to it. Its
 * padding is zero: it is copied as bytes. */
#define FILCH_CAPTURED(name, ...)                                                                  \
    name##_args filch_captured;                                                                    \
    FILCH_UNUSED name##_args *filch_args = &filch_captured;                                        \
    memset(&filch_captured, 0, sizeof filch_captured);                                             \
    FILCH_EACH(FILCH_TO_ARGS, __VA_ARGS__)

/* clangd looks for uses of a name in the last macro that gets it, and finds none if that one only
 * makes other names of it. */
#define FILCH_MENTION(name) FILCH_ASSERT_STATIC(sizeof(&name) > 0, "");

/* The type of that block, and the function's descriptor. */
#define FILCH_ARGS_TYPE(name, ...)                                                                 \
    typedef struct name##_args {                                                                   \
        FILCH_FIELDS(__VA_ARGS__)                                                                  \
    } name##_args;                                                                                 \
    FILCH_ASSERT_ALIGNED(name##_args);
#define FILCH_INFO_OF(name, doc, bytes, result, parameter)                                         \
    FILCH_UNUSED static const filch_function_info name##_info = {                                  \
        #name, doc, __FILE__, __LINE__, (unsigned)(bytes), result, parameter, FILCH_ABI};
#define FILCH_INFO(name, doc, bytes)                                                               \
    FILCH_INFO_OF(name, doc, bytes, FILCH_TYPE_NONE, FILCH_TYPE_NONE)
/* The types of a function that others may follow, or that follows others. */
#define FILCH_RESULT_TYPE(R) FILCH_RESULT(FILCH_RESULT_TYPE_, R)
#define FILCH_FIRST_TYPE(...) FILCH_CAT(FILCH_FIRST_TYPE_, FILCH_COUNT_9(__VA_ARGS__))(__VA_ARGS__)
#define FILCH_RESULT_TYPE_0(R) FILCH_TYPE(R)
#define FILCH_RESULT_TYPE_1(R) FILCH_TYPE_NONE
#define FILCH_FIRST_TYPE_0(end) FILCH_TYPE_NONE
#define FILCH_FIRST_TYPE_1(first, ...) FILCH_TYPE_IN first
#define FILCH_TYPE_IN(T, x) FILCH_TYPE(T)

#endif
