/* filch/version.h: which filch this is.
 *
 * Versions follow semantic versioning. Before 1.0 a new minor version may change any interface and
 * its soname; a patch version changes none. */
#ifndef FILCH_VERSION_H
#define FILCH_VERSION_H

#define FILCH_VERSION_MAJOR 0
#define FILCH_VERSION_MINOR 1
#define FILCH_VERSION_PATCH 0
#define FILCH_VERSION_STRING "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: the version of the library that is linked or loaded, e.g. "0.1.0".
 * Threads: any. Does not block. */
const char *filch_version(void);

/* Does nothing: what generated code refers to. A program whose headers are of another version than
 * its library, where they do not fit together, is not linked, or not loaded. */
void filch_abi_0_1(void);
#define FILCH_ABI filch_abi_0_1

#ifdef __cplusplus
}
#endif

#endif
