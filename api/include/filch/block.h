/* filch/block.h: how the pieces of maps, loops, reductions and sorts go through their elements.
 *
 * Generated code hands over the user's function and the size of an element: constants where these
 * functions are inlined, so that the loop comes out as one would write it. Not for direct use. */
#ifndef FILCH_BLOCK_H
#define FILCH_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <filch/core.h>
#include <filch/macros.h>

/* ---- maps and loops ---- */

/* 1, which the compiler does not know: it then counts with i, as in the plain loop, and not with
 * i + 1, which gcc makes slower by up to a sixth. Outside of the loop it costs nothing. */
FILCH_INLINE size_t filch_block_one(void)
{
    size_t one = 1;
    __asm__("" : "+r"(one));
    return one;
}

/* run(environment, i) for those of the range. */
FILCH_INLINE void filch_block_run(filch_range *range,
                                  void (*run)(const void *environment, size_t i),
                                  const void *environment)
{
    const size_t one = filch_block_one();
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + one;
        run(environment, i);
    }
}

/* ---- predicates: has(environment, element) ---- */

typedef bool filch_block_test(const void *environment, const void *element);

FILCH_INLINE const char *filch_block_at(const void *elements, size_t i, size_t bytes)
{
    return (const char *)elements + i * bytes;
}

/* How many have it; flags[i] says which, if it is not NULL. */
FILCH_INLINE size_t filch_block_count(filch_range *range, filch_block_test *has,
                                      const void *environment, const void *elements, size_t bytes,
                                      unsigned char *flags)
{
    const size_t one = filch_block_one();
    size_t found = 0;
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + one;
        const bool it_has = has(environment, filch_block_at(elements, i, bytes));
        found += it_has;
        if (flags) {
            flags[i] = it_has;
        }
    }
    return found;
}

/* The first for which the answer is `wanted`; FILCH_NO_INDEX: none. */
FILCH_INLINE size_t filch_block_find(filch_range *range, filch_block_test *has,
                                     const void *environment, const void *elements, size_t bytes,
                                     bool wanted)
{
    const size_t one = filch_block_one();
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + one;
        if (has(environment, filch_block_at(elements, i, bytes)) == wanted) {
            return i;
        }
    }
    return FILCH_NO_INDEX;
}

/* Copies those that have it, and counts them; out may be behind elements in the same array. */
FILCH_INLINE size_t filch_block_filter(filch_range *range, filch_block_test *has,
                                       const void *environment, const void *elements, size_t bytes,
                                       void *out)
{
    const size_t one = filch_block_one();
    char *to = (char *)out;
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + one;
        const char *from = filch_block_at(elements, i, bytes);
        if (has(environment, from)) {
            memmove(to, from, bytes);
            to += bytes;
        }
    }
    return (size_t)(to - (char *)out) / bytes;
}

/* Copies those with flags[i] = 1. */
FILCH_INLINE void filch_block_pack(const void *elements, const unsigned char *flags, size_t n,
                                   size_t bytes, void *out)
{
    char *to = (char *)out;
    for (size_t i = 0; i < n; i++) {
        if (flags[i]) {
            memcpy(to, filch_block_at(elements, i, bytes), bytes);
            to += bytes;
        }
    }
}

/* ---- reducers: combine(into, element) is into = into (+) element ---- */

typedef void filch_block_combine(void *into, const void *element);

FILCH_INLINE void filch_block_reduce(filch_block_combine *combine, void *into, const void *elements,
                                     size_t n, size_t bytes)
{
    for (size_t i = 0; i < n; i++) {
        combine(into, filch_block_at(elements, i, bytes));
    }
}

FILCH_INLINE void filch_block_sum(filch_block_combine *combine, void *sum, const void *element,
                                  size_t bytes, bool exclusive, void *out)
{
    if (exclusive) {
        memcpy(out, sum, bytes);
    }
    combine(sum, element);
    if (!exclusive) {
        memcpy(out, sum, bytes);
    }
}

/* out[i] = sum (+) elements[0] (+) ... (+) elements[i], or without the last. sum goes on; total, if
 * not NULL, becomes that of elements. element: room for one. The three are the caller's locals. */
FILCH_INLINE void filch_block_scan(filch_block_combine *combine, void *sum, void *element,
                                   void *total, const void *elements, size_t n, size_t bytes,
                                   bool exclusive, void *out)
{
    memcpy(element, elements, bytes);
    if (total) {
        memcpy(total, element, bytes);
    }
    filch_block_sum(combine, sum, element, bytes, exclusive, out);
    for (size_t i = 1; i < n; i++) {
        memcpy(element, filch_block_at(elements, i, bytes), bytes);
        if (total) {
            combine(total, element);
        }
        filch_block_sum(combine, sum, element, bytes, exclusive, (char *)out + i * bytes);
    }
}

/* ---- orders: before(a, b) ---- */

typedef bool filch_block_before(const void *a, const void *b);

/* Sorts a few, stably, by insertion. moved: room for one. */
FILCH_INLINE void filch_block_sort_few(filch_block_before *before, void *elements, size_t n,
                                       size_t bytes, void *moved)
{
    char *first = (char *)elements;
    for (size_t i = 1; i < n; i++) {
        char *to = first + i * bytes;
        memcpy(moved, to, bytes);
        while (to > first && before(moved, to - bytes)) {
            memcpy(to, to - bytes, bytes);
            to -= bytes;
        }
        memcpy(to, moved, bytes);
    }
}

/* Merges two sorted arrays into a third; of equals those of a come first. */
FILCH_INLINE void filch_block_merge(filch_block_before *before, const void *a, size_t n_a,
                                    const void *b, size_t n_b, size_t bytes, void *out)
{
    const char *left = (const char *)a;
    const char *right = (const char *)b;
    char *to = (char *)out;
    while (n_a && n_b) {
        const bool from_right = before(right, left);
        memcpy(to, from_right ? right : left, bytes);
        to += bytes;
        right += from_right ? bytes : 0;
        left += from_right ? 0 : bytes;
        n_b -= from_right;
        n_a -= !from_right;
    }
    memcpy(to, left, n_a * bytes);
    memcpy(to + n_a * bytes, right, n_b * bytes);
}

/* Of sorted elements: how many come before *key, by halving. */
FILCH_INLINE size_t filch_block_count_before(filch_block_before *before, const void *elements,
                                             size_t n, size_t bytes, const void *key)
{
    size_t from = 0;
    while (from < n) {
        const size_t middle = from + (n - from) / 2;
        if (before(filch_block_at(elements, middle, bytes), key)) {
            from = middle + 1;
        } else {
            n = middle;
        }
    }
    return from;
}

/* How many do not come after it. */
FILCH_INLINE size_t filch_block_count_not_after(filch_block_before *before, const void *elements,
                                                size_t n, size_t bytes, const void *key)
{
    size_t from = 0;
    while (from < n) {
        const size_t middle = from + (n - from) / 2;
        if (!before(key, filch_block_at(elements, middle, bytes))) {
            from = middle + 1;
        } else {
            n = middle;
        }
    }
    return from;
}

/* The first of the least; the first of the greatest. n is at least 1. */
FILCH_INLINE size_t filch_block_least(filch_block_before *before, const void *elements, size_t n,
                                      size_t bytes)
{
    const char *best = (const char *)elements;
    for (size_t i = 1; i < n; i++) {
        const char *at = filch_block_at(elements, i, bytes);
        best = before(at, best) ? at : best;
    }
    return (size_t)(best - (const char *)elements) / bytes;
}

FILCH_INLINE size_t filch_block_greatest(filch_block_before *before, const void *elements, size_t n,
                                         size_t bytes)
{
    const char *best = (const char *)elements;
    for (size_t i = 1; i < n; i++) {
        const char *at = filch_block_at(elements, i, bytes);
        best = before(best, at) ? at : best;
    }
    return (size_t)(best - (const char *)elements) / bytes;
}

#endif
