/* A pipeline: lines are read in order, encoded in parallel, and written in order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

struct line {
    const char *text;
};

struct code {
    char text[80];
};

static const char *const poem[] = {"The owner pushes, the thieves steal,", "from the other end.",
                                   "Nobody waits", "for work that nobody wanted.", NULL};

FILCH_SOURCE(struct line, read_line, (const char *const **, next))
{
    if (!**next) {
        return FILCH_END;
    }
    item->text = *(*next)++;
    return FILCH_OK;
}

/* ROT13, slowly: the longer the line, the longer it takes. */
FILCH_STAGE(struct code, encode, (struct line, line))
{
    struct code code = {""};
    FILCH_TRY(filch_sleep(0.001 * (double)strlen(line.text)), code);
    for (size_t i = 0; i < sizeof code.text - 1 && line.text[i]; i++) {
        char c = line.text[i];
        char first = c >= 'a' && c <= 'z' ? 'a' : c >= 'A' && c <= 'Z' ? 'A' : '\0';
        code.text[i] = first ? (char)(first + (c - first + 13) % 26) : c;
    }
    return code;
}

FILCH_STAGE(void, write_code, (struct code, code), (FILE *, out))
{
    if (fprintf(out, "%s\n", code.text) < 0) {
        filch_raise(errno, "not written: %s", strerror(errno));
    }
}

int main(void)
{
    const filch_stage stages[] = {encode_parallel(), write_code_serial(stdout)};
    const char *const *next = poem;
    filch_error error = {.index = 0};
    filch_status status =
        read_line_pipeline(FILCH_ON(NULL, .error = &error), &next, stages, 2, NULL);
    if (status == FILCH_ERAISED) { /* the lines before that one have been written */
        fprintf(stderr, "pipeline: line %zu, %s: %s\n", error.index + 1, error.function,
                error.message);
    } else if (status != FILCH_OK) {
        fprintf(stderr, "pipeline: %s\n", filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
