#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

static void end_without(void)
{
    fputs("filch-trace: there is not enough memory for this trace\n", stderr);
    exit(1);
}

void *tool_alloc(size_t n, size_t bytes)
{
    void *memory = calloc(n ? n : 1, bytes);
    if (!memory) {
        end_without();
    }
    return memory;
}

void tool_check(filch_status status)
{
    if (status != FILCH_OK) {
        end_without();
    }
}

void *tool_realloc(void *memory, size_t n, size_t bytes)
{
    void *grown = n > SIZE_MAX / bytes ? NULL : realloc(memory, n * bytes);
    if (!grown) {
        end_without();
    }
    return grown;
}

void tool_sort(void *at, size_t count, size_t bytes, int (*compare)(const void *, const void *))
{
    if (count) {
        qsort(at, count, bytes, compare);
    }
}

/* Values stay when their key is set to TABLE_NONE: a table never forgets a key, so probing needs no
 * marks for what was removed. */
static size_t place_of(const struct table *table, uint64_t key)
{
    uint64_t hash = (key ^ key >> 29) * 0xbf58476d1ce4e5b9u; /* splitmix64's step */
    size_t at = (hash ^ hash >> 32) & (table->room - 1);
    while (table->at[at].key && table->at[at].key != key) {
        at = (at + 1) & (table->room - 1);
    }
    return at;
}

uint32_t table_get(const struct table *table, uint64_t key)
{
    if (!key || !table->room) {
        return TABLE_NONE;
    }
    size_t at = place_of(table, key);
    return table->at[at].key ? table->at[at].value : TABLE_NONE;
}

static void grow(struct table *table)
{
    struct table larger = {.room = table->room ? table->room * 2 : 256};
    larger.at = tool_alloc(larger.room, sizeof *larger.at);
    for (size_t i = 0; i < table->room; i++) {
        if (table->at[i].key && table->at[i].value != TABLE_NONE) {
            larger.at[place_of(&larger, table->at[i].key)] = table->at[i];
            larger.count++;
        }
    }
    free(table->at);
    *table = larger;
}

void table_set(struct table *table, uint64_t key, uint32_t value)
{
    if (!key) {
        return;
    }
    if (table->count * 2 >= table->room) {
        grow(table);
    }
    size_t at = place_of(table, key);
    if (!table->at[at].key) {
        table->at[at].key = key;
        table->count++;
    }
    table->at[at].value = value;
}

void table_free(struct table *table)
{
    free(table->at);
    *table = (struct table){.at = NULL};
}
