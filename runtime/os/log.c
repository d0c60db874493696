#include "os/log.h"

#include <stdio.h>

#include "os/os.h"
#include "sched/process.h"

static void to_stderr(void *context, filch_log_level level, const char *message)
{
    (void)context;
    fprintf(stderr, "filch: %s%s", level == FILCH_LOG_WARNING ? "warning: " : "", message);
}

void filch_log_to(void (*log)(void *context, filch_log_level level, const char *message),
                  void *context)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock);
    process->log = log;
    process->log_context = context;
    process->log_set = true;
    filch_lock_release(&process->lock);
}

void filch_log(filch_log_level level, const char *message)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock);
    void (*log)(void *, filch_log_level, const char *) =
        process->log_set ? process->log : to_stderr;
    void *context = process->log_context;
    filch_lock_release(&process->lock);
    if (log) {
        int cancel = filch_os_cancel_off(); /* the caller may be in the middle of something */
        log(context, level, message);
        filch_os_cancel_restore(cancel);
    }
}
