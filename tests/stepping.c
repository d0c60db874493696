/* What gdb steps through: scripts/gdb.sh. */
#include <filch/filch.h>

FILCH_FUNCTION(int, half_of, (int, a))
{
    return a / 2;
}

int main(void)
{
    int x = 0;
    filch_status status = half_of_apply(NULL, 4, &x); /* from here */
    x += (int)status;                                 /* to there */
    return x;
}
