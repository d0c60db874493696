/* A type that is aligned to more than filch knows, in each macro that has memory for it.
 * Ways: REDUCER ORDER PREDICATE SHARED CHANNEL LOOP HANDLER ARGUMENT RESULT FORK
 * Says: filch: types aligned to more than 64 bytes are not supported */
#include <filch/filch.h>

#ifdef RIGHT
#define ALIGNMENT 64
#define EVERY
#else
#define ALIGNMENT 128
#endif

typedef struct wide {
    _Alignas(ALIGNMENT) char bytes[128];
} wide;

#ifdef EVERY
#define REDUCER
#define ORDER
#define PREDICATE
#define SHARED
#define CHANNEL
#define LOOP
#define HANDLER
#define ARGUMENT
#define RESULT
#endif

#ifdef REDUCER
FILCH_REDUCER(wide, first, (wide, a), (wide, b))
{
    return b.bytes[0] ? a : b;
}
#endif

#ifdef ORDER
FILCH_ORDER(before, (wide, a), (wide, b))
{
    return a.bytes[0] < b.bytes[0];
}
#endif

#ifdef PREDICATE
FILCH_PREDICATE(is_set, (wide, x))
{
    return x.bytes[0] != 0;
}
#endif

#ifdef SHARED
FILCH_PREDICATE(is_below, (int, x), (wide, limit))
{
    return x < limit.bytes[0];
}
#endif

#ifdef CHANNEL
FILCH_CHANNEL(wides, wide);
#endif

#ifdef LOOP
FILCH_LOOP(each, (size_t, i), (wide, shared), (char *, out))
{
    out[i] = shared.bytes[i];
}
#endif

#ifdef HANDLER
FILCH_HANDLER(wide, or_zero)
{
    wide zero = {{(char)error->code}};
    return zero;
}
#endif

#ifdef ARGUMENT
FILCH_FUNCTION(int, first_of, (wide, a))
{
    return a.bytes[0];
}
#endif

#ifdef RESULT
FILCH_FUNCTION(wide, with, (char, a))
{
    wide made = {{a}};
    return made;
}
#endif

#ifdef FORK
FILCH_FORK_FUNCTION(int, first_in_fork, (wide, a))
{
    return a.bytes[0];
}
#endif

int main(void)
{
    return 0;
}
