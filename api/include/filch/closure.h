/* filch/closure.h: functions as values.
 *
 * A closure is a function with all of its arguments captured, by value. It can be stored, copied,
 * passed and returned. FILCH_FUNCTION (function.h) makes typed constructors for it; this header is
 * the layer beneath, for functions that are not known until run time.
 *
 * Ownership. A closure whose captures take at most FILCH_INLINE_BYTES and own nothing is a plain
 * value: copy it freely, filch_closure_release() does nothing. All others share one counted box:
 * a second owner calls filch_closure_retain(), every owner calls filch_closure_release(), and the
 * last release runs the destructor; inside of another destructor, when that one has returned. A
 * call that takes a closure keeps a reference of its own for as long as it needs one. */
#ifndef FILCH_CLOSURE_H
#define FILCH_CLOSURE_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/lane.h>
#include <filch/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What can be called with its arguments in one block of memory. Static, usually. */
typedef struct filch_callable {
    /* Both are where a type of their size may lie, aligned to up to 64 bytes, if the library has
     * put them there. */
    void (*invoke)(void *captures, void *result);
    size_t captures_bytes;
    size_t result_bytes; /* 0: no result, `result` is NULL */
    const filch_function_info *info;
} filch_callable;

typedef struct filch_closure {
    const filch_callable *callable; /* NULL: an empty closure, which every call refuses */
    union {
        FILCH_ALIGNED(16) unsigned char bytes[FILCH_INLINE_BYTES];
        struct filch_box *box;
    } captures;
    bool boxed;
} filch_closure;

/* Effect: a closure of `callable` over a copy of captures_bytes at `captures`.
 * Args: callable: must outlive the closure; captures: may be NULL when captures_bytes is 0;
 * destroy: NULL, or called once with the captured bytes when the last reference is gone, from any
 * thread.
 * Errors: FILCH_EINVAL, FILCH_ENOMEM: *out is empty and destroy will not be called.
 * Threads: any. Does not block. */
filch_status filch_closure_make(filch_closure *out, const filch_callable *callable,
                                const void *captures, void (*destroy)(void *captures));

/* Effect: a closure that calls function(environment); its result is an int.
 * Args: environment: not owned; see filch_closure_make() for captures that are.
 * Threads: any. Does not block. */
filch_closure filch_closure_of(int (*function)(void *environment), void *environment);

/* Effect: call it here and now, on the caller's stack.
 * Args: result: callable->result_bytes of room, or NULL when that is 0.
 * Errors: FILCH_EINVAL for an empty closure or a missing result.
 * Threads: any; one closure may be called by several at once if its function allows that. */
filch_status filch_closure_call(const filch_closure *closure, void *result);

/* Effect: one more owner. Returns the same closure. */
filch_closure filch_closure_retain(const filch_closure *closure);

/* Effect: one owner less; *closure becomes empty. NULL and empty closures are no-ops. */
void filch_closure_release(filch_closure *closure);

/* Effect: what Python calls __name__ and __doc__; "" for an empty closure. Never NULL. */
const char *filch_closure_name(const filch_closure *closure);
const char *filch_closure_doc(const filch_closure *closure);

#ifdef __cplusplus
}
#endif

#endif
