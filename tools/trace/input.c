#include "input.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

enum { STEP = 1 << 20 };

static bool is_standard(const char *path)
{
    return strcmp(path, "-") == 0;
}

static bool open_regular(struct input *input, const char *path, const char **why)
{
    struct stat about;
    /* nonblocking: a pipe without a writer must not block us; it is refused */
    int opened = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool regular = opened >= 0 && fstat(opened, &about) == 0 && S_ISREG(about.st_mode);
    input->file = regular ? fdopen(opened, "rb") : NULL;
    if (!input->file) {
        *why = opened >= 0 && !regular ? "it is no regular file" : "it cannot be opened";
        if (opened >= 0) {
            close(opened);
        }
        return false;
    }
    input->bytes = (long)about.st_size;
    return true;
}

static bool read_standard(struct input *input, size_t head,
                          bool (*is_wanted)(const void *data, size_t bytes), const char **why)
{
    size_t bytes = 0;
    size_t got;
    bool wanted = true;
    do {
        input->memory = tool_realloc(input->memory, bytes + STEP, 1);
        got = fread(input->memory + bytes, 1, STEP, stdin);
        bytes += got;
        wanted = bytes < head || is_wanted(input->memory, bytes);
    } while (got == STEP && wanted);
    input->bytes = (long)bytes;
    input->file = bytes ? fmemopen(input->memory, bytes, "rb") : NULL;
    if (!input->file) {
        *why = bytes ? "it cannot be opened" : "there is nothing in it";
    }
    return input->file != NULL;
}

bool input_open(struct input *input, const char *path, size_t head,
                bool (*is_wanted)(const void *data, size_t bytes), const char **why)
{
    *input = (struct input){.file = NULL};
    return is_standard(path) ? read_standard(input, head, is_wanted, why)
                             : open_regular(input, path, why);
}

void input_close(struct input *input)
{
    if (input->file) {
        fclose(input->file);
    }
    free(input->memory);
}

static bool look_at(const char *path, int standard, struct stat *about)
{
    return (is_standard(path) ? fstat(standard, about) : stat(path, about)) == 0;
}

bool input_is_output(const char *input, const char *output)
{
    struct stat in;
    struct stat out;
    return look_at(input, STDIN_FILENO, &in) && look_at(output, STDOUT_FILENO, &out) &&
           S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}
