/* filch/closure.h: functions as values.
 *
 * A closure is a function with all of its arguments captured, by value. It can be stored, copied,
 * passed and returned. FILCH_FUNCTION (function.h) makes typed constructors for it; this header and
 * core.h are the layer beneath, for functions that are not known until run time.
 *
 * Ownership. A closure whose captures take at most FILCH_INLINE_BYTES and own nothing is a plain
 * value: copy it freely, filch_closure_release() does nothing. All others share one counted box:
 * a second owner calls filch_closure_retain(), every owner calls filch_closure_release(), and the
 * last release runs the destructor; inside of another destructor, when that one has returned. A
 * call that takes a closure keeps a reference of its own for as long as it needs one. */
#ifndef FILCH_CLOSURE_H
#define FILCH_CLOSURE_H

#include <filch/core.h> /* filch_closure, filch_closure_make(), _of(), _release() */

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: call it here and now, on the caller's stack.
 * Args: result: callable->result_bytes of room, or NULL when that is 0.
 * Errors: FILCH_EINVAL for an empty closure or a missing result.
 * Threads: any; one closure may be called by several at once if its function allows that. */
FILCH_MUST_CHECK filch_status filch_closure_call(const filch_closure *closure, void *result);

/* Effect: one more owner. Returns the same closure. */
filch_closure filch_closure_retain(const filch_closure *closure);

/* Effect: what Python calls __name__ and __doc__; "" for an empty closure. Never NULL. */
const char *filch_closure_name(const filch_closure *closure);
const char *filch_closure_doc(const filch_closure *closure);

#ifdef __cplusplus
}
#endif

#endif
