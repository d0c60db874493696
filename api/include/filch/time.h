/* filch/time.h: until when a call waits.
 *
 *     status = jobs_receive_until(jobs, &job, filch_in(0.5));     FILCH_ETIMEDOUT: none has come
 *
 *     filch_deadline until = filch_in(2);                         for several calls together
 *     n = filch_read_until(socket, buffer, bytes, until);
 *
 * A call that waits has two names: x() waits as long as it takes; x_until() until a deadline, which
 * stands behind what the call is given and before what it gives. A deadline is a type of its own:
 * a number in its place does not compile. One that has passed lets the call try, and no more. One
 * that is all zero never comes: options may leave theirs out.
 *
 * All functions: threads: any. Do not block. */
#ifndef FILCH_TIME_H
#define FILCH_TIME_H

#ifdef __cplusplus
extern "C" {
#endif

/* A point in time; a plain value. */
typedef struct filch_deadline {
    const struct filch_clock *clock; /* NULL: filch_now()'s. First, so that no number fits here. */
    double at;                       /* seconds; 0, or infinite: never */
} filch_deadline;

/* Effect: seconds on the monotonic clock that deadlines are on; its zero means nothing. */
double filch_now(void);

/* Effect: so many seconds from now. 0 or less, or NaN: has passed; infinite: never. */
filch_deadline filch_in(double seconds);

/* Effect: then, on filch_now()'s clock. 0 or less, or NaN: has passed; infinite: never. */
filch_deadline filch_at(double when);

/* Effect: does not come. */
filch_deadline filch_never(void);

/* Effect: the one that comes first. */
filch_deadline filch_earlier(filch_deadline a, filch_deadline b);

#ifdef __cplusplus
}
#endif

#endif
