/* A call with too few arguments. */
#include <filch/filch.h>

FILCH_FUNCTION(int, add, (int, a), (int, b))
{
    return a + b;
}

int main(void)
{
    int out;
#ifdef RIGHT
    return (int)add_apply(NULL, 1, 2, &out);
#else
    return (int)add_apply(NULL, 1, &out);
#endif
}
