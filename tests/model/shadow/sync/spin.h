/* spin.h for the models: one more try, and let another thread run before it. */
#ifndef FILCH_MODEL_SPIN_H
#define FILCH_MODEL_SPIN_H

#include "base/base.h"

enum { FILCH_SPIN_TRIES = 1 };

static inline bool filch_spin_may_help(void)
{
    return true;
}

static inline void filch_spin_pause(void)
{
    filch_relax();
}

#endif
