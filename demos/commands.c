/* Runs several commands, at most three at once, and prints how each ended, in their order. One that
 * takes too long is killed. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <filch/filch.h>

enum { AT_ONCE = 3 };

static const char *const lines[] = {"echo one",        "printf 'two\\nthree' | wc -l",
                                    "exit 3",          "kill -USR1 $$",
                                    "exec sleep 1000", "cat | tr a-z A-Z"};
enum { N = sizeof lines / sizeof *lines };

/* What is printed of one; to be freed. */
FILCH_FUNCTION(char *, outcome_of, (const char *, line))
{
    filch_process_result result;
    const filch_process_options options = {
        .input = "some text", .input_bytes = 9, .until = filch_in(0.5)};
    char *text = malloc(256);
    filch_status status = filch_process_run(FILCH_COMMAND("sh", "-c", line), &options, &result);
    if (!text) {
        filch_raise_status(FILCH_ENOMEM);
    } else if (status == FILCH_ETIMEDOUT) {
        snprintf(text, 256, "was killed: it took too long");
    } else if (status != FILCH_OK) {
        snprintf(text, 256, "failed: %s", filch_strerror(status));
    } else if (WIFSIGNALED(result.wait_status)) {
        snprintf(text, 256, "ended by signal %d", WTERMSIG(result.wait_status));
    } else {
        result.output[strcspn(result.output, "\n")] = '\0'; /* its first line */
        snprintf(text, 256, "ended with %d, and wrote \"%.200s\"", WEXITSTATUS(result.wait_status),
                 result.output);
    }
    filch_process_result_free(&result);
    return text;
}

static filch_status next_line(void *context, outcome_of_args *arguments)
{
    size_t *next = context;
    if (*next == N) {
        return FILCH_END;
    }
    arguments->line = lines[(*next)++];
    return FILCH_OK;
}

int main(void)
{
    const filch_imap_options options = {.at_once = AT_ONCE};
    filch_iterator *it = NULL;
    size_t taken = 0;
    char *text;
    filch_status status = outcome_of_imap_from(NULL, next_line, &taken, &options, &it);
    for (size_t i = 0; status == FILCH_OK; i++) {
        status = outcome_of_imap_next(it, &text);
        if (status == FILCH_OK) {
            printf("%s: %s\n", lines[i], text);
            free(text);
        }
    }
    filch_iterator_free(it);
    if (status != FILCH_END) {
        fprintf(stderr, "commands: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
