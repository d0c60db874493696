/* input: the bytes that are read: of a regular file, or of the standard input, "-". */
#ifndef FILCH_TOOL_INPUT_H
#define FILCH_TOOL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct input {
    FILE *file; /* can be read again from anywhere; NULL: it is not open */
    long bytes; /* how many there were at the beginning */
    unsigned char *memory;
};

/* The standard input is read to its end, or until is_wanted() has looked at its first `head` bytes
 * and says no. False: *why says what is wrong. */
bool input_open(struct input *input, const char *path, size_t head,
                bool (*is_wanted)(const void *data, size_t bytes), const char **why);
void input_close(struct input *input);

/* Are both the same file, by whatever names? "-" stands for the standard input and output. */
bool input_is_output(const char *input, const char *output);

#endif
