/* amount: sums of times. A file may say any number: what is reckoned with them stops at the largest
 * and the smallest that there are. */
#ifndef FILCH_TOOL_AMOUNT_H
#define FILCH_TOOL_AMOUNT_H

#include <stdint.h>

static inline int64_t amount_sum(int64_t a, int64_t b)
{
    int64_t sum;
    return !__builtin_add_overflow(a, b, &sum) ? sum : b < 0 ? INT64_MIN : INT64_MAX;
}

static inline int64_t amount_difference(int64_t a, int64_t b)
{
    int64_t difference;
    return !__builtin_sub_overflow(a, b, &difference) ? difference : b < 0 ? INT64_MAX : INT64_MIN;
}

static inline int64_t amount_product(int64_t a, int64_t b)
{
    int64_t product;
    return !__builtin_mul_overflow(a, b, &product) ? product
           : (a < 0) == (b < 0)                    ? INT64_MAX
                                                   : INT64_MIN;
}

static inline void amount_add(int64_t *to, int64_t more)
{
    *to = amount_sum(*to, more);
}

/* What is no number is 0. */
static inline int64_t amount_of(double value)
{
    return value >= 0x1p63   ? INT64_MAX
           : value < -0x1p63 ? INT64_MIN
           : value == value  ? (int64_t)value
                             : 0;
}

#endif
