/* A future's result of another type than its function's. */
#include <filch/filch.h>

FILCH_FUNCTION(int, twice, (int, a))
{
    return 2 * a;
}

int main(void)
{
#ifdef RIGHT
    int out = 0;
#else
    double out = 0;
#endif
    return (int)twice_get(NULL, &out);
}
