/* fits: whether what a future gives is what follows takes, and why a call is refused. */
#ifndef FILCH_FITS_H
#define FILCH_FITS_H

#include <filch/then.h>

#include "base/private.h"

/* Writes "<function>_<verb>() is refused: <why>"; returns FILCH_EINVAL. */
FILCH_PRIVATE filch_status filch_future_refuse(const filch_function_info *function,
                                               const char *verb, const char *why);

/* FILCH_EINVAL, and a line with both functions and types: they do not fit. */
FILCH_PRIVATE filch_status filch_continuation_fits(const filch_continuation *what,
                                                   const filch_future *future);

/* The same of a get() of what `as` gives. */
FILCH_PRIVATE filch_status filch_future_gives(const filch_future *future, const filch_callable *as);

#endif
