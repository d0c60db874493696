#include "pool/call_options.h"

#include <stdio.h>

#include "os/log.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/cancel.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/unwound.h"

_Static_assert(_Alignof(filch_options) >= 2, "bit 0 of its address is free");

/* What they leave open is as in those around them. */
static void take_over(filch_options *options, const filch_options *around)
{
    options->until = filch_earlier(options->until, around->until);
    options->error = options->error ? options->error : around->error;
    options->chunksize = options->chunksize.size ? options->chunksize : around->chunksize;
    options->policy = options->policy ? options->policy : around->policy;
    options->items = options->items ? options->items : around->items;
    if (!options->progress) {
        options->progress = around->progress;
        options->progress_context = around->progress_context;
    }
    if (!options->done.callback && !options->done.error_callback) {
        options->done = around->done;
    }
    options->background |= around->background;
}

filch_pool *filch_on(filch_pool *pool, filch_options *options)
{
    if (!options) {
        return pool;
    }
    if (filch_options_of(pool)) {
        take_over(options, filch_options_of(pool));
    }
    options->pool = pool;
    return (filch_pool *)(void *)((char *)options + 1);
}

filch_pool *filch_pool_behind(const filch_options *options)
{
    filch_pool *pool = options->pool;
    while ((options = filch_options_of(pool)) != NULL) {
        pool = options->pool;
    }
    return pool;
}

static bool is_given(const filch_options *options, enum filch_uses use)
{
    switch (use) {
    case FILCH_USES_UNTIL: return filch_deadline_ns(options->until) != FILCH_OS_NEVER;
    case FILCH_USES_ERROR: return options->error != NULL;
    case FILCH_USES_PROGRESS: return options->progress != NULL;
    case FILCH_USES_ELEMENTS:
        return options->chunksize.size || options->policy != FILCH_RUN_ALL || options->items;
    default: return options->done.callback || options->done.error_callback || options->background;
    }
}

void filch_options_note(const filch_options *options, const filch_pool *pool, unsigned uses,
                        const filch_function_info *info)
{
    static const struct {
        enum filch_uses use;
        const char *name;
    } all[] = {{FILCH_USES_UNTIL, "until"},
               {FILCH_USES_ERROR, "error"},
               {FILCH_USES_PROGRESS, "progress"},
               {FILCH_USES_ELEMENTS, "chunksize, policy or items"},
               {FILCH_USES_LATER, "done or background"}};
    char message[200];
    for (size_t i = 0; pool->config.check && i < sizeof all / sizeof *all; i++) {
        if (!(uses & all[i].use) && is_given(options, all[i].use)) {
            snprintf(message, sizeof message,
                     "check: a call of %.80s has no use for FILCH_ON's %s\n",
                     info ? info->name : "a function", all[i].name);
            filch_log(FILCH_LOG_WARNING, message);
        }
    }
}

/* A call that is asked to stop at a time of its own. */
struct timed_call {
    void (*function)(void *context);
    void *context;
    uint64_t until_ns;
    struct filch_frame *frame;
    struct filch_cancel_scope scope;
};

/* Also if it does not return (unwound.h): what others run of it was waited for before. */
static void leave_timed_call(struct timed_call **call)
{
    (*call)->frame->scope = (*call)->scope.parent;
    filch_cancel_scope_close(&(*call)->scope);
}

static void run_timed_call(void *context)
{
    struct timed_call *timed = context;
    timed->frame = filch_fiber_self()->frame;
    filch_cancel_scope_open(&timed->scope, timed->frame->scope, timed->until_ns);
    timed->frame->scope = &timed->scope;
    FILCH_UNWINDS(leave_timed_call) struct timed_call *call = timed;
    call->function(call->context);
}

void filch_call_until(uint64_t until_ns, void (*function)(void *context), void *context)
{
    struct timed_call timed = {.function = function, .context = context, .until_ns = until_ns};
    run_timed_call(&timed);
}

filch_status filch_call_in_time(filch_pool *pool, const filch_options *options,
                                void (*function)(void *context), void *context,
                                struct filch_fault *fault, const filch_function_info *info)
{
    struct timed_call timed = {.function = function, .context = context};
    timed.until_ns = filch_deadline_ns(options->until);
    if (timed.until_ns == FILCH_OS_NEVER) {
        return filch_region_call(pool, function, context, fault, info);
    }
    return timed.until_ns <= filch_os_now_ns()
               ? FILCH_ETIMEDOUT
               : filch_region_call(pool, run_timed_call, &timed, fault, info);
}

/* What ended it comes before that it was late, but for having been asked to stop. */
static bool has_run_out(const filch_options *options, filch_status status)
{
    return (status == FILCH_OK || status == FILCH_ECANCELED) &&
           filch_deadline_ns(options->until) <= filch_os_now_ns();
}

filch_status filch_options_told(const filch_options *options, filch_status status)
{
    filch_error *error = options->error;
    status = has_run_out(options, status) ? FILCH_ETIMEDOUT : status;
    if (error && status != FILCH_ERAISED) {
        *error = (filch_error){.index = FILCH_NO_INDEX, .function = ""};
    }
    if (error) { /* also of a source that has answered FILCH_ERAISED, and raised nothing */
        error->status = status;
    }
    for (const filch_options *inner = options; error && inner;
         inner = filch_options_of(inner->pool)) {
        if (inner->error && inner->error != error) {
            *inner->error = *error;
        }
    }
    return status;
}
