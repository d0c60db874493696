#include "debug/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool make_room(struct filch_text *text, size_t more)
{
    size_t wanted = text->length + more + 1;
    if (wanted <= text->room) {
        return true;
    }
    size_t room = wanted < 256 ? 256 : 2 * wanted;
    char *grown = filch_realloc(text->string, room);
    if (!grown) {
        return false;
    }
    text->string = grown;
    text->room = room;
    return true;
}

void filch_text_add(struct filch_text *text, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t bytes = length < 0 ? 0 : (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
    if (make_room(text, bytes)) {
        memcpy(text->string + text->length, line, bytes);
        text->length += bytes;
        text->string[text->length] = '\0';
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void filch_describe_party(struct filch_text *text, struct filch_party *party)
{
    const filch_function_info *info = filch_party_doing(party);
    if (party->thread_id) {
        filch_text_add(text, "thread %llu%s", (unsigned long long)party->thread_id,
                       info ? " in" : "");
    } else {
        filch_text_add(text, "task %p%s", (void *)party, info ? "" : " without a name");
    }
    if (info && info->line) {
        filch_text_add(text, " %s (%s:%d)", info->name, base_name(info->file), info->line);
    } else if (info) { /* the program has not said where it is */
        filch_text_add(text, " %s", info->name);
    }
}

void filch_describe_wait(struct filch_text *text, struct filch_party *party,
                         struct filch_party *holder)
{
    const struct filch_wait_kind *kind = party->kind;
    filch_text_add(text, "waits for %s", kind->what);
    if (kind->object) {
        filch_text_add(text, " (%p)", kind->object(party->context));
    }
    if (holder) {
        filch_text_add(text, kind->derived ? ", run by " : ", held by ");
        filch_describe_party(text, holder);
    }
    if (!party->forever) {
        filch_text_add(text, ", until a deadline");
    }
}
