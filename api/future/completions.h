/* completions: what the rest of api/ may do with a set of futures. */
#ifndef FILCH_COMPLETIONS_H
#define FILCH_COMPLETIONS_H

#include <filch/futures.h>

#include "base/private.h"

/* Cancel all futures in the set that are not ready. */
FILCH_PRIVATE void filch_completions_cancel(filch_completions *set);

#endif
