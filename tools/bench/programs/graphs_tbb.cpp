// The graphs of graphs.c with oneTBB's flow graph: made once and run again and again, or made anew.
#include <memory>
#include <vector>

#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include "graphs.h"

namespace flow = tbb::flow;
using flow_node = flow::continue_node<flow::continue_msg>;

struct flow_run {
    flow::graph graph;
    std::vector<std::unique_ptr<flow_node>> nodes;
    std::vector<flow_node *> first;

    explicit flow_run(shape *of)
    {
        for (int i = 0; i < of->count; i++) {
            nodes.push_back(std::make_unique<flow_node>(
                graph, [of, i](const flow::continue_msg &) { run_node(of, i); }));
            const node_of &at = of->nodes[i];
            for (int k = 0; k < at.need_count; k++) {
                flow::make_edge(*nodes[(size_t)at.needs[k]], *nodes[(size_t)i]);
            }
            if (at.need_count == 0) {
                first.push_back(nodes.back().get());
            }
        }
    }

    void run()
    {
        for (flow_node *node : first) {
            node->try_put(flow::continue_msg());
        }
        graph.wait_for_all();
    }
};

static void run_again(void *context)
{
    static_cast<flow_run *>(context)->run();
}

static void make_and_run(void *context)
{
    flow_run(static_cast<shape *>(context)).run();
}

// The caller works, too: an arena of `workers` has no thread more.
static double sample(unsigned workers, shape of, bool again, unsigned long long *check)
{
    tbb::task_arena arena((int)workers, 1);
    double ns = 0;
    arena.execute([&] {
        if (again) {
            flow_run made(&of);
            ns = time_rounds(&of, run_again, &made, check);
        } else {
            ns = time_rounds(&of, make_and_run, &of, check);
        }
    });
    shape_free(&of);
    return ns;
}

#include "graphs_rows.h"
