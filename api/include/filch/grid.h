/* filch/grid.h: loops in two and three dimensions, tile by tile.
 *
 *     FILCH_LOOP_2D(transpose, (size_t, i), (size_t, j), (const double *, in), (double *, out),
 *                   (size_t, n))
 *     {
 *         out[j * n + i] = in[i * n + j];
 *     }
 *
 *     transpose_for(pool, n, n, in, out, n);         every (i, j) with i < n and j < n, once
 *
 * A worker goes through tiles of 32 x 64 (in three dimensions 8 x 8 x 64) elements, so that what is
 * near in any direction is near in time. Elements, not tiles, are what is shared out: large and few
 * ones are balanced as those of FILCH_LOOP. */
#ifndef FILCH_GRID_H
#define FILCH_GRID_H

#include <stddef.h>
#include <string.h>

#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* A grid, and the tiles in which a loop goes over it. */
typedef struct filch_grid {
    size_t n[3];    /* elements in each direction, outermost first */
    size_t tile[3]; /* the same of a tile */
} filch_grid;

/* Elements with the same i and j and consecutive k: those of one tile, from some on. */
typedef struct filch_grid_run {
    size_t i, j, k;
    size_t count;
} filch_grid_run;

/* Effect: the elements from the `index`-th on, counted tile by tile, to the end of the row of that
 * tile. */
filch_grid_run filch_grid_at(const filch_grid *grid, size_t index);

/* run(environment, at) for the elements of the range. */
FILCH_INLINE void filch_grid_block(filch_range *range, const filch_grid *grid,
                                   void (*run)(const void *environment, const filch_grid_run *at),
                                   const void *environment)
{
    size_t i = (size_t)range->next;
    while (i < range->stop) {
        filch_grid_run at = filch_grid_at(grid, i);
        for (; at.count && i < range->stop; at.count--, at.k++) {
            range->next = ++i;
            run(environment, &at);
        }
    }
}

/* Effect: body's elements, as many as the grid has, as filch_map() does. `environment` begins with
 * the grid. A tile's direction of 0 elements takes the default.
 * Errors: as filch_map(); FILCH_EOVERFLOW: more elements than a size_t counts. */
FILCH_MUST_CHECK filch_status filch_grid_map(filch_pool *pool, const filch_body *body,
                                             filch_grid *environment);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_LOOP_2D(name, ["doc",] (size_t, i), (size_t, j), (T, shared), ...) { body }
 *     name_for(pool, n_i, n_j, shared, ...)
 *     name_for_tiled(pool, n_i, n_j, tile_i, tile_j, shared, ...)
 * An explicit chunk size and the index in an error count elements tile by tile. */
#define FILCH_LOOP_2D(...) FILCH_SHAPED(FILCH_LOOP_2D, FILCH_LOOP_2D, void, __VA_ARGS__, ~)
#define FILCH_LOOP_2D_TAKES FILCH_TAKES_2_AND_UP_TO_8
#define FILCH_LOOP_2D_RULE                                                                         \
    the indices (size_t, i), (size_t, j), then at most eight shared (type, name)
#define FILCH_LOOP_2D_STUBS FILCH_GRID_STUBS
#define FILCH_LOOP_2D_GENERATE(R, name, doc, index_i, index_j, ...)                                \
    static void name(FILCH_DECLARE index_i,                                                        \
                     FILCH_DECLARE index_j FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));                \
    FILCH_GRID_BLOCK(name, doc, (filch_at->j, filch_at->k), __VA_ARGS__)                           \
    FILCH_CHECKED filch_status name##_for_tiled(                                                   \
        filch_pool *filch_to, size_t filch_n_i, size_t filch_n_j, size_t filch_tile_i,             \
        size_t filch_tile_j FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                                \
    {                                                                                              \
        FILCH_GRID_CELLS(name, 1, filch_n_i, filch_n_j, 1, filch_tile_i, filch_tile_j,             \
                         __VA_ARGS__)                                                              \
        return filch_grid_map(filch_to, &filch_of_body_of_grid_##name, &filch_cells.filch_shape);  \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_for(                                                         \
        filch_pool *filch_to, size_t filch_n_i,                                                    \
        size_t filch_n_j FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                                   \
    {                                                                                              \
        return name##_for_tiled(filch_to, filch_n_i, filch_n_j, 0,                                 \
                                0 FILCH_MORE(FILCH_NAME, __VA_ARGS__));                            \
    }                                                                                              \
    FILCH_MENTION(name)                                                                            \
    static void name(FILCH_DECLARE index_i,                                                        \
                     FILCH_DECLARE index_j FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

/* FILCH_LOOP_3D(name, ["doc",] (size_t, i), (size_t, j), (size_t, k), (T, shared), ...) { body }:
 * the same with n_i, n_j, n_k and tile_i, tile_j, tile_k. */
#define FILCH_LOOP_3D(...) FILCH_SHAPED(FILCH_LOOP_3D, FILCH_LOOP_3D, void, __VA_ARGS__, ~)
#define FILCH_LOOP_3D_TAKES FILCH_TAKES_3_AND_UP_TO_8
#define FILCH_LOOP_3D_RULE                                                                         \
    the indices (size_t, i), (size_t, j), (size_t, k), then at most eight shared (type, name)
#define FILCH_LOOP_3D_STUBS FILCH_GRID_STUBS
#define FILCH_LOOP_3D_GENERATE(R, name, doc, index_i, index_j, index_k, ...)                       \
    static void name(FILCH_DECLARE index_i, FILCH_DECLARE index_j,                                 \
                     FILCH_DECLARE index_k FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));                \
    FILCH_GRID_BLOCK(name, doc, (filch_at->i, filch_at->j, filch_at->k), __VA_ARGS__)              \
    FILCH_CHECKED filch_status name##_for_tiled(                                                   \
        filch_pool *filch_to, size_t filch_n_i, size_t filch_n_j, size_t filch_n_k,                \
        size_t filch_tile_i, size_t filch_tile_j,                                                  \
        size_t filch_tile_k FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                                \
    {                                                                                              \
        FILCH_GRID_CELLS(name, filch_n_i, filch_n_j, filch_n_k, filch_tile_i, filch_tile_j,        \
                         filch_tile_k, __VA_ARGS__)                                                \
        return filch_grid_map(filch_to, &filch_of_body_of_grid_##name, &filch_cells.filch_shape);  \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_for(                                                         \
        filch_pool *filch_to, size_t filch_n_i, size_t filch_n_j,                                  \
        size_t filch_n_k FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                                   \
    {                                                                                              \
        return name##_for_tiled(filch_to, filch_n_i, filch_n_j, filch_n_k, 0, 0,                   \
                                0 FILCH_MORE(FILCH_NAME, __VA_ARGS__));                            \
    }                                                                                              \
    FILCH_MENTION(name)                                                                            \
    static void name(FILCH_DECLARE index_i, FILCH_DECLARE index_j,                                 \
                     FILCH_DECLARE index_k FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

#define FILCH_GRID_STUBS(R, name, ...)                                                             \
    FILCH_STUB(void, name)                                                                         \
    FILCH_STUB(filch_status, name##_for)                                                           \
    FILCH_STUB(filch_status, name##_for_tiled)

#define FILCH_GRID_BLOCK(name, doc, where, ...)                                                    \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    typedef struct filch_of_grid_##name {                                                          \
        filch_grid filch_shape;                                                                    \
        name##_args filch_shared;                                                                  \
    } filch_of_grid_##name;                                                                        \
    FILCH_UNUSED static void filch_of_runs_one_##name(const void *filch_environment,               \
                                            const filch_grid_run *filch_at)                        \
    {                                                                                              \
        FILCH_UNUSED const name##_args *filch_args =                                               \
            &((const filch_of_grid_##name *)filch_environment)->filch_shared;                      \
        name(FILCH_UNGROUP where FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));                          \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_block_##name(const void *filch_environment,                  \
                                                   filch_range *filch_on)                          \
    {                                                                                              \
        const filch_of_grid_##name filch_copy =                                                    \
                *(const filch_of_grid_##name *)filch_environment;                                  \
        filch_grid_block(filch_on, &filch_copy.filch_shape, filch_of_runs_one_##name,              \
                &filch_copy);                                                                      \
    }                                                                                              \
    FILCH_UNUSED static const filch_body filch_of_body_of_grid_##name = {                          \
        filch_of_block_##name, sizeof(filch_of_grid_##name), 0, &name##_info};
#define FILCH_GRID_CELLS(name, n_i, n_j, n_k, tile_i, tile_j, tile_k, ...)                         \
    filch_of_grid_##name filch_cells;                                                              \
    FILCH_UNUSED name##_args *filch_args = &filch_cells.filch_shared;                              \
    const filch_grid filch_shape = {{n_i, n_j, n_k}, {tile_i, tile_j, tile_k}};                    \
    memset(&filch_cells, 0, sizeof filch_cells);                                                   \
    filch_cells.filch_shape = filch_shape;                                                         \
    FILCH_EACH(FILCH_TO_ARGS, __VA_ARGS__)
/* clang-format on */

#endif
