#include <filch/error.h>
#include <filch/task.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* The first error of a task counts, and in a loop that of the lowest index; but any error comes
 * before that something was asked to stop (FILCH_ECANCELED). */
static bool outranks(filch_status status, size_t index, const filch_error *kept)
{
    if (kept->status == FILCH_OK || kept->status != status) {
        return kept->status != FILCH_ERAISED;
    }
    return index != FILCH_NO_INDEX && index < kept->index;
}

void filch_fault_pass_on(const struct filch_fault *fault, struct filch_fault *outer)
{
    filch_lock_acquire(&outer->lock, FILCH_RANK_FAULT);
    if (outranks(fault->error.status, fault->error.index, &outer->error)) {
        outer->error = fault->error;
    }
    filch_lock_release(&outer->lock);
}

static size_t index_in(const struct filch_frame *frame)
{
    return frame->next ? (size_t)*frame->next - 1 : FILCH_NO_INDEX;
}

/* No lock is held. */
static void tell_listener(const struct filch_frame *frame, filch_item item, size_t index)
{
    struct filch_fault_listener *listener = frame->fault->listener;
    if (listener) {
        listener->failed(listener, index, item, frame->stop);
    }
}

static void report_error(const struct filch_frame *frame, filch_status status, int code,
                         const char *format, va_list arguments)
{
    struct filch_fault *fault = frame->fault;
    size_t index = index_in(frame);
    filch_lock_acquire(&fault->lock, FILCH_RANK_FAULT);
    filch_error *error = &fault->error;
    if (outranks(status, index, error)) {
        error->status = status;
        error->code = code;
        error->index = index;
        error->function = frame->info ? frame->info->name : "";
        vsnprintf(error->message, sizeof error->message, format, arguments);
    }
    filch_lock_release(&fault->lock);
    tell_listener(frame, (filch_item){status, code}, index);
}

/* The same, with what another task has come to. */
static void report_known(const struct filch_frame *frame, const filch_error *known)
{
    struct filch_fault *fault = frame->fault;
    size_t index = index_in(frame);
    filch_lock_acquire(&fault->lock, FILCH_RANK_FAULT);
    if (outranks(known->status, index, &fault->error)) {
        fault->error = *known;
        fault->error.index = index != FILCH_NO_INDEX ? index : known->index;
    }
    filch_lock_release(&fault->lock);
    tell_listener(frame, (filch_item){known->status, known->code}, index);
}

/* Where the caller's errors go, or NULL: nowhere. */
static const struct filch_frame *frame_of_caller(void)
{
    struct filch_fiber *fiber = filch_fiber_self();
    return fiber && fiber->frame && fiber->frame->fault ? fiber->frame : NULL;
}

static int raise_as(filch_status status, int code, const char *format, va_list arguments)
{
    const struct filch_frame *frame = frame_of_caller();
    code = code != 0 ? code : -1;
    if (frame) {
        report_error(frame, status, code, format ? format : "", arguments);
    }
    return code;
}

int filch_raise(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    code = raise_as(FILCH_ERAISED, code, format, arguments);
    va_end(arguments);
    return code;
}

/* What a call has come to. That it was cut short, because its task is asked to stop, is how the
 * task ends, and not an error. */
static int raise_answer(int code, const char *format, ...)
{
    bool stopped = code == ECANCELED && filch_cancelled();
    va_list arguments;
    va_start(arguments, format);
    code = raise_as(stopped ? FILCH_ECANCELED : FILCH_ERAISED, code, format, arguments);
    va_end(arguments);
    return code;
}

int filch_raise_text(int code, const char *text)
{
    return filch_raise(code, "%s", text ? text : "");
}

filch_status filch_raise_status(filch_status status)
{
    if (status != FILCH_OK) {
        raise_answer(filch_errno_of(status), "%s", filch_strerror(status));
    }
    return status;
}

int filch_raise_errno(int code)
{
    code = code < 0 ? -code : code;
    return code ? raise_answer(code, "%s", strerror(code)) : 0;
}

filch_status filch_raise_error(const filch_error *error)
{
    if (!error) {
        return FILCH_EINVAL;
    }
    const struct filch_frame *frame = frame_of_caller();
    if (error->status != FILCH_ERAISED) {
        return filch_raise_status(error->status);
    }
    if (frame) {
        report_known(frame, error);
    }
    return FILCH_ERAISED;
}
