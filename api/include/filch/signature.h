/* filch/signature.h: functions as values that take arguments: stored, passed, returned, bound in
 * part, composed.
 *
 *     FILCH_SIGNATURE(binop, int, (int, a), (int, b))       the type of int-of-two-ints values
 *     FILCH_LAMBDA(binop, int, add_to, ((int, base)), (int, a), (int, b)) { return base + a + b; }
 *
 *     static int two_times(int a, int b, binop function) { return 2 * binop_call(function, a, b); }
 *
 *     two_times(2, 2, FILCH_AS(binop, mult));   // a plain FILCH_FUNCTION
 *     two_times(2, 2, add_to_bind(0));          // a lambda, its captures bound on the spot
 */
#ifndef FILCH_SIGNATURE_H
#define FILCH_SIGNATURE_H

#include <string.h>

#include <filch/function.h>
#include <filch/macros.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

/* clang-format off */
/* FILCH_SIGNATURE(type, R, (T, x), ...): defines the value type and type_call(value, x, ...). */
#define FILCH_SIGNATURE(type, ...) FILCH_SIGNATURE_I(type, __VA_ARGS__, ~)
#define FILCH_SIGNATURE_I(type, R, ...)                                                            \
    FILCH_CAT(FILCH_SIGNATURE_I_, FILCH_IS_GROUP(R()))(type, R, __VA_ARGS__)
#define FILCH_SIGNATURE_I_0(type, R, ...)                                                          \
    FILCH_SHAPED_0(FILCH_SIGNATURE, FILCH_SIGNATURE, R, type, __VA_ARGS__)
#define FILCH_SIGNATURE_I_1(type, ...) FILCH_SHAPE_6(FILCH_SIGNATURE, FILCH_SIGNATURE)
#define FILCH_SIGNATURE_TAKES FILCH_TAKES_UP_TO_8
#define FILCH_SIGNATURE_RULE FILCH_RULE_UP_TO_8
#define FILCH_SIGNATURE_STUBS(R, type, ...)
#define FILCH_SIGNATURE_GENERATE(R, type, doc, ...)                                                \
    typedef struct type {                                                                          \
        const filch_function_info *info;                                                           \
        R (*call)(const void *filch_captures FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));              \
        FILCH_ALIGNED(16) unsigned char captures[FILCH_INLINE_BYTES];                              \
    } type;                                                                                        \
    typedef R (*filch_of_plain_##type)(FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__));              \
    FILCH_UNUSED static inline R type##_call(type filch_value                                      \
                                             FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))               \
    {                                                                                              \
        FILCH_RESULT(FILCH_RESULT_RETURN_, R)                                                      \
        filch_value.call(filch_value.captures FILCH_MORE(FILCH_NAME, __VA_ARGS__));                \
    }                                                                                              \
    FILCH_UNUSED static inline R filch_of_calls_plain_##type(const void *filch_captures            \
                                                   FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))         \
    {                                                                                              \
        filch_of_plain_##type filch_function;                                                      \
        memcpy(&filch_function, filch_captures, sizeof filch_function);                            \
        FILCH_RESULT(FILCH_RESULT_RETURN_, R)                                                      \
        filch_function(FILCH_LIST(FILCH_NAME, , __VA_ARGS__));                                     \
    }                                                                                              \
    FILCH_UNUSED static inline type filch_of_of_##type(filch_of_plain_##type filch_function,       \
                                              const filch_function_info *filch_info)               \
    {                                                                                              \
        type filch_value;                                                                          \
        filch_value.info = filch_info;                                                             \
        filch_value.call = filch_of_calls_plain_##type;                                            \
        memset(filch_value.captures, 0, sizeof filch_value.captures);                              \
        memcpy(filch_value.captures, &filch_function, sizeof filch_function);                      \
        return filch_value;                                                                        \
    }

/* A FILCH_FUNCTION as a value of a signature that it fits. */
#define FILCH_AS(type, function) filch_of_of_##type(function, &function##_info)

/* What Python calls __name__ and __doc__, of a value of any signature. */
#define FILCH_NAME_OF(value) ((value).info->name)
#define FILCH_DOC_OF(value) ((value).info->doc)

/* FILCH_LAMBDA(type, R, name, ((T, captured), ...), (T, x), ...) { body }: defines
 * name_bind(captured, ...), which gives a value of the signature. No captures: (). */
#define FILCH_LAMBDA(type, R, name, ...)                                                           \
    FILCH_LAMBDA_I(FILCH_LAMBDA, type, R, name, __VA_ARGS__, ~)
#define FILCH_LAMBDA_I(generator, type, R, name, group, ...)                                       \
    FILCH_CAT(FILCH_LAMBDA_CHECK_, FILCH_IS_GROUP(group))                                          \
    (generator, type, R, name, group, __VA_ARGS__)
#define FILCH_LAMBDA_CHECK_0(generator, type, R, name, group, ...)                                 \
    FILCH_SHAPE_2(generator, FILCH_LAMBDA, R, name)
#define FILCH_LAMBDA_CHECK_1(generator, type, R, name, group, ...)                                 \
    FILCH_LAMBDA_CHECK(generator, type, R, name, FILCH_CAPTURES(group), __VA_ARGS__)
#define FILCH_LAMBDA_CHECK(generator, type, R, name, captured, ...)                                \
    FILCH_CAT(FILCH_SHAPE_, FILCH_VERDICT(FILCH_SHAPE_OF(FILCH_LAMBDA, name, __VA_ARGS__)          \
                                          FILCH_LAMBDA_CAPTURED captured, 0))                      \
    (generator, FILCH_LAMBDA, type, R, name, captured, __VA_ARGS__)
#define FILCH_LAMBDA_CAPTURED(...) FILCH_CHECK_EACH(__VA_ARGS__) FILCH_TAKES_UP_TO_8(__VA_ARGS__)
#define FILCH_LAMBDA_TAKES FILCH_TAKES_UP_TO_8
#define FILCH_LAMBDA_RULE                                                                          \
    what it captures, ((type, name), ...) or (), then at most eight parameters (type, name)
#define FILCH_LAMBDA_STUBS(...)
#define FILCH_CAPTURES(group) FILCH_CAT(FILCH_CAPTURES_, FILCH_IS_EMPTY(group))(group)
#define FILCH_CAPTURES_0(group) (FILCH_UNGROUP group, ~)
#define FILCH_CAPTURES_1(group) (~)
/* 1 for (), 0 for ((T, x), ...) and for what is wrong. */
#define FILCH_IS_EMPTY(group) FILCH_NONE_IN group
#define FILCH_NONE_IN(...) FILCH_NONE_FIRST(__VA_ARGS__, ~)
#define FILCH_NONE_FIRST(first, ...) FILCH_CAT(FILCH_NONE_, FILCH_IS_GROUP(first))(first)
#define FILCH_NONE_0(first) FILCH_IS_GROUP(first())
#define FILCH_NONE_1(first) 0
#define FILCH_WITH(m, list) m list
#define FILCH_PARTIAL_GENERATE FILCH_LAMBDA_GENERATE
#define FILCH_COMPOSITION_GENERATE FILCH_LAMBDA_GENERATE
#define FILCH_LAMBDA_GENERATE(type, R, name, captured, ...)                                        \
    FILCH_LAMBDA_CAPTURES(name, FILCH_UNGROUP captured)                                            \
    FILCH_INFO(name, "", sizeof(name##_args))                                                      \
    FILCH_ASSERT_STATIC(sizeof(name##_args) <= FILCH_INLINE_BYTES,                                 \
                        "a lambda captures at most FILCH_INLINE_BYTES");                           \
    static R name##_lambda(FILCH_UNUSED const void *filch_self                                     \
                               FILCH_LAMBDA_DECLARE(FILCH_UNGROUP captured)                        \
                                   FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));                        \
    FILCH_UNUSED static R filch_of_call_##name(const void *filch_captures                          \
                                      FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                      \
    {                                                                                              \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED const name##_args *filch_args = &filch_bound;                                 \
        memcpy(&filch_bound, filch_captures, sizeof filch_bound);                                  \
        FILCH_RESULT(FILCH_RESULT_RETURN_, R)                                                      \
        name##_lambda(filch_captures FILCH_LAMBDA_PASS(FILCH_UNGROUP captured)                     \
                                 FILCH_MORE(FILCH_NAME, __VA_ARGS__));                             \
    }                                                                                              \
    FILCH_UNUSED static inline type name##_bind(FILCH_LAMBDA_BIND(FILCH_UNGROUP captured))         \
    {                                                                                              \
        type filch_value;                                                                          \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED name##_args *filch_args = &filch_bound;                                       \
        memset(&filch_bound, 0, sizeof filch_bound);                                               \
        FILCH_LAMBDA_STORE(FILCH_UNGROUP captured)                                                 \
        filch_value.info = &name##_info;                                                           \
        filch_value.call = filch_of_call_##name;                                                   \
        memset(filch_value.captures, 0, sizeof filch_value.captures);                              \
        memcpy(filch_value.captures, &filch_bound, sizeof filch_bound);                            \
        return filch_value;                                                                        \
    }                                                                                              \
    static R name##_lambda(FILCH_UNUSED const void *filch_self                                     \
                               FILCH_LAMBDA_DECLARE(FILCH_UNGROUP captured)                        \
                                   FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))
#define FILCH_LAMBDA_CAPTURES(name, ...) FILCH_PACKED_16(name##_args, FILCH_FIELDS(__VA_ARGS__))
#define FILCH_LAMBDA_DECLARE(...) FILCH_MORE(FILCH_DECLARE, __VA_ARGS__)
#define FILCH_LAMBDA_PASS(...) FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__)
#define FILCH_LAMBDA_BIND(...) FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__)
#define FILCH_LAMBDA_STORE(...) FILCH_EACH(FILCH_TO_ARGS, __VA_ARGS__)

/* FILCH_PARTIAL(type, R, name, function, ((T, bound), ...), (T, x), ...): some arguments now, the
 * rest later. Defines name_bind(bound, ...), which gives a value of the signature; calling that
 * calls function(bound, ..., x, ...). */
#define FILCH_PARTIAL(type, R, name, function, ...)                                                \
    FILCH_LAMBDA_I(FILCH_PARTIAL, type, R, name, __VA_ARGS__, ~)                                   \
    {                                                                                              \
        FILCH_PARTIAL_CALL(R, function, __VA_ARGS__, ~)                                            \
    }
#define FILCH_PARTIAL_CALL(R, function, group, ...)                                                \
    FILCH_RESULT(FILCH_RESULT_RETURN_, R)                                                          \
    function(FILCH_LIST(FILCH_NAME, , FILCH_UNGROUP group, __VA_ARGS__));
#define FILCH_RESULT_RETURN_0(R) return
#define FILCH_RESULT_RETURN_1(R)

/* FILCH_COMPOSE(R, name, outer, inner, (T, x), ...): defines the FILCH_FUNCTION name(x, ...), which
 * is outer(inner(x, ...)). */
#define FILCH_COMPOSE(R, name, outer, inner, ...)                                                  \
    FILCH_COMPOSE_I(R, name, outer, inner, __VA_ARGS__, ~)
#define FILCH_COMPOSE_GENERATE FILCH_FUNCTION_GENERATE
#define FILCH_COMPOSE_I(R, name, outer, inner, ...)                                                \
    FILCH_SHAPED_0(FILCH_COMPOSE, FILCH_FUNCTION, R, name, __VA_ARGS__)                            \
    {                                                                                              \
        FILCH_RESULT(FILCH_RESULT_RETURN_, R) outer(inner(FILCH_LIST(FILCH_NAME, , __VA_ARGS__))); \
    }

/* FILCH_COMPOSITION(type, R, name, outer_type, inner_type, (T, x), ...): the same for values that
 * are known only at run time. Defines name_bind(&outer, &inner), which gives a value of the
 * signature `type`; outer and inner are not copied and must stay. */
#define FILCH_COMPOSITION(type, R, name, outer_type, inner_type, ...)                              \
    FILCH_COMPOSITION_I(type, R, name, outer_type, inner_type, __VA_ARGS__, ~)
#define FILCH_COMPOSITION_I(type, R, name, outer_type, inner_type, ...)                            \
    FILCH_LAMBDA_I(FILCH_COMPOSITION, type, R, name,                                               \
                   ((const outer_type *, filch_outer), (const inner_type *, filch_inner)),         \
                   __VA_ARGS__)                                                                    \
    {                                                                                              \
        FILCH_RESULT(FILCH_RESULT_RETURN_, R)                                                      \
        outer_type##_call(*filch_outer, inner_type##_call(*filch_inner FILCH_MORE(                 \
                                                              FILCH_NAME, __VA_ARGS__)));          \
    }
/* clang-format on */

#endif
