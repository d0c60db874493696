/* os_file: a file that is written through a shared mapping. */
#ifndef FILCH_OS_FILE_H
#define FILCH_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <filch/status.h>

#include "base/private.h"

/* Open or make a regular file of the caller's own, for it alone (mode 0600), empty it, and lock it
 * until it is closed. Links are not followed. FILCH_EINVAL: it is something else; FILCH_EBUSY: it
 * is locked; FILCH_EAGAIN: the system refuses. */
FILCH_SEAM FILCH_MUST_CHECK filch_status filch_os_file_open(const char *path, int *file);
FILCH_SEAM void filch_os_file_close(int file);

/* See that so many bytes from the start have space on the disk, so that writing to them through a
 * mapping cannot fail. False: there is none, or the process may not have so long a file. */
FILCH_SEAM FILCH_MUST_CHECK bool filch_os_file_grow(int file, size_t bytes);

/* Cut it to that length. */
FILCH_SEAM void filch_os_file_cut(int file, size_t bytes);

/* Write all of it at the file's end. False: it failed. */
FILCH_SEAM bool filch_os_file_write(int file, const void *data, size_t bytes);

/* Map that many bytes of the file, or of memory (-1), more of them than there are, if need be.
 * NULL: no address space. */
FILCH_SEAM FILCH_MUST_CHECK void *filch_os_file_map(int file, size_t bytes);

/* They are about to be written: make their pages now, which is cheaper than one by one. Best
 * effort. */
FILCH_SEAM void filch_os_file_prepare(void *memory, size_t bytes);

/* No thread reads a mapping of the kind above any more, but one might still write: the first
 * `used` bytes become memory of no meaning, the rest is unmapped. */
FILCH_SEAM void filch_os_file_retire(void *memory, size_t used, size_t bytes);

/* Is the cycle counter (filch_os_ticks) one clock for all processors? */
FILCH_SEAM bool filch_os_ticks_agree(void);

FILCH_SEAM uint64_t filch_os_process_id(void);

/* The program's name, cut to `bytes`. */
FILCH_SEAM void filch_os_program(char *name, size_t bytes);

#endif
