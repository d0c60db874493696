#include "pool/typed.h"

#include <stdio.h>
#include <string.h>

#include <filch/kind.h>

struct filch_typed filch_typed_of(size_t bytes, const filch_type *type)
{
    struct filch_typed value = {bytes, FILCH_TYPE_NONE};
    if (type && bytes) {
        value.type = *type;
    }
    return value;
}

/* ---- struct, union and tag ---- */

static size_t word_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static bool word_is(const char *text, const char *word)
{
    size_t length = word_length(text);
    return length == strlen(word) && strncmp(text, word, length) == 0;
}

/* Behind qualifiers, spaces and stars. */
static const char *skip_qualifiers(const char *text)
{
    text += strspn(text, " *");
    while (word_is(text, "const") || word_is(text, "volatile")) {
        text += word_length(text);
        text += strspn(text, " *");
    }
    return text;
}

/* Where "struct point" begins in the name of such a type, or of a pointer to it; NULL: the name
 * says nothing of a tag, as a typedef's, or more than that. */
static const char *tag_of(const char *name, size_t *length)
{
    const char *start = skip_qualifiers(name);
    if (!word_is(start, "struct") && !word_is(start, "union")) {
        return NULL;
    }
    const char *tag = start + word_length(start);
    tag += strspn(tag, " ");
    const char *end = tag + word_length(tag);
    *length = (size_t)(end - start);
    return end > tag && *skip_qualifiers(end) == '\0' ? start : NULL;
}

/* C says that structs of two tags are two types, also in two files; of a typedef it is not known
 * what it stands for. */
static bool tags_differ(const char *a, const char *b)
{
    size_t a_length, b_length;
    const char *a_tag = a ? tag_of(a, &a_length) : NULL;
    const char *b_tag = b ? tag_of(b, &b_length) : NULL;
    return a_tag && b_tag && (a_length != b_length || strncmp(a_tag, b_tag, a_length) != 0);
}

/* ---- kinds ---- */

static bool is_pointer(filch_kind kind)
{
    return kind == FILCH_KIND_POINTER || kind == FILCH_KIND_POINTER_TO_VOID ||
           kind == FILCH_KIND_POINTER_TO_CHARACTERS;
}

static bool kinds_fit(const filch_type *given, const filch_type *taken)
{
    filch_kind from = given->kind;
    filch_kind to = taken->kind;
    bool through_void = from == FILCH_KIND_POINTER_TO_VOID || to == FILCH_KIND_POINTER_TO_VOID;
    return from == to ? !tags_differ(given->name, taken->name)
                      : from == FILCH_KIND_UNKNOWN || to == FILCH_KIND_UNKNOWN ||
                            (through_void && is_pointer(from) && is_pointer(to));
}

bool filch_typed_fits(struct filch_typed given, struct filch_typed taken)
{
    return given.bytes == taken.bytes && kinds_fit(&given.type, &taken.type);
}

const char *filch_typed_describe(struct filch_typed value, char text[FILCH_TYPED_TEXT])
{
    if (!value.bytes) {
        return "nothing";
    }
    if (value.type.name) {
        snprintf(text, FILCH_TYPED_TEXT, "%.*s", FILCH_TYPED_TEXT - 1, value.type.name);
    } else {
        snprintf(text, FILCH_TYPED_TEXT, "%zu bytes", value.bytes);
    }
    return text;
}
