/* A result whose type has, by its typedef, a size that does not tell its alignment.
 * Says: filch: a type that is smaller than its alignment is not supported */
#include <filch/filch.h>

#ifdef RIGHT
typedef int number __attribute__((aligned(16)));
#else
typedef int number __attribute__((aligned(32)));
#endif

FILCH_FUNCTION(number, twice, (int, a))
{
    return 2 * a;
}

int main(void)
{
    return 0;
}
