/* graphs_rows: what the peers of graphs.c measure. Each includes it behind
 *     double sample(unsigned workers, struct shape of, bool again, unsigned long long *check)
 * which runs a graph again and again, or one that is made anew each time. */
#ifndef GRAPHS_ROWS_H
#define GRAPHS_ROWS_H

#include "graphs.h"

#define SAMPLES(name)                                                                              \
    static double sample_##name(unsigned workers, int size, unsigned long long *check)             \
    {                                                                                              \
        return sample(workers, name##_of(size), false, check);                                     \
    }                                                                                              \
    static double sample_##name##_again(unsigned workers, int size, unsigned long long *check)     \
    {                                                                                              \
        return sample(workers, name##_of(size), true, check);                                      \
    }

SAMPLES(wavefront)
SAMPLES(random)
SAMPLES(tree)

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"wavefront", sample_wavefront},
                                      {"random", sample_random},
                                      {"tree", sample_tree},
                                      {"wavefront_again", sample_wavefront_again},
                                      {"random_again", sample_random_again},
                                      {"tree_again", sample_tree_again}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}

#endif
