#include "future/fits.h"

#include <stdbool.h>
#include <stdio.h>

#include <filch/kind.h>

#include "future/task_future.h"
#include "os/log.h"

enum { WHY_BYTES = 400, TYPE_BYTES = 72 };

filch_status filch_future_refuse(const filch_function_info *function, const char *verb,
                                 const char *why)
{
    char message[WHY_BYTES + 100];
    snprintf(message, sizeof message, "%.60s_%s() is refused: %s\n",
             function ? function->name : "filch_future", verb, why);
    filch_log(FILCH_LOG_WARNING, message);
    return FILCH_EINVAL;
}

/* A value of so many bytes, of which the type may be known. */
struct typed {
    size_t bytes;
    filch_type type;
};

static struct typed typed_of(size_t bytes, const filch_type *type)
{
    struct typed value = {bytes, FILCH_TYPE_NONE};
    if (type && bytes) {
        value.type = *type;
    }
    return value;
}

static bool is_pointer(filch_kind kind)
{
    return kind == FILCH_KIND_POINTER || kind == FILCH_KIND_POINTER_TO_VOID ||
           kind == FILCH_KIND_POINTER_TO_CHARACTERS;
}

static bool is_like(struct typed given, struct typed taken)
{
    filch_kind from = given.type.kind;
    filch_kind to = taken.type.kind;
    bool through_void = from == FILCH_KIND_POINTER_TO_VOID || to == FILCH_KIND_POINTER_TO_VOID;
    return given.bytes == taken.bytes &&
           (from == to || from == FILCH_KIND_UNKNOWN || to == FILCH_KIND_UNKNOWN ||
            (through_void && is_pointer(from) && is_pointer(to)));
}

/* "double", "24 bytes", "nothing". */
static const char *describe_type(struct typed value, char text[TYPE_BYTES])
{
    if (!value.bytes) {
        return "nothing";
    }
    if (value.type.name) {
        snprintf(text, TYPE_BYTES, "%.*s", TYPE_BYTES - 1, value.type.name);
    } else {
        snprintf(text, TYPE_BYTES, "%zu bytes", value.bytes);
    }
    return text;
}

static filch_status refuse_type(const filch_continuation *what, struct typed taken,
                                const filch_future *future, struct typed given)
{
    char why[WHY_BYTES];
    char taken_text[TYPE_BYTES];
    char given_text[TYPE_BYTES];
    bool wants_value = what->on_value && !given.bytes;
    const char *name = what->info ? what->info->name : "the function";
    snprintf(why, sizeof why, "%.60s %s %s, but the future of %.60s gives %s%s", name,
             what->on_value ? "takes" : "gives", describe_type(taken, taken_text),
             future->info ? future->info->name : "a promise", describe_type(given, given_text),
             wants_value ? "; _after() asks for no value" : "");
    return filch_future_refuse(what->info, what->on_value ? "then" : "catch", why);
}

filch_status filch_continuation_fits(const filch_continuation *what, const filch_future *future)
{
    const filch_function_info *info = what->info;
    struct typed given =
        typed_of(future->result_bytes, future->info ? &future->info->result : NULL);
    struct typed taken = what->on_value
                             ? typed_of(what->value_bytes, info ? &info->parameter : NULL)
                             : typed_of(what->result_bytes, info ? &info->result : NULL);
    bool takes_none = what->on_value && !what->value_bytes;
    return takes_none || is_like(given, taken) ? FILCH_OK : refuse_type(what, taken, future, given);
}
