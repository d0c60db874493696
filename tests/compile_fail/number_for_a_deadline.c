/* A number where a point in time belongs. */
#include <filch/filch.h>

int main(void)
{
    char byte;
#ifdef RIGHT
    return (int)filch_read_until(0, &byte, 1, filch_in(2.0));
#else
    return (int)filch_read_until(0, &byte, 1, 2.0);
#endif
}
