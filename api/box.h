/* box: what the rest of api/ may know of a closure's captures. */
#ifndef FILCH_BOX_H
#define FILCH_BOX_H

#include <filch/closure.h>

/* The captured bytes of a closure that is not empty. */
void *filch_closure_captures(filch_closure *closure);

#endif
