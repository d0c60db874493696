/* A pointer where a number is wanted. */
#include <filch/filch.h>

FILCH_FUNCTION(int, twice, (int, a))
{
    return 2 * a;
}

int main(void)
{
    int out = 0;
#ifdef RIGHT
    return (int)twice_apply(NULL, 1, &out);
#else
    return (int)twice_apply(NULL, "one", &out);
#endif
}
