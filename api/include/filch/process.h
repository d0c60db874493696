/* filch/process.h: running other programs, without holding a core meanwhile.
 *
 *     filch_process_result result;
 *     filch_process_options options = {.input = text, .input_bytes = n, .until = filch_in(5)};
 *     status = filch_process_run(FILCH_COMMAND("sort", "-u"), &options, &result);
 *     if (status == FILCH_OK && result.wait_status == 0) {
 *         fputs(result.output, stdout);
 *     }
 *     filch_process_result_free(&result);
 *
 * A child is one of several things to wait for by filch_on_process() (first.h). */
#ifndef FILCH_PROCESS_H
#define FILCH_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include <filch/status.h>
#include <filch/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What can stand for a descriptor below. */
enum {
    FILCH_INHERIT = -1,    /* the caller's own */
    FILCH_DISCARD = -2,    /* nothing is read, and what is written is lost: /dev/null */
    FILCH_WITH_OUTPUT = -3 /* errors: where the output goes */
};

/* Zero in a field means its default. */
typedef struct filch_process_options {
    const char *const *environment; /* "NAME=value", ..., NULL; default: the caller's */
    const char *directory;          /* where it runs; default: the caller's */
    int input_from;     /* a descriptor above 0, FILCH_INHERIT, FILCH_DISCARD; default: `input` */
    const void *input;  /* what it reads; NULL: nothing */
    size_t input_bytes; /* of that */
    int output_to;     /* a descriptor above 0, FILCH_INHERIT, FILCH_DISCARD; default: the result */
    int errors_to;     /* likewise, and FILCH_WITH_OUTPUT */
    size_t most_bytes; /* of output, and of errors, in the result; default: 16 MiB */
    filch_deadline until; /* when it is killed; default: never */
} filch_process_options;

/* What a program came to. */
typedef struct filch_process_result {
    int wait_status; /* as of waitpid(): 0: it has succeeded; -ECHILD: another call has reaped it */
    int error;       /* not 0: an errno, why it was not begun */
    char *output;    /* with a '\0' behind it; NULL: it goes elsewhere, or it was not begun */
    size_t output_bytes;
    char *errors; /* likewise */
    size_t errors_bytes;
} filch_process_result;

/* Effect: runs a program and waits until it has ended and all have closed what it wrote to the
 * result: also what it has left running. It is in a process group of its own, blocks no signal,
 * and has no descriptor of the caller's that is closed on exec. When the deadline comes, the caller
 * is asked to stop, or it writes too much, it is killed with SIGKILL, and all that is left of
 * its group. It is always reaped.
 * Args: argv: the program, which is looked for in PATH if there is no slash in it, its arguments,
 * and NULL. options: NULL for defaults. result: set in any case; to be freed by the caller.
 * Returns: FILCH_OK: it has ended; result->wait_status says how. FILCH_ETIMEDOUT, FILCH_ECANCELED,
 * FILCH_EOVERFLOW (more than most_bytes), FILCH_ENOMEM: it was killed; the result has what was
 * written so far. If result->error is not 0 it was not begun, and that decides: FILCH_ENOMEM,
 * FILCH_EAGAIN (too many processes), FILCH_ERAISED: any other, as ENOENT or EMFILE; FILCH_ENOSYS: a
 * directory, where the system cannot. FILCH_EINVAL.
 * Threads: any. Blocks; may migrate. */
FILCH_MUST_CHECK filch_status filch_process_run(const char *const argv[],
                                                const filch_process_options *options,
                                                filch_process_result *result);

/* Effect: frees what is in it. NULL, or zero: no-op. Threads: any. Does not block. */
void filch_process_result_free(filch_process_result *result);

/* Effect: waits until a child of this process has ended, and reaps it. *wait_status, unless it is
 * NULL, is as waitpid() sets it, or -ECHILD: there is no such child, or another has reaped it.
 * On Linux a pidfd (5.3) wakes the caller; elsewhere it looks every 1 to 16 ms.
 * Errors: FILCH_EINVAL: pid is not above 0; FILCH_ETIMEDOUT; FILCH_ECANCELED; and those of
 * filch_first(). Threads: any. Block; may migrate. */
FILCH_MUST_CHECK filch_status filch_process_wait(pid_t pid, int *wait_status);
FILCH_MUST_CHECK filch_status filch_process_wait_until(pid_t pid, filch_deadline until,
                                                       int *wait_status);

#ifdef __cplusplus
}
#else
/* A program and its arguments: an array that lives as long as the block that it is in. */
#define FILCH_COMMAND(...) ((const char *const[]){__VA_ARGS__, NULL})
#endif

#endif
