/* Types that are pointers, in C and C++. */
#include <filch/filch.h>

FILCH_REDUCER(const char *, later_of, (const char *, a), (const char *, b))
{
    return a > b ? a : b;
}

FILCH_CHANNEL(pointers, const int *);

FILCH_FUNCTION(void *, byte_at, (char *, memory), (size_t, i))
{
    return memory + i;
}

FILCH_FORK_FUNCTION(void *, byte_behind, (char *, memory), (size_t, i))
{
    if (i == 0) {
        return memory;
    }
    FILCH_FORK(there, byte_behind, memory, i - 1);
    return (char *)FILCH_JOIN(there) + 1;
}
