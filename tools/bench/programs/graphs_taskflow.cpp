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

#include "graphs_rows.h"
