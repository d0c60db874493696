/* What might be done about a run, in sentences that cite its numbers. */
#include <stdarg.h>
#include <stdio.h>

#include "amount.h"
#include "analysis.h"

struct hints {
    const struct analysis *analysis;
    void (*call)(void *context, const char *text);
    void *context;
    unsigned said;
    int64_t core_time; /* of all cores, while anything ran */
};

__attribute__((format(printf, 2, 3))) static void say(struct hints *hints, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    hints->call(hints->context, text);
    hints->said++;
}

static const struct site *most_on_path(const struct analysis *analysis)
{
    const struct site *most = NULL;
    for (size_t i = 0; i < analysis->sites.count; i++) {
        const struct site *site = &analysis->sites.at[i];
        most = !most || site->path > most->path ? site : most;
    }
    return most;
}

static void about_span(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    char name[160], work[32], span[32];
    double parallelism = a->length.span ? (double)a->length.work / (double)a->length.span : 0;
    if (!a->sees_tasks || parallelism <= 0 ||
        percent(a->run->idle.starved, hints->core_time) < 10 || parallelism >= 2.0 * a->workers ||
        a->workers < 2) {
        return;
    }
    const struct site *site = most_on_path(a);
    say(hints,
        "Too little of it can run at the same time: %s of work have a longest chain of %s, so no "
        "number of cores makes it more than %.1f times as fast as one. %.0f %% of that chain is "
        "%s.%s",
        format_ns(a->length.work, work), format_ns(a->length.span, span), parallelism,
        site ? percent(site->path, a->length.path) : 0,
        site ? format_site(a->run->trace, site->name, name, sizeof name) : "(unknown)",
        a->has_forks && !a->sees_forks
            ? " (Forks that were not stolen are not in this trace: record it with :all to be sure.)"
            : "");
}

static void about_alone(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    char name[160], idle[32];
    const struct site *most = NULL;
    for (size_t i = 0; i < a->sites.count; i++) {
        most = !most || a->sites.at[i].blamed > most->blamed ? &a->sites.at[i] : most;
    }
    if (most && percent(most->blamed, hints->core_time) >= 10) {
        say(hints,
            "While %s ran alone, the other cores were idle for %s, which is %.0f %% of all core "
            "time: split that work up, or start other work before it.",
            format_site(a->run->trace, most->name, name, sizeof name),
            format_ns(most->blamed, idle), percent(most->blamed, hints->core_time));
    }
}

static void about_grain(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    char name[160], p50[32], burden[32];
    for (size_t i = 0; i < a->sites.count && a->sees_tasks; i++) {
        const struct site *site = &a->sites.at[i];
        bool small = site->count >= 1000 && site->p50 < a->burden / 2 && site->p50 < 2000;
        if (small && !a->sees_forks && percent(site->ran, hints->core_time) >= 10) {
            say(hints,
                "The tasks of %s are small: half of the %llu take less than %s, while one that is "
                "taken by another core begins %s after it was offered. Do more in each, or use a "
                "loop or forks, which are combined by themselves.",
                format_site(a->run->trace, site->name, name, sizeof name),
                (unsigned long long)site->count, format_ns(site->p50, p50),
                format_ns(a->burden, burden));
            return;
        }
    }
}

static void about_waits(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    char name[160], what[160], ns[32];
    for (size_t i = 0; i < a->waits.count; i++) {
        const struct wait_site *wait = &a->waits.at[i];
        const char *kind = trace_name(a->run->trace, wait->what);
        bool lock = kind[0] == 'a' && (kind[2] == 'm' || kind[2] == 's'); /* mutex, semaphore */
        if (lock && percent(a->run->idle.waiting, hints->core_time) >= 10 &&
            wait->ns > a->run->idle.waiting / 4) {
            say(hints,
                "Tasks of %s waited %s for %s, %llu times, while cores had nothing else to do for "
                "%.0f %% of all core time: hold it for a shorter time, or use several.",
                format_site(a->run->trace, wait->name, name, sizeof name), format_ns(wait->ns, ns),
                format_site(a->run->trace, wait->what, what, sizeof what),
                (unsigned long long)wait->count, percent(a->run->idle.waiting, hints->core_time));
            return;
        }
    }
}

static void about_waiting(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    char name[160], what[160], ns[32];
    if (a->waits.count && percent(a->run->idle.waiting, hints->core_time) >= 20) {
        const struct wait_site *wait = &a->waits.at[0];
        say(hints,
            "For %.0f %% of all core time there was nothing to do but to wait, most of all for %s "
            "in "
            "%s: %s in %llu waits.",
            percent(a->run->idle.waiting, hints->core_time),
            format_site(a->run->trace, wait->what, what, sizeof what),
            wait->name ? format_site(a->run->trace, wait->name, name, sizeof name)
                       : "the program's own threads",
            format_ns(wait->ns, ns), (unsigned long long)wait->count);
    }
}

static void about_starvation(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    char starved[32];
    if (hints->said == 0 && percent(a->run->idle.starved, hints->core_time) >= 15) {
        say(hints,
            "Cores had nothing to do for %s, %.0f %% of all core time, while others worked: there "
            "was less to do at the same time than there were cores.",
            format_ns(a->run->idle.starved, starved),
            percent(a->run->idle.starved, hints->core_time));
    }
}

static void about_outside(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    int64_t whole = a->run->trace->end;
    int64_t outside = amount_difference(whole, a->active);
    char text[32];
    if (whole > 1000000 && percent(outside, whole) >= 25) {
        say(hints,
            "For %s, %.0f %% of the time, nothing was in a pool at all: the program did something "
            "else, or slept, outside of it.",
            format_ns(outside, text), percent(outside, whole));
    }
}

static void about_waking(struct hints *hints)
{
    const struct analysis *a = hints->analysis;
    char text[32];
    if (a->wake > 0 && percent(a->run->idle.waking, hints->core_time) >= 5) {
        say(hints,
            "Waking cores up took %.0f %% of all core time (%s each, as a rule): the work comes in "
            "bursts that are too short. Do more in one call.",
            percent(a->run->idle.waking, hints->core_time), format_ns(a->wake, text));
    }
}

void analysis_hints(const struct analysis *analysis, void (*call)(void *context, const char *text),
                    void *context)
{
    struct hints hints = {.analysis = analysis,
                          .call = call,
                          .context = context,
                          .core_time = amount_product(analysis->active, analysis->workers)};
    about_alone(&hints);
    about_span(&hints);
    about_waits(&hints);
    about_waiting(&hints);
    about_grain(&hints);
    about_waking(&hints);
    about_outside(&hints);
    about_starvation(&hints);
    if (!hints.said) {
        say(&hints, "Nothing stands out: cores that could work did, %.0f %% of the time.",
            percent(analysis->busy, hints.core_time));
    }
    if (!analysis->sees_tasks) {
        say(&hints, "This trace has steals, sleeps and waits only. For tasks and lengths, record "
                    "with FILCH_TRACE=file:tasks, or :all for every fork.");
    }
}
