// The graphs of graphs.c with Taskflow, whose header the compiler must find (CPLUS_INCLUDE_PATH).
#include <vector>

#include <taskflow/taskflow.hpp>

#include "graphs.h"

struct flow_run {
    tf::Executor *executor;
    tf::Taskflow flow;

    flow_run(tf::Executor *runs, shape *of) : executor(runs)
    {
        std::vector<tf::Task> tasks((size_t)of->count);
        for (int i = 0; i < of->count; i++) {
            tasks[(size_t)i] = flow.emplace([of, i] { run_node(of, i); });
            const node_of &at = of->nodes[i];
            for (int k = 0; k < at.need_count; k++) {
                tasks[(size_t)at.needs[k]].precede(tasks[(size_t)i]);
            }
        }
    }

    void run()
    {
        executor->run(flow).wait();
    }
};

struct maker {
    tf::Executor *executor;
    shape *of;
};

static void run_again(void *context)
{
    static_cast<flow_run *>(context)->run();
}

static void make_and_run(void *context)
{
    maker *make = static_cast<maker *>(context);
    flow_run(make->executor, make->of).run();
}

static double sample(unsigned workers, shape of, bool again, unsigned long long *check)
{
    tf::Executor executor(workers);
    double ns = 0;
    if (again) {
        flow_run made(&executor, &of);
        ns = time_rounds(&of, run_again, &made, check);
    } else {
        maker make{&executor, &of};
        ns = time_rounds(&of, make_and_run, &make, check);
    }
    shape_free(&of);
    return ns;
}

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
