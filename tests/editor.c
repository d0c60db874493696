/* What an editor is asked about: scripts/editor.py. Names of one of each kind, made and used. */
#include <filch/filch.h>

FILCH_FUNCTION(int, half_of, (int, a))
{
    return a / 2;
}

FILCH_FUNCTION(int, sum_of, "Adds.", (int, a), (int, b))
{
    return a + b;
}

FILCH_FUNCTION(void, nothing_of)
{
}

FILCH_FORK_FUNCTION(int, fib_of, (int, n))
{
    return n < 2 ? n : fib_of(n - 1) + fib_of(n - 2);
}

FILCH_LOOP(row_of, (size_t, i), (int *, out))
{
    out[i] = 1;
}

FILCH_LOOP_2D(tile_of, (size_t, i), (size_t, j), (int *, out))
{
    out[i + j] = 1;
}

FILCH_LOOP_3D(cell_of, (size_t, i), (size_t, j), (size_t, k), (int *, out))
{
    out[i + j + k] = 1;
}

FILCH_ORDER(less_of, (int, a), (int, b))
{
    return a < b;
}

FILCH_PREDICATE(even_of, (int, a))
{
    return a % 2 == 0;
}

FILCH_REDUCER(int, total_of, (int, a), (int, b))
{
    return a + b;
}

FILCH_FOLD(int, fold_of, (int, a))
{
    *into += a;
}

FILCH_MAP_REDUCE(int, halves_of, half_of, total_of, (int, a));

FILCH_SOURCE(int, some_of, (int, n))
{
    *item = n;
    return FILCH_END;
}

FILCH_STAGE(int, next_of, (int, a))
{
    return a + 1;
}

FILCH_HANDLER(int, instead_of, (int, a))
{
    return a;
}

FILCH_CHANNEL(ints_of, int);

int main(void)
{
    int x[2] = {1, 2};
    ints_of channel = {NULL};
    nothing_of();
    row_of(0, x);
    tile_of(0, 0, x);
    cell_of(0, 0, 0, x);
    (void)some_of(x, 1);
    (void)half_of_map(NULL, x, 2, x);
    (void)halves_of(NULL, x, 2, 0, x);
    fold_of(x, 1);
    return half_of(4) + sum_of(1, 2) + fib_of(3) + less_of(1, 2) + even_of(1) + total_of(1, 2) +
           next_of(1) + instead_of(NULL, 1) + (channel.untyped != NULL);
}
