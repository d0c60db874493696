/* filch/function_info.h: what a function can tell about itself. */
#ifndef FILCH_FUNCTION_INFO_H
#define FILCH_FUNCTION_INFO_H

/* What captured arguments may take in place, in bytes; of a fork arguments and result at all. */
#define FILCH_INLINE_BYTES 48

/* What a type is, as far as it matters to those who hand values on as bytes: values of one kind and
 * size are, as bytes, what C would convert them to. Integers are of one kind with enumerations and
 * with each other, and pointers to void with all pointers. */
typedef enum filch_kind {
    FILCH_KIND_UNKNOWN, /* nothing is known; the size decides */
    FILCH_KIND_INTEGER,
    FILCH_KIND_BOOLEAN,
    FILCH_KIND_FLOATING,
    FILCH_KIND_POINTER_TO_VOID,
    FILCH_KIND_POINTER_TO_CHARACTERS,
    FILCH_KIND_POINTER, /* to anything else, also functions */
    FILCH_KIND_OTHER    /* structs, unions, complex numbers, ...; the next one, see kind.h */
} filch_kind;

typedef struct filch_type {
    const char *name; /* as in the source; NULL: not known */
    filch_kind kind;
} filch_type;

/* Static, one per defined function. */
typedef struct filch_function_info {
    const char *name; /* as in the source */
    const char *doc;  /* the optional string of its definition, or "" */
    const char *file;
    int line;
    unsigned arguments_bytes; /* the captured arguments, all together */
    filch_type result;        /* zero, and the next: not known, or there is none */
    filch_type parameter;     /* the first */
} filch_function_info;

#endif
