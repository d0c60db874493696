/* filch/log.h: where filch says what a status cannot: the story of a deadlock, an environment
 * variable that makes no sense. */
#ifndef FILCH_LOG_H
#define FILCH_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum filch_log_level { FILCH_LOG_WARNING = 1, FILCH_LOG_ERROR = 2 } filch_log_level;

/* Effect: messages go to log(context, level, message) from now on; `message` may have several
 * lines, ends with a newline, and is gone when log returns. log NULL: nowhere. Until this is called
 * they are written to the standard error. log may be called from any thread, several at once, and
 * must not call filch.
 * Threads: any. Does not block. */
void filch_log_to(void (*log)(void *context, filch_log_level level, const char *message),
                  void *context);

#ifdef __cplusplus
}
#endif

#endif
