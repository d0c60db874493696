/* A sum of another type than the reducer's. */
#include <filch/filch.h>

static double half_of(double x)
{
    return x / 2;
}

#ifdef RIGHT
FILCH_REDUCER(double, add, (double, a), (double, b))
#else
FILCH_REDUCER(long, add, (long, a), (long, b))
#endif
{
    return a + b;
}

FILCH_MAP_REDUCE(double, sum_of_halves, half_of, add, (double, x));

int main(void)
{
    double in[2] = {1, 2};
    double out;
    return (int)sum_of_halves(NULL, in, 2, 0, &out);
}
