/* tracing: recording that the environment asks for. */
#ifndef FILCH_TRACING_H
#define FILCH_TRACING_H

/* A pool is about to be opened: the first in a process looks at FILCH_TRACE. */
void filch_tracing_begin(void);

#endif
