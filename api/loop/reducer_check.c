#include "loop/reducer_check.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "os/log.h"

enum { TEXT_BYTES = 48 };

/* Of any arithmetic type. */
union operand {
    unsigned char bytes[sizeof(long double)];
    int8_t of_1;
    int16_t of_2;
    int32_t of_4;
    int64_t of_8;
    float as_float;
    double as_double;
    long double as_long_double;
};

static bool is_floating(const filch_reducer *reducer)
{
    return reducer->info->result.kind == FILCH_KIND_FLOATING;
}

static bool is_of_numbers(const filch_reducer *reducer)
{
    const filch_function_info *info = reducer->info;
    return info && reducer->element_bytes <= sizeof(union operand) &&
           (info->result.kind == FILCH_KIND_INTEGER || is_floating(reducer));
}

static union operand number_at(const filch_reducer *reducer, const void *elements, size_t i)
{
    union operand x;
    size_t bytes = reducer->element_bytes;
    memset(&x, 0, sizeof x);
    memcpy(x.bytes, (const unsigned char *)elements + i * bytes, bytes);
    return x;
}

static union operand combined(const filch_reducer *reducer, union operand a, union operand b)
{
    reducer->combine_block(&a, &b, 1);
    return a;
}

static long double floating(const filch_reducer *reducer, const union operand *x)
{
    switch (reducer->element_bytes) {
    case sizeof(float): return x->as_float;
    case sizeof(double): return x->as_double;
    default: return x->as_long_double;
    }
}

static long long integer(const filch_reducer *reducer, const union operand *x)
{
    switch (reducer->element_bytes) {
    case 1: return x->of_1;
    case 2: return x->of_2;
    case 4: return x->of_4;
    default: return x->of_8;
    }
}

static long double larger(long double size, long double x)
{
    long double other = x < 0 ? -x : x;
    return size > other ? size : other;
}

/* Rounding is small beside the largest of what was combined: their sum may be small itself. */
static bool is_rounding(const filch_reducer *reducer, const union operand *three,
                        const union operand *left, const union operand *right)
{
    long double difference = floating(reducer, left) - floating(reducer, right);
    long double largest = larger(larger(0, floating(reducer, left)), floating(reducer, right));
    for (int i = 0; i < 3; i++) {
        largest = larger(largest, floating(reducer, &three[i]));
    }
    long double bound = largest * (reducer->element_bytes == sizeof(float) ? 1e-4L : 1e-6L);
    bool is_more = difference > bound || difference < -bound; /* false: also if it is no number */
    return !is_more;
}

static void describe_number(const filch_reducer *reducer, const union operand *x,
                            char text[TEXT_BYTES])
{
    if (is_floating(reducer)) {
        snprintf(text, TEXT_BYTES, "%.10Lg", floating(reducer, x));
    } else {
        snprintf(text, TEXT_BYTES, "%lld", integer(reducer, x));
    }
}

static void report_reducer(const filch_reducer *reducer, const union operand *left,
                           const union operand *right)
{
    const filch_function_info *info = reducer->info;
    char left_text[TEXT_BYTES];
    char right_text[TEXT_BYTES];
    char message[400];
    describe_number(reducer, left, left_text);
    describe_number(reducer, right, right_text);
    snprintf(message, sizeof message,
             "%.60s (%.80s:%d) is not associative: of the first three elements (a + b) + c is %s, "
             "a + (b + c) is %s; a sum of f(x) is for FILCH_MAP_REDUCE\n",
             info->name, info->file, info->line, left_text, right_text);
    filch_log(FILCH_LOG_WARNING, message);
}

void filch_reducer_compare(const filch_reducer *reducer, const void *elements)
{
    if (!is_of_numbers(reducer)) {
        return;
    }
    union operand three[3];
    for (size_t i = 0; i < 3; i++) {
        three[i] = number_at(reducer, elements, i);
    }
    union operand left = combined(reducer, combined(reducer, three[0], three[1]), three[2]);
    union operand right = combined(reducer, three[0], combined(reducer, three[1], three[2]));
    bool are_same = is_floating(reducer) ? is_rounding(reducer, three, &left, &right)
                                         : integer(reducer, &left) == integer(reducer, &right);
    if (!are_same) {
        report_reducer(reducer, &left, &right);
    }
}
