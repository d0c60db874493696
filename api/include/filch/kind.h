/* filch/kind.h: what the compiler says of a type, for where its values are handed on as bytes.
 * Nothing here is for direct use. */
#ifndef FILCH_KIND_H
#define FILCH_KIND_H

#include <filch/function_info.h>

/* clang-format off */
#define FILCH_TYPE(T) {#T, FILCH_KIND_OF(T)}
#define FILCH_TYPE_NONE {0, FILCH_KIND_UNKNOWN}

#ifdef __cplusplus
extern "C++" {
template <typename T> struct filch_kind_of {
    static const filch_kind kind = __is_enum(T) ? FILCH_KIND_INTEGER : FILCH_KIND_OTHER;
};
template <typename T, unsigned long n> struct filch_kind_of<T[n]> {
    static const filch_kind kind = FILCH_KIND_OTHER;
    static_assert(n == 0, "filch: an array as a parameter or result: pass a pointer, or a struct");
};
template <typename T> struct filch_kind_of<T *> {
    static const filch_kind kind = FILCH_KIND_POINTER;
};
#define FILCH_KIND_IS(T, its_kind)                                                                 \
    template <> struct filch_kind_of<T> {                                                          \
        static const filch_kind kind = its_kind;                                                   \
    };
#define FILCH_KIND_OF(T) (filch_kind_of<T>::kind)
#else
#define FILCH_KIND_IS(T, its_kind) T *: its_kind,
/* 5: of what can only be told from others by its class, the pointers. (No `?:`, whose colon
 * cppcheck takes for one of the list's.) */
#define FILCH_KIND_OF(T)                                                                           \
    _Generic((T *)0, FILCH_KINDS default                                                           \
             : (filch_kind)(FILCH_KIND_OTHER - (__builtin_classify_type(*(T *)0) == 5)))
#endif

#define FILCH_KINDS                                                                                \
    FILCH_KIND_IS(char, FILCH_KIND_INTEGER)                                                        \
    FILCH_KIND_IS(signed char, FILCH_KIND_INTEGER)                                                 \
    FILCH_KIND_IS(unsigned char, FILCH_KIND_INTEGER)                                               \
    FILCH_KIND_IS(short, FILCH_KIND_INTEGER)                                                       \
    FILCH_KIND_IS(unsigned short, FILCH_KIND_INTEGER)                                              \
    FILCH_KIND_IS(int, FILCH_KIND_INTEGER)                                                         \
    FILCH_KIND_IS(unsigned, FILCH_KIND_INTEGER)                                                    \
    FILCH_KIND_IS(long, FILCH_KIND_INTEGER)                                                        \
    FILCH_KIND_IS(unsigned long, FILCH_KIND_INTEGER)                                               \
    FILCH_KIND_IS(long long, FILCH_KIND_INTEGER)                                                   \
    FILCH_KIND_IS(unsigned long long, FILCH_KIND_INTEGER)                                          \
    FILCH_KIND_IS(float, FILCH_KIND_FLOATING)                                                      \
    FILCH_KIND_IS(double, FILCH_KIND_FLOATING)                                                     \
    FILCH_KIND_IS(long double, FILCH_KIND_FLOATING)                                                \
    FILCH_KINDS_OF_POINTERS(void, FILCH_KIND_POINTER_TO_VOID)                                      \
    FILCH_KINDS_OF_POINTERS(char, FILCH_KIND_POINTER_TO_CHARACTERS)                                \
    FILCH_KINDS_OF_POINTERS(signed char, FILCH_KIND_POINTER_TO_CHARACTERS)                         \
    FILCH_KINDS_OF_POINTERS(unsigned char, FILCH_KIND_POINTER_TO_CHARACTERS)                       \
    FILCH_KINDS_OF_THE_LANGUAGE
#define FILCH_KINDS_OF_POINTERS(T, kind)                                                           \
    FILCH_KIND_IS(T *, kind)                                                                       \
    FILCH_KIND_IS(const T *, kind)                                                                 \
    FILCH_KIND_IS(volatile T *, kind)                                                              \
    FILCH_KIND_IS(const volatile T *, kind)

#ifdef __cplusplus
#define FILCH_KINDS_OF_THE_LANGUAGE                                                                \
    FILCH_KIND_IS(bool, FILCH_KIND_BOOLEAN)                                                        \
    FILCH_KIND_IS(wchar_t, FILCH_KIND_INTEGER)                                                     \
    FILCH_KIND_IS(char16_t, FILCH_KIND_INTEGER)                                                    \
    FILCH_KIND_IS(char32_t, FILCH_KIND_INTEGER)
FILCH_KINDS
}
#undef FILCH_KINDS
#undef FILCH_KIND_IS
#else
#define FILCH_KINDS_OF_THE_LANGUAGE FILCH_KIND_IS(_Bool, FILCH_KIND_BOOLEAN)
#endif
/* clang-format on */

#endif
