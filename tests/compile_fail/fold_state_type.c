/* A merge of states of another type than the fold's. */
#include <filch/filch.h>

FILCH_FOLD(long, add_up, (int, x))
{
    *into += x;
}

#ifdef RIGHT
static void add(long *into, long *from, void *context)
#else
static void add(double *into, double *from, void *context)
#endif
{
    (void)context;
    *into += *from;
}

int main(void)
{
    int in[2] = {1, 2};
    long out = 0;
    return (int)add_up_fold(NULL, in, 2, &(add_up_accumulator){.merge = add}, &out);
}
