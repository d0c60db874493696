/* tracing: recording that the environment asks for. */
#ifndef FILCH_TRACING_H
#define FILCH_TRACING_H

#include "base/private.h"

/* A pool is about to be opened: the first in a process looks at FILCH_TRACE. */
FILCH_PRIVATE void filch_tracing_begin(void);

#endif
