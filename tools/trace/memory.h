/* memory: arrays that grow. A tool that finds no memory says so and ends. */
#ifndef FILCH_TOOL_MEMORY_H
#define FILCH_TOOL_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <filch/status.h>

/* As their namesakes; they do not return without memory. */
void *tool_alloc(size_t n, size_t bytes);
void *tool_realloc(void *memory, size_t n, size_t bytes);

/* What filch was asked to do in parallel: it fails for want of memory only. */
void tool_check(filch_status status);

/* See that one more element fits: ARRAY_GROW(a): `a` is a struct with at, count and room. */
#define ARRAY_GROW(array)                                                                          \
    ((array).count < (array).room                                                                  \
         ? (void)0                                                                                 \
         : (void)((array).at = tool_realloc((array).at,                                            \
                                            (array).room = (array).room ? (array).room * 2 : 64,   \
                                            sizeof *(array).at)))

/* Append: the place of the new last element. */
#define ARRAY_PUSH(array) (ARRAY_GROW(array), &(array).at[(array).count++])

/* qsort() of `count` elements; of none at NULL, too. */
void tool_sort(void *at, size_t count, size_t bytes, int (*compare)(const void *, const void *));
#define ARRAY_SORT(array, compare) tool_sort((array).at, (array).count, sizeof *(array).at, compare)

/* A table from numbers to numbers; 0 is no key. */
struct table {
    struct table_entry {
        uint64_t key;
        uint32_t value;
    } * at;
    size_t room;
    size_t count;
};

static const uint32_t TABLE_NONE = UINT32_MAX;

uint32_t table_get(const struct table *table, uint64_t key); /* TABLE_NONE: it is not there */
void table_set(struct table *table, uint64_t key, uint32_t value);
void table_free(struct table *table);

#endif
