/* A fork as the only statement of an `if`: its handle would end there. */
#include <filch/filch.h>

FILCH_FORK_FUNCTION(int, leaf, (int, n))
{
    return n;
}

FILCH_FORK_FUNCTION(int, root, (int, n))
{
#ifdef RIGHT
    if (n) {
        FILCH_FORK(child, leaf, n);
        return FILCH_JOIN(child);
    }
#else
    if (n)
        FILCH_FORK(child, leaf, n);
#endif
    return 0;
}

int main(void)
{
    return root(1);
}
