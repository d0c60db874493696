#include <filch/version.h>

const char *filch_version(void)
{
    return FILCH_VERSION_STRING;
}

void filch_abi_0_1(void)
{
}
