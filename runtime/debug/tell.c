#include "debug/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool make_room(struct filch_words *words, size_t more)
{
    size_t wanted = words->length + more + 1;
    if (wanted <= words->room) {
        return true;
    }
    size_t room = wanted < 256 ? 256 : 2 * wanted;
    char *text = filch_realloc(words->text, room);
    if (!text) {
        return false;
    }
    words->text = text;
    words->room = room;
    return true;
}

void filch_say(struct filch_words *words, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t bytes = length < 0 ? 0 : (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
    if (make_room(words, bytes)) {
        memcpy(words->text + words->length, line, bytes);
        words->length += bytes;
        words->text[words->length] = '\0';
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void filch_tell_party(struct filch_words *words, struct filch_party *party)
{
    const filch_function_info *info = filch_party_doing(party);
    if (party->thread_id) {
        filch_say(words, "thread %llu%s", (unsigned long long)party->thread_id, info ? " in" : "");
    } else {
        filch_say(words, "task %p%s", (void *)party, info ? "" : " without a name");
    }
    if (info) {
        filch_say(words, " %s (%s:%d)", info->name, base_name(info->file), info->line);
    }
}

void filch_tell_wait(struct filch_words *words, struct filch_party *party,
                     struct filch_party *holder)
{
    const struct filch_wait_kind *kind = party->kind;
    filch_say(words, "waits for %s", kind->what);
    if (kind->object) {
        filch_say(words, " (%p)", kind->object(party->context));
    }
    if (holder) {
        filch_say(words, kind->derived ? ", run by " : ", held by ");
        filch_tell_party(words, holder);
    }
    if (!party->forever) {
        filch_say(words, ", until a deadline");
    }
}
