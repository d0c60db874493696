/* typed: values that are handed on as bytes, and what is known of their types. */
#ifndef FILCH_TYPED_H
#define FILCH_TYPED_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/function_info.h>

#include "base/private.h"

enum { FILCH_TYPED_TEXT = 72 };

/* A value of so many bytes, of which the type may be known. */
struct filch_typed {
    size_t bytes; /* 0: there is none */
    filch_type type;
};

/* type: NULL: not known. */
FILCH_PRIVATE struct filch_typed filch_typed_of(size_t bytes, const filch_type *type);

/* Does the second take what the first gives? The rule is that of then.h; false only for what is
 * another type, whatever names the program has for its types. */
FILCH_PRIVATE bool filch_typed_fits(struct filch_typed given, struct filch_typed taken);

/* "double", "24 bytes", "nothing"; maybe in `text`. */
FILCH_PRIVATE const char *filch_typed_describe(struct filch_typed value,
                                               char text[FILCH_TYPED_TEXT]);

#endif
