/* filch/shape.h: a generator that is written wrong is told of in one line. Nothing here is for
 * direct use.
 *
 * The preprocessor looks at the shape of what GENERATOR(R, name, ["doc",] (T, x), ...) is given. If
 * it is right, GENERATOR_GENERATE(R, name, doc, (T, x), ..., ~) follows, else one error, which says
 * GENERATOR_RULE, and no code: of generated code the compiler would report each line. What is left
 * for it to find wrong is that the body has no head. Calls of what would have been generated are
 * let through: GENERATOR_STUBS declares it.
 *
 * A check is nothing where things are right, else a reason in parentheses; checks stand one behind
 * another, and the first reason counts: FILCH_SHAPE_2 ... say which there are. They are numbers,
 * because a word might be a macro of the program's. */
#ifndef FILCH_SHAPE_H
#define FILCH_SHAPE_H

#include <filch/macros.h>

/* clang-format off */
FILCH_SHORT_ERRORS

/* name, T, ~: a name and a type. */
#define FILCH_SHAPED_TYPE(generator, name, ...)                                                    \
    FILCH_CAT(FILCH_SHAPE_,                                                                        \
              FILCH_VERDICT(FILCH_CHECK_NAME(name) FILCH_CHECK_NAMED_TYPE(__VA_ARGS__), 0))        \
    (generator, generator, name, __VA_ARGS__)

/* R, name, ["doc",] parameters..., ~ */
#define FILCH_SHAPED(generator, rules, R, name, ...)                                               \
    FILCH_CAT(FILCH_SHAPED_, FILCH_HAS_DOC(__VA_ARGS__))(generator, rules, R, name, __VA_ARGS__)
#define FILCH_SHAPED_0(generator, rules, R, name, ...)                                             \
    FILCH_CAT(FILCH_SHAPE_, FILCH_VERDICT(FILCH_SHAPE_OF(rules, name, __VA_ARGS__), 0))            \
    (generator, rules, R, name, "", __VA_ARGS__)
#define FILCH_SHAPED_1(generator, rules, R, name, doc, ...)                                        \
    FILCH_CAT(FILCH_SHAPE_, FILCH_VERDICT(FILCH_SHAPE_OF(rules, name, __VA_ARGS__), 1))            \
    (generator, rules, R, name, doc, __VA_ARGS__)
#define FILCH_SHAPE_OF(rules, name, ...)                                                           \
    FILCH_CHECK_NAME(name) FILCH_CHECK_EACH(__VA_ARGS__) rules##_TAKES(__VA_ARGS__)

#define FILCH_HAS_DOC(...)                                                                         \
    FILCH_CAT(FILCH_HAS_DOC_, FILCH_PLACE(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,   \
                                          1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0,    \
                                          ~))                                                      \
    (__VA_ARGS__)
#define FILCH_HAS_DOC_0(...) 0
#define FILCH_HAS_DOC_1(first, ...) FILCH_CAT(FILCH_NOT_, FILCH_IS_GROUP(first))
#define FILCH_NOT_0 1
#define FILCH_NOT_1 0

/* The first of the reasons, or `right`. */
#define FILCH_VERDICT(reasons, right) FILCH_SECOND(FILCH_FIRST_REASON reasons, right, ~)
#define FILCH_FIRST_REASON(reason) ~, reason,

/* One of what stands behind the list that it is given, by the list's length: at most 32. */
#define FILCH_PLACE(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17,    \
                    a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32,     \
                    it, ...)                                                                       \
    it

/* ---- checks ---- */

/* There is a name, and nothing but a name. One in quotes, or with a parameter right behind it, does
 * not become part of a longer word, of which the compiler complains, too. */
#define FILCH_CHECK_NAME(name) FILCH_CAT(FILCH_CHECK_NAME_, FILCH_IS_GROUP(name()))(name)
#define FILCH_CHECK_NAME_0(name)                                                                   \
    FILCH_SECOND(FILCH_NAME_IS_MISSING_##name##FILCH_COMMA_IS_MISSING, , ~)
#define FILCH_CHECK_NAME_1(name) (6)
#define FILCH_NAME_IS_MISSING_ ~, (6),
#define FILCH_NAME_IS_MISSING_voidFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING_boolFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING__BoolFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING_charFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING_intFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING_longFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING_unsignedFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING_floatFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_NAME_IS_MISSING_doubleFILCH_COMMA_IS_MISSING ~, (6),
#define FILCH_COMMA_IS_MISSING , (6),

/* Each parameter is (type, name). */
#define FILCH_CHECK_EACH(...)                                                                      \
    FILCH_CAT(FILCH_CHECK_, FILCH_PLACE(__VA_ARGS__, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,   \
                                        12, 12, 12, 12, 12, 12, 12, 12, 12, 11, 10, 9, 8, 7, 6, 5, \
                                        4, 3, 2, 1, 0, ~))                                         \
    (__VA_ARGS__)
#define FILCH_CHECK_0(end)
#define FILCH_CHECK_1(a, ...) FILCH_CHECK(a)
#define FILCH_CHECK_2(a, ...) FILCH_CHECK(a) FILCH_CHECK_1(__VA_ARGS__)
#define FILCH_CHECK_3(a, ...) FILCH_CHECK(a) FILCH_CHECK_2(__VA_ARGS__)
#define FILCH_CHECK_4(a, ...) FILCH_CHECK(a) FILCH_CHECK_3(__VA_ARGS__)
#define FILCH_CHECK_5(a, ...) FILCH_CHECK(a) FILCH_CHECK_4(__VA_ARGS__)
#define FILCH_CHECK_6(a, ...) FILCH_CHECK(a) FILCH_CHECK_5(__VA_ARGS__)
#define FILCH_CHECK_7(a, ...) FILCH_CHECK(a) FILCH_CHECK_6(__VA_ARGS__)
#define FILCH_CHECK_8(a, ...) FILCH_CHECK(a) FILCH_CHECK_7(__VA_ARGS__)
#define FILCH_CHECK_9(a, ...) FILCH_CHECK(a) FILCH_CHECK_8(__VA_ARGS__)
#define FILCH_CHECK_10(a, ...) FILCH_CHECK(a) FILCH_CHECK_9(__VA_ARGS__)
#define FILCH_CHECK_11(a, ...) FILCH_CHECK(a) FILCH_CHECK_10(__VA_ARGS__)
#define FILCH_CHECK_12(...) (2) /* too many */
#define FILCH_CHECK(a) FILCH_SECOND(FILCH_CHECK_PAIR a, (3), ~)
#define FILCH_CHECK_PAIR(...)                                                                      \
    ~, FILCH_PAIR(__VA_ARGS__, (5), (5), (5), (5), (5), , (4), ~) FILCH_CHECK_TYPE(__VA_ARGS__, , )
#define FILCH_PAIR(a, b, c, d, e, f, g, it, ...) it

/* No type is void, and no name in brackets. Those do not become part of a longer word, either. */
#define FILCH_CHECK_TYPE(T, x, ...)                                                                \
    FILCH_SECOND(FILCH_TYPE_IS_##T(x##_IS_AN_ARRAY_PASS_A_POINTER), , ~)
#define FILCH_TYPE_IS_void(x) ~, (7),
#define FILCH_CHECK_NAMED_TYPE(...)                                                                \
    FILCH_PAIR(__VA_ARGS__, FILCH_CHECK_12, FILCH_CHECK_12, FILCH_CHECK_12, FILCH_CHECK_12,        \
               FILCH_CHECK_12, FILCH_CHECK_ONE_TYPE, FILCH_CHECK_12, ~)                            \
    (__VA_ARGS__)
#define FILCH_CHECK_ONE_TYPE(T, end) FILCH_CHECK_TYPE(T, , )

/* How many there are: RULES_TAKES is one of these. */
#define FILCH_TAKES_UP_TO_8(...)                                                                   \
    FILCH_PLACE(__VA_ARGS__, (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), \
                (2), (2), (2), (2), (2), (2), (2), (2), (2), , , , , , , , , , ~)
#define FILCH_TAKES_1_TO_8(...)                                                                    \
    FILCH_PLACE(__VA_ARGS__, (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), \
                (2), (2), (2), (2), (2), (2), (2), (2), (2), , , , , , , , , (2), ~)
#define FILCH_TAKES_1_AND_UP_TO_8(...)                                                             \
    FILCH_PLACE(__VA_ARGS__, (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), \
                (2), (2), (2), (2), (2), (2), (2), (2), , , , , , , , , , (2), ~)
#define FILCH_TAKES_2_AND_UP_TO_8(...)                                                             \
    FILCH_PLACE(__VA_ARGS__, (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), \
                (2), (2), (2), (2), (2), (2), (2), , , , , , , , , , (2), (2), ~)
#define FILCH_TAKES_3_AND_UP_TO_8(...)                                                             \
    FILCH_PLACE(__VA_ARGS__, (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), \
                (2), (2), (2), (2), (2), (2), , , , , , , , , , (2), (2), (2), ~)
#define FILCH_TAKES_2(...)                                                                         \
    FILCH_PLACE(__VA_ARGS__, (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), \
                (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), (2), , (2),  \
                (2), ~)
#define FILCH_RULE_INDEX_FIRST                                                                     \
    the index (size_t, i), then at most eight shared parameters, each (type, name)
#define FILCH_RULE_ELEMENT_FIRST                                                                   \
    the element (type, x), then at most eight shared parameters, each (type, name)
#define FILCH_RULE_UP_TO_8 at most eight parameters, each in parentheses: (type, name)

/* ---- what follows ---- */

#define FILCH_SHAPE_0(generator, rules, ...) generator##_GENERATE(__VA_ARGS__)
/* What stands before the parameters and is not in quotes: only the compiler knows. */
#define FILCH_SHAPE_1(generator, rules, R, name, doc, ...)                                         \
    FILCH_ASSERT_STATIC(__builtin_strncmp(#doc, "\"", 1) == 0,                                     \
                        FILCH_QUOTE(generator: neither in quotes nor a parameter; rules##_RULE));  \
    generator##_GENERATE(R, name, doc, __VA_ARGS__)
#define FILCH_SHAPE_2(generator, rules, ...)                                                       \
    FILCH_SHAPE_ERROR(generator: rules##_RULE)                                                     \
    rules##_STUBS(__VA_ARGS__)
#define FILCH_SHAPE_3(generator, rules, ...)                                                       \
    FILCH_SHAPE_ERROR(generator: a parameter without parentheses; rules##_RULE)                    \
    rules##_STUBS(__VA_ARGS__)
#define FILCH_SHAPE_4(generator, rules, ...)                                                       \
    FILCH_SHAPE_ERROR(generator: a parameter without a comma, or (void); rules##_RULE)             \
    rules##_STUBS(__VA_ARGS__)
#define FILCH_SHAPE_5(generator, rules, ...)                                                       \
    FILCH_SHAPE_ERROR(generator: a parameter with two commas; rules##_RULE)                        \
    rules##_STUBS(__VA_ARGS__)
#define FILCH_SHAPE_6(generator, rules, ...)                                                       \
    FILCH_SHAPE_ERROR(generator: first the type of the result (where there is one) and the name,   \
                      each with a comma; rules##_RULE)
#define FILCH_SHAPE_7(generator, rules, ...)                                                       \
    FILCH_SHAPE_ERROR(generator: void, where a type of values belongs; rules##_RULE)               \
    rules##_STUBS(__VA_ARGS__)

/* A pragma, of which gcc tells where it comes from in one line. */
#define FILCH_SHAPE_ERROR(...) _Pragma(FILCH_QUOTE(GCC error FILCH_QUOTE(__VA_ARGS__)))
#define FILCH_QUOTE(...) FILCH_QUOTE_I(__VA_ARGS__)
#define FILCH_QUOTE_I(...) #__VA_ARGS__

/* `, a, b` of the arguments a, b; nothing of none. */
#define FILCH_TAIL(...)                                                                            \
    FILCH_CAT(FILCH_TAIL_, FILCH_PLACE(__VA_ARGS__, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,   \
                                       9, 9, 9, 9, 9, 9, 9, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, ~))      \
    (__VA_ARGS__)
#define FILCH_TAIL_9(...) FILCH_SHAPE_ERROR(filch: at most eight arguments)
#define FILCH_TAIL_0(end)
#define FILCH_TAIL_1(a, end) , a
#define FILCH_TAIL_2(a, b, end) , a, b
#define FILCH_TAIL_3(a, b, c, end) , a, b, c
#define FILCH_TAIL_4(a, b, c, d, end) , a, b, c, d
#define FILCH_TAIL_5(a, b, c, d, e, end) , a, b, c, d, e
#define FILCH_TAIL_6(a, b, c, d, e, f, end) , a, b, c, d, e, f
#define FILCH_TAIL_7(a, b, c, d, e, f, g, end) , a, b, c, d, e, f, g
#define FILCH_TAIL_8(a, b, c, d, e, f, g, h, end) , a, b, c, d, e, f, g, h

/* Takes any arguments. */
#if defined __cplusplus || __STDC_VERSION__ > 201710
#define FILCH_STUB(R, name) R name(...);
#else
#define FILCH_STUB(R, name) R name();
#endif
/* clang-format on */

#endif
