/* A pipeline: lines are read in order, encoded in parallel, and written in order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

struct line {
    const char *text;
    char encoded[80];
};

static const char *const poem[] = {"The owner pushes, the thieves steal,", "from the other end.",
                                   "Nobody waits", "for work that nobody wanted.", NULL};

static filch_status read_line(void *context, void *item)
{
    const char *const **next = context;
    struct line *line = item;
    if (!**next) {
        return FILCH_END;
    }
    line->text = *(*next)++;
    return FILCH_OK;
}

/* ROT13, slowly: the longer the line, the longer it takes. */
static void encode(void *context, void *item)
{
    struct line *line = item;
    (void)context;
    filch_status status = filch_sleep(0.001 * (double)strlen(line->text));
    if (status != FILCH_OK) {
        filch_raise(1, "not encoded: %s", filch_strerror(status)); /* it is not written, either */
    }
    for (size_t i = 0; i < sizeof line->encoded - 1 && line->text[i]; i++) {
        char c = line->text[i];
        char first = c >= 'a' && c <= 'z' ? 'a' : c >= 'A' && c <= 'Z' ? 'A' : '\0';
        line->encoded[i] = first ? (char)(first + (c - first + 13) % 26) : c;
    }
}

static void write_line(void *context, void *item)
{
    const struct line *line = item;
    if (fprintf(context, "%s\n", line->encoded) < 0) {
        filch_raise(1, "not written: %s", strerror(errno));
    }
}

int main(void)
{
    const filch_stage stages[] = {{FILCH_STAGE_PARALLEL, encode, NULL},
                                  {FILCH_STAGE_SERIAL, write_line, stdout}};
    const char *const *next = poem;
    filch_error error;
    const filch_pipeline_options options = {.error = &error};
    filch_status status =
        filch_pipeline(NULL, read_line, &next, sizeof(struct line), stages, 2, &options);
    if (status != FILCH_OK) {
        fprintf(stderr, "pipeline: %s\n",
                status == FILCH_ERAISED ? error.message : filch_strerror(status));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
