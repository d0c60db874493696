/* More arguments than a slot holds. */
#include <filch/filch.h>

typedef struct large {
#ifdef RIGHT
    char bytes[FILCH_INLINE_BYTES];
#else
    char bytes[FILCH_INLINE_BYTES + 1];
#endif
} large;

FILCH_FORK_FUNCTION(int, first, (large, l))
{
    return l.bytes[0];
}

int main(void)
{
    large l = {{0}};
    return first(l);
}
