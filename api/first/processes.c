/* Running programs. What the child reads is a file in memory: there is no pipe that must be written
 * to while it is read from, and none that breaks. What it writes comes through a pipe each.
 *
 * It is reaped last, so that its number, and that of its group, stands for it when it is killed. */
#include <filch/process.h>

#include <errno.h>

#include <filch/first.h>
#include <filch/io.h>
#include <filch/task.h>

#include "base/memory.h"
#include "os/os_spawn.h"
#include "sched/handoff.h"

enum { ROOM_FIRST = 4096, MOST_BYTES = 16 << 20 };

/* What it writes, and that goes into the result. */
struct written {
    int fd; /* below 0: at its end, or there is none */
    char **bytes;
    size_t *n;
    size_t room;
};

struct running {
    const filch_process_options *options;
    filch_process_result *result;
    size_t most;
    struct filch_os_spawn spawn;
    struct written written[2];
    pid_t pid;
};

/* ---- what it begins with ---- */

static int open_input(const filch_process_options *options)
{
    switch (options->input_from) {
    case 0:
        return options->input_bytes ? filch_os_spawn_input(options->input, options->input_bytes)
                                    : filch_os_spawn_null();
    case FILCH_INHERIT: return filch_os_spawn_dup(0);
    case FILCH_DISCARD: return filch_os_spawn_null();
    default: return filch_os_spawn_dup(options->input_from);
    }
}

static int open_result(struct written *written)
{
    int ends[2];
    *written->bytes = filch_malloc(ROOM_FIRST);
    if (!*written->bytes) {
        return -ENOMEM;
    }
    **written->bytes = '\0';
    written->room = ROOM_FIRST;
    int error = filch_os_spawn_pipe(ends);
    if (error) {
        return error;
    }
    written->fd = ends[0];
    return ends[1];
}

static int open_output(struct running *run, int number, int to)
{
    switch (to) {
    case 0: return open_result(&run->written[number - 1]);
    case FILCH_INHERIT: return filch_os_spawn_dup(number);
    case FILCH_DISCARD: return filch_os_spawn_null();
    case FILCH_WITH_OUTPUT: return filch_os_spawn_dup(run->spawn.files[1]);
    default: return filch_os_spawn_dup(to);
    }
}

static int open_files(struct running *run)
{
    int *files = run->spawn.files;
    files[0] = open_input(run->options);
    files[1] = files[0] < 0 ? files[0] : open_output(run, 1, run->options->output_to);
    files[2] = files[1] < 0 ? files[1] : open_output(run, 2, run->options->errors_to);
    return files[2] < 0 ? files[2] : 0;
}

static void close_files(const struct running *run)
{
    for (int i = 0; i < 3; i++) {
        filch_os_spawn_close(run->spawn.files[i]);
    }
}

static void close_written(struct running *run)
{
    for (int i = 0; i < 2; i++) {
        filch_os_spawn_close(run->written[i].fd);
        run->written[i].fd = -1;
    }
}

static filch_status begin_process(struct running *run)
{
    int answer = open_files(run);
    if (answer == 0) {
        answer = filch_os_spawn(&run->spawn);
    }
    close_files(run);
    if (answer < 0) {
        close_written(run);
        filch_process_result_free(run->result);
        run->result->error = -answer;
        return filch_status_of_errno(answer);
    }
    run->pid = answer;
    return FILCH_OK;
}

/* ---- what it writes ---- */

/* Room for one byte at least, and the '\0'; at most for one byte more than is allowed, which is how
 * that is noticed. */
static bool make_written_room(struct written *written, size_t most)
{
    if (*written->n + 1 < written->room) {
        return true;
    }
    size_t room = most - written->room < written->room ? most + 2 : 2 * written->room;
    char *more = filch_realloc(*written->bytes, room);
    if (more) {
        *written->bytes = more;
        written->room = room;
    }
    return more != NULL;
}

static filch_status read_some(struct written *written, size_t most, filch_deadline until)
{
    if (!make_written_room(written, most)) {
        return FILCH_ENOMEM;
    }
    ssize_t n = filch_read_until(written->fd, *written->bytes + *written->n,
                                 written->room - *written->n - 1, until);
    if (n < 0) {
        return filch_status_of_errno(n);
    }
    if (n == 0) {
        filch_os_spawn_close(written->fd);
        written->fd = -1;
    }
    *written->n += (size_t)n;
    bool too_much = *written->n > most;
    *written->n = too_much ? most : *written->n;
    (*written->bytes)[*written->n] = '\0';
    return too_much ? FILCH_EOVERFLOW : FILCH_OK;
}

static filch_case readable(const struct written *written)
{
    return written->fd < 0 ? filch_none() : filch_on_fd(written->fd, POLLIN, NULL);
}

static filch_status read_all(struct running *run)
{
    struct written *written = run->written;
    filch_status status = FILCH_OK;
    unsigned turn = 0;
    while (status == FILCH_OK && (written[0].fd >= 0 || written[1].fd >= 0)) {
        filch_case cases[] = {readable(&written[0]), readable(&written[1])};
        int chosen = filch_first(cases, 2, run->options->until, &turn);
        status = chosen < 0 ? (filch_status)-chosen
                            : read_some(&written[chosen], run->most, run->options->until);
    }
    return status;
}

/* ---- its end ---- */

/* One that was killed ends soon. */
static void kill_and_reap(struct running *run)
{
    filch_os_spawn_kill(run->pid);
    filch_handoff_begin();
    run->result->wait_status = filch_os_spawn_reap(run->pid);
    filch_handoff_end();
}

static filch_status run_to_end(struct running *run)
{
    filch_status status = begin_process(run);
    if (status != FILCH_OK) {
        return status;
    }
    status = read_all(run);
    if (status == FILCH_OK) {
        status = filch_process_wait_until(run->pid, run->options->until, &run->result->wait_status);
    }
    if (status != FILCH_OK) {
        kill_and_reap(run);
    }
    close_written(run);
    return status;
}

static bool run_is_valid(const char *const argv[], const filch_process_options *options)
{
    return argv && argv[0] && (options->input || !options->input_bytes) &&
           options->input_from >= FILCH_DISCARD && options->output_to >= FILCH_DISCARD &&
           options->errors_to >= FILCH_WITH_OUTPUT && options->most_bytes < SIZE_MAX - 1;
}

filch_status filch_process_run(const char *const argv[], const filch_process_options *options,
                               filch_process_result *result)
{
    static const filch_process_options defaults;
    options = options ? options : &defaults;
    if (result) {
        *result = (filch_process_result){0};
    }
    if (!result || !run_is_valid(argv, options)) {
        return FILCH_EINVAL;
    }
    if (filch_cancelled()) {
        return FILCH_ECANCELED;
    }
    struct running run = {
        .options = options,
        .result = result,
        .most = options->most_bytes ? options->most_bytes : MOST_BYTES,
        .spawn = {argv, options->environment, options->directory, {-1, -1, -1}},
        .written = {{.fd = -1, .bytes = &result->output, .n = &result->output_bytes},
                    {.fd = -1, .bytes = &result->errors, .n = &result->errors_bytes}}};
    return run_to_end(&run);
}

void filch_process_result_free(filch_process_result *result)
{
    if (result) {
        filch_free(result->output);
        filch_free(result->errors);
        *result = (filch_process_result){0};
    }
}

filch_status filch_process_wait(pid_t pid, int *wait_status)
{
    return filch_process_wait_until(pid, filch_never(), wait_status);
}

filch_status filch_process_wait_until(pid_t pid, filch_deadline until, int *wait_status)
{
    filch_case one = filch_on_process(pid, wait_status);
    int chosen = filch_first(&one, 1, until, NULL);
    return chosen < 0 ? (filch_status)-chosen : FILCH_OK;
}
