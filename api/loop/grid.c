/* Counting the elements of a grid tile by tile: bands of tiles in the first direction, in each of
 * them bands in the second, in each of those tiles. Those at the far ends may be smaller. */
#include <filch/grid.h>

#include "base/base.h"
#include "pool/call_options.h"

filch_grid_run filch_grid_at(const filch_grid *grid, size_t index)
{
    const size_t *n = grid->n;
    const size_t *tile = grid->tile;
    size_t plane = n[1] * n[2];
    size_t first_i = index / (tile[0] * plane) * tile[0];
    size_t deep = filch_least(tile[0], n[0] - first_i);
    index -= first_i * plane;

    size_t first_j = index / (deep * tile[1] * n[2]) * tile[1];
    size_t high = filch_least(tile[1], n[1] - first_j);
    index -= deep * first_j * n[2];

    size_t first_k = index / (deep * high * tile[2]) * tile[2];
    size_t wide = filch_least(tile[2], n[2] - first_k);
    index -= deep * high * first_k;

    size_t in_row = index % wide;
    size_t row = index / wide;
    return (filch_grid_run){.i = first_i + row / high,
                            .j = first_j + row % high,
                            .k = first_k + in_row,
                            .count = wide - in_row};
}

/* The default tile, and none larger than the grid: products of its sides do not overflow then. */
static void choose_tile(filch_grid *grid)
{
    const size_t standard[3] = {8, grid->n[0] == 1 ? 32 : 8, 64};
    for (int d = 0; d < 3; d++) {
        size_t side = grid->tile[d] ? grid->tile[d] : standard[d];
        grid->tile[d] = filch_least(side, grid->n[d]);
    }
}

filch_status filch_grid_map(filch_pool *pool, const filch_body *body, filch_grid *environment)
{
    size_t n;
    if (!environment || !body) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    const size_t *sides = environment->n;
    if (sides[0] == 0 || sides[1] == 0 || sides[2] == 0) {
        n = 0;
    } else if (!filch_multiply(sides[0], sides[1], &n) || !filch_multiply(n, sides[2], &n)) {
        return filch_options_refuse(pool, FILCH_EOVERFLOW);
    }
    choose_tile(environment);
    return filch_map(pool, body, environment, n);
}
