#include "base/assert.h"

#ifdef FILCH_ASSERTIONS
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

typedef void find_place(struct filch_assert_place *place);

static find_place *place_finder; /* NULL: there are no cores and fibers yet */

void filch_assert_hosted_by(find_place *find)
{
    __atomic_store_n(&place_finder, find, __ATOMIC_RELAXED); /* relaxed: a constant */
}

/* One line, written at once, so that the lines of two threads do not mix. */
struct complaint {
    size_t length;
    char text[1024];
};

static void add_text(struct complaint *complaint, const char *text)
{
    while (*text && complaint->length < sizeof complaint->text - 1) { /* room for the end */
        complaint->text[complaint->length++] = *text++;
    }
}

static void add_number(struct complaint *complaint, uint64_t number, unsigned base)
{
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    add_text(complaint, digits + at);
}

static void add_place(struct complaint *complaint, const struct filch_assert_place *place)
{
    add_text(complaint, " (");
    if (place->thread) {
        add_text(complaint, "thread ");
        add_number(complaint, place->thread, 10);
        add_text(complaint, ", ");
    }
    if (place->pool) {
        add_text(complaint, "pool ");
        add_number(complaint, place->pool, 10);
        add_text(complaint, ", ");
    }
    if (place->has_core) {
        add_text(complaint, "core ");
        add_number(complaint, place->core, 10);
    } else {
        add_text(complaint, "no core");
    }
    if (place->fiber) {
        add_text(complaint, ", fiber 0x");
        add_number(complaint, (uintptr_t)place->fiber, 16);
    } else {
        add_text(complaint, ", no fiber");
    }
    add_text(complaint, ")");
}

static void find_self(struct filch_assert_place *place)
{
    find_place *find = __atomic_load_n(&place_finder, __ATOMIC_RELAXED); /* relaxed: as above */
    if (find) {
        find(place);
    }
}

void filch_assert_failed_words(const char *const *words, const char *file, int line,
                               const char *function)
{
    struct filch_assert_place place = {.fiber = NULL};
    struct complaint complaint;
    complaint.length = 0;
    find_self(&place);
    add_text(&complaint, "filch: assertion failed: ");
    for (; *words; words++) {
        add_text(&complaint, *words);
    }
    add_text(&complaint, ", at ");
    add_text(&complaint, file);
    add_text(&complaint, ":");
    add_number(&complaint, (uint64_t)line, 10);
    add_text(&complaint, ", in ");
    add_text(&complaint, function);
    add_place(&complaint, &place);
    complaint.text[complaint.length++] = '\n';
    ssize_t written = write(STDERR_FILENO, complaint.text, complaint.length);
    (void)written; /* there is nowhere else to say it */
    abort();
}

void filch_assert_failed(const char *expected, const char *file, int line, const char *function)
{
    const char *const words[] = {expected, NULL};
    filch_assert_failed_words(words, file, line, function);
}
#endif
