/* dot: a graph in the language of Graphviz. */
#ifndef FILCH_DOT_H
#define FILCH_DOT_H

#include <stddef.h>
#include <stdio.h>

#include <filch/function_info.h>

#include "base/private.h"

enum filch_dot_state {
    FILCH_DOT_PENDING,
    FILCH_DOT_RUNNING,
    FILCH_DOT_SUCCEEDED,
    FILCH_DOT_FAILED
};

FILCH_PRIVATE void filch_dot_begin(FILE *stream);

/* info: its name and place, or NULL; what: NULL, or a line below the name. */
FILCH_PRIVATE void filch_dot_node(FILE *stream, size_t number, const filch_function_info *info,
                                  enum filch_dot_state state, const char *what);

FILCH_PRIVATE void filch_dot_edge(FILE *stream, size_t from, size_t to);
FILCH_PRIVATE void filch_dot_end(FILE *stream);

#endif
