#include "os/log.h"

#include <stdbool.h>
#include <stdio.h>

#include "os/lock.h"
#include "os/os.h"

typedef void log_function(void *context, filch_log_level level, const char *message);

/* Where messages go. Of the process; below the process object, as what logs is. */
static struct {
    struct filch_lock lock; /* zero: free */
    log_function *log;      /* lock */
    void *context;          /* lock */
    bool chosen;            /* lock; not chosen: standard error */
} sink;

static void to_stderr(void *context, filch_log_level level, const char *message)
{
    (void)context;
    fprintf(stderr, "filch: %s%s", level == FILCH_LOG_WARNING ? "warning: " : "", message);
}

void filch_log_to(log_function *log, void *context)
{
    filch_lock_acquire(&sink.lock, FILCH_RANK_LOG);
    sink.log = log;
    sink.context = context;
    sink.chosen = true;
    filch_lock_release(&sink.lock);
}

void filch_log(filch_log_level level, const char *message)
{
    filch_lock_acquire(&sink.lock, FILCH_RANK_LOG);
    log_function *log = sink.chosen ? sink.log : to_stderr;
    void *context = sink.context;
    filch_lock_release(&sink.lock);
    if (log) {
        int cancel = filch_os_cancel_off(); /* the caller may be in the middle of something */
        log(context, level, message);
        filch_os_cancel_restore(cancel);
    }
}
