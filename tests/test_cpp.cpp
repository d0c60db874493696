// The public headers in C++17.
#include <filch/closure.h>
#include <filch/error.h>
#include <filch/filch.h>
#include <filch/fork.h>
#include <filch/function.h>
#include <filch/future.h>
#include <filch/lane.h>
#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/platform.h>
#include <filch/pool.h>
#include <filch/status.h>
#include <filch/task.h>
#include <filch/version.h>

#include <cstdio>

FILCH_FUNCTION(int, mult, "Multiplies.", (int, a), (int, b))
{
    return a * b;
}

FILCH_FUNCTION(long, eight, (long, a), (long, b), (long, c), (long, d), (long, e), (long, f),
               (long, g), (long, h))
{
    return a + b + c + d + e + f + g + h;
}

FILCH_FUNCTION(void, nothing)
{
}

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

FILCH_LOOP(fill, (size_t, i), (int *, out))
{
    out[i] = static_cast<int>(i);
}

FILCH_REDUCER(int, add, (int, a), (int, b))
{
    return a + b;
}

FILCH_SIGNATURE(binop, int, (int, a), (int, b))
FILCH_LAMBDA(binop, int, plus, ((int, base)), (int, a), (int, b))
{
    return base + a + b;
}

#define EXPECT(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            std::printf("%s:%d: %s\n", __FILE__, __LINE__, #x);                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

int main()
{
    filch_status status;
    int result = 0;
    long sum = 0;
    int a[3] = {1, 2, 3};
    int out[100];
    FILCH_WITH_POOL(pool, nullptr, &status)
    {
        EXPECT(mult_apply(pool, 6, 7, &result) == FILCH_OK && result == 42);
        EXPECT(eight_apply(pool, 1, 2, 3, 4, 5, 6, 7, 8, &sum) == FILCH_OK && sum == 36);
        EXPECT(nothing_apply(pool) == FILCH_OK);
        EXPECT(mult_map(pool, a, a, 3, out) == FILCH_OK && out[2] == 9);
        EXPECT(fill_for(pool, 100, out) == FILCH_OK);
        EXPECT(add_reduce(pool, out, 100, 0, &result) == FILCH_OK && result == 4950);
        EXPECT(fib_apply(pool, 20, &sum) == FILCH_OK && sum == 6765);
    }
    EXPECT(status == FILCH_OK);
    EXPECT(binop_call(FILCH_AS(binop, mult), 2, 3) == 6);
    EXPECT(binop_call(plus_bind(10), 2, 3) == 15);
    std::puts("1 passed, 0 failed");
    return 0;
}
