/* deadline: times as users give them, and the monotonic nanoseconds that the runtime takes. */
#ifndef FILCH_DEADLINE_H
#define FILCH_DEADLINE_H

#include <stdint.h>

#include <filch/time.h>

#include "base/private.h"

/* 0: has passed (seconds are 0, negative or NaN); FILCH_OS_NEVER: too far away to matter. */
FILCH_PRIVATE uint64_t filch_deadline_after(double seconds);

/* The same for a point in time. */
FILCH_PRIVATE uint64_t filch_deadline_ns(filch_deadline until);

#endif
