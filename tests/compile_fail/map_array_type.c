/* An array of another type than the function's parameter. */
#include <filch/filch.h>

FILCH_FUNCTION(int, twice, (int, a))
{
    return 2 * a;
}

int main(void)
{
#ifdef RIGHT
    int in[2] = {1, 2};
#else
    long in[2] = {1, 2};
#endif
    int out[2];
    return (int)twice_map(NULL, in, 2, out);
}
