/* The README's first program. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

FILCH_FUNCTION(double, half_of, (double, x))
{
    return x / 2;
}

int main(void)
{
    const double in[4] = {1, 2, 3, 4};
    double out[4] = {0};
    filch_status status;

    FILCH_WITH_POOL(pool, NULL, &status) {
        status = half_of_map(pool, in, 4, out);
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "hello: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    printf("%g %g %g %g\n", out[0], out[1], out[2], out[3]);
    return EXIT_SUCCESS;
}
