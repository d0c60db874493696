/* closure_private: what the rest of api/ may know of a closure's captures. */
#ifndef FILCH_CLOSURE_PRIVATE_H
#define FILCH_CLOSURE_PRIVATE_H

#include <filch/closure.h>

#include "base/private.h"

/* Call a closure that is not empty and that no other caller has: the function may change its
 * captures. Wherever the closure lies, they are aligned for their size. */
FILCH_PRIVATE void filch_closure_invoke(filch_closure *closure, void *result);

#endif
