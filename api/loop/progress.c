#include "loop/progress.h"

#include "os/os.h"

static const uint64_t interval_ns = 100000000;

void filch_progress_begin(struct filch_progress_report *report, const filch_options *options,
                          size_t total)
{
    report->hook = options->progress;
    report->context = options->progress_context;
    report->total = total;
    report->told = 0;
    atomic_init(&report->done, 0);
    atomic_init(&report->next_ns, report->hook ? filch_os_now_ns() + interval_ns : 0);
}

static void tell_progress(struct filch_progress_report *report)
{
    /* relaxed: a number that only grows */
    size_t done = atomic_load_explicit(&report->done, memory_order_relaxed);
    if (done > report->told) {
        report->told = done;
        report->hook(report->context, done, report->total);
    }
}

void filch_progress_step(struct filch_progress_report *report, size_t elements)
{
    /* relaxed: a number that only grows */
    atomic_fetch_add_explicit(&report->done, elements, memory_order_relaxed);
    uint64_t next = atomic_load_explicit(&report->next_ns, memory_order_relaxed);
    if (next == FILCH_OS_NEVER || filch_os_now_ns() < next) {
        return;
    }
    /* acquire and release: one tells after the other */
    if (atomic_compare_exchange_strong_explicit(&report->next_ns, &next, FILCH_OS_NEVER,
                                                memory_order_acquire, memory_order_relaxed)) {
        tell_progress(report);
        atomic_store_explicit(&report->next_ns, filch_os_now_ns() + interval_ns,
                              memory_order_release);
    }
}

void filch_progress_end(struct filch_progress_report *report)
{
    tell_progress(report);
}
