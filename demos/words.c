/* Word count: words [FILE ...]; without files, of three verses. Each participant has a hash table
 * of its own, and they are added up. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

enum { BUCKETS = 256, LETTERS = 24 };

struct word {
    struct word *next;
    long count;
    char text[LETTERS];
};

struct table {
    struct word *buckets[BUCKETS]; /* by first letters */
};

static int add_word(struct table *table, const char *text, long count)
{
    struct word **place = &table->buckets[(unsigned char)*text];
    while (*place && strcmp((*place)->text, text) != 0) {
        place = &(*place)->next;
    }
    if (!*place) {
        *place = calloc(1, sizeof **place);
    }
    if (!*place) {
        return filch_raise(ENOMEM, "no memory for %s", text);
    }
    memcpy((*place)->text, text, strlen(text) + 1);
    (*place)->count += count;
    return 0;
}

FILCH_FOLD(struct table, count_file, (const char *, name))
{
    static char verse[] = "the owner pushes the thieves steal from the other end";
    FILE *file = name ? fopen(name, "r") : fmemopen(verse, sizeof verse - 1, "r");
    char text[LETTERS];
    if (!file) {
        filch_raise(errno, "%s: %s", name ? name : "a verse", strerror(errno));
        return;
    }
    while (fscanf(file, "%23s", text) == 1 && add_word(into, text, 1) == 0) {
    }
    fclose(file);
}

static void add_table(struct table *into, struct table *from, void *context)
{
    (void)context;
    for (struct word **bucket = from->buckets; bucket < from->buckets + BUCKETS; bucket++) {
        for (struct word *word = *bucket; word && !add_word(into, word->text, word->count);) {
            word = word->next;
        }
    }
}

static void free_words(struct table *table, void *context)
{
    (void)context;
    for (struct word **bucket = table->buckets; bucket < table->buckets + BUCKETS; bucket++) {
        for (struct word *word = *bucket, *next = NULL; word; word = next) {
            next = word->next;
            free(word);
        }
    }
}

int main(int argc, char **argv)
{
    const char *verses[3] = {NULL, NULL, NULL};
    const char *const *names = argc > 1 ? (const char *const *)(argv + 1) : verses;
    const count_file_accumulator how = {.merge = add_table, .finish = free_words};
    filch_error error = {.index = 0};
    struct table all = {{NULL}};
    filch_status status = count_file_fold(FILCH_ON(NULL, .error = &error), names,
                                          argc > 1 ? (size_t)argc - 1 : 3, &how, &all);
    for (int i = 0; i < BUCKETS; i++) {
        for (const struct word *word = all.buckets[i]; word; word = word->next) {
            printf("%s %ld\n", word->text, word->count);
        }
    }
    free_words(&all, NULL);
    if (status != FILCH_OK) { /* if one was raised, the other files have been counted */
        fprintf(stderr, "words: %s\n",
                status == FILCH_ERAISED ? error.message : filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
