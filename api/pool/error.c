#include <filch/error.h>

#include <stdarg.h>
#include <stdio.h>

#include "pool/fault.h"
#include "sched/fiber.h"
#include "sched/region.h"

void filch_fault_init(struct filch_fault *fault)
{
    filch_lock_init(&fault->lock);
    fault->error.status = FILCH_OK;
    fault->error.code = 0;
    fault->error.index = FILCH_NO_INDEX;
    fault->error.function = "";
    fault->error.message[0] = '\0';
    fault->listener = NULL;
}

bool filch_fault_is_set(struct filch_fault *fault)
{
    filch_lock_acquire(&fault->lock, FILCH_RANK_FAULT);
    bool set = fault->error.status != FILCH_OK;
    filch_lock_release(&fault->lock);
    return set;
}

filch_status filch_fault_result(const struct filch_fault *fault, filch_error *error)
{
    if (error) {
        *error = fault->error;
    }
    return fault->error.status;
}

/* The first error of a task counts, and in a loop that of the lowest index. */
static bool outranks(size_t index, const filch_error *kept)
{
    return kept->status == FILCH_OK || (index != FILCH_NO_INDEX && index < kept->index);
}

void filch_fault_pass_on(const struct filch_fault *fault, struct filch_fault *outer)
{
    filch_lock_acquire(&outer->lock, FILCH_RANK_FAULT);
    if (outranks(fault->error.index, &outer->error)) {
        outer->error = fault->error;
    }
    filch_lock_release(&outer->lock);
}

static void report_error(const struct filch_frame *frame, int code, const char *format,
                         va_list arguments)
{
    struct filch_fault *fault = frame->fault;
    size_t index = frame->next ? (size_t)*frame->next - 1 : FILCH_NO_INDEX;
    filch_lock_acquire(&fault->lock, FILCH_RANK_FAULT);
    filch_error *error = &fault->error;
    if (outranks(index, error)) {
        error->status = FILCH_ERAISED;
        error->code = code;
        error->index = index;
        error->function = frame->info ? frame->info->name : "";
        vsnprintf(error->message, sizeof error->message, format, arguments);
    }
    filch_lock_release(&fault->lock);
    if (fault->listener) {
        fault->listener->failed(fault->listener, index, code, frame->stop);
    }
}

int filch_raise(int code, const char *format, ...)
{
    struct filch_fiber *fiber = filch_fiber_self();
    code = code != 0 ? code : -1;
    if (fiber && fiber->frame && fiber->frame->fault) {
        va_list arguments;
        va_start(arguments, format);
        report_error(fiber->frame, code, format ? format : "", arguments);
        va_end(arguments);
    }
    return code;
}
