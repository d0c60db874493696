/* filch/registry.h: functions that can be found by name, for tools, configuration and scripts.
 *
 *     FILCH_FUNCTION(int, square, (int, x)) { return x * x; }
 *     FILCH_REGISTER(square);
 *
 *     const filch_callable *found = filch_function_named("square"); */
#ifndef FILCH_REGISTRY_H
#define FILCH_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <filch/closure.h>
#include <filch/macros.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* A registered function; static. */
typedef struct filch_registered {
    const filch_callable *callable;
    struct filch_registered *next; /* the library's, as `number` */
    uint64_t number;
} filch_registered;

/* Effect: it can be found from now on, until it is unregistered. NULL: no-op. The newest of the
 * same name is found first. Threads: any. Do not block. */
void filch_register(filch_registered *entry);
void filch_unregister(filch_registered *entry);

/* Effect: the function of that name; NULL: there is none. It stays until it is unregistered.
 * Threads: any. Does not block. */
const filch_callable *filch_function_named(const char *name);

/* Effect: calls visit(context, function) for all of them, newest first, until it returns false. It
 * may wait, register and unregister: what is registered meanwhile is not visited, what is
 * unregistered before its turn neither. Threads: any. */
void filch_functions_visit(bool (*visit)(void *context, const filch_callable *function),
                           void *context);

#ifdef __cplusplus
}
#endif

/* FILCH_REGISTER(name): behind a FILCH_FUNCTION, at file scope. Registered when the program or the
 * library that it stands in is loaded, unregistered when that is unloaded. */
#define FILCH_REGISTER(name)                                                                       \
    static filch_registered filch_of_registered_##name = {&name##_callable, NULL, 0};              \
    __attribute__((constructor)) static void filch_of_register_##name(void)                        \
    {                                                                                              \
        filch_register(&filch_of_registered_##name);                                               \
    }                                                                                              \
    __attribute__((destructor)) static void filch_of_unregister_##name(void)                       \
    {                                                                                              \
        filch_unregister(&filch_of_registered_##name);                                             \
    }                                                                                              \
    FILCH_ASSERT_STATIC(sizeof(filch_of_registered_##name) > 0, "")

#endif
