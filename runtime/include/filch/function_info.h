/* filch/function_info.h: what a function can tell about itself. */
#ifndef FILCH_FUNCTION_INFO_H
#define FILCH_FUNCTION_INFO_H

/* What captured arguments may take in place, in bytes; of a fork arguments and result at all. */
#define FILCH_INLINE_BYTES 48

/* Static, one per defined function. */
typedef struct filch_function_info {
    const char *name; /* as in the source */
    const char *doc;  /* the optional string of its definition, or "" */
    const char *file;
    int line;
    unsigned arguments_bytes; /* the captured arguments, all together */
} filch_function_info;

#endif
