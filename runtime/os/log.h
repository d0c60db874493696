/* log: messages to the program's hook. */
#ifndef FILCH_LOG_PRIVATE_H
#define FILCH_LOG_PRIVATE_H

#include <filch/log.h>

#include "base/private.h"

/* `message` ends with a newline. No lock is held: the hook may take its time. */
FILCH_PRIVATE void filch_log(filch_log_level level, const char *message);

#endif
