/* A graph that runs again and again: ten frames of a toy world. Input comes first, then four parts
 * move, no more than two at a time, then what they did is summed up and drawn. It is made once; in
 * the eighth frame a part fails, and what needs it is left out of that frame alone. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { PARTS = 4, FRAMES = 10 };

struct world {
    int frame;
    int wind;
    int speeds[PARTS];
    int sum;
};

FILCH_FUNCTION(void, read_input, (struct world *, world))
{
    world->wind = world->frame % 3;
}

FILCH_FUNCTION(int, move, (const struct world *, world), (int, part))
{
    if (world->frame == 8 && part == 2) {
        return filch_raise(1, "part %d is stuck", part), 0;
    }
    return (part + 1) * 10 + world->wind;
}

FILCH_FUNCTION(int, sum_up, (const struct world *, world))
{
    int sum = 0;
    for (int i = 0; i < PARTS; i++) {
        sum += world->speeds[i];
    }
    return sum;
}

FILCH_FUNCTION(void, draw, (const struct world *, world))
{
    printf("frame %d: wind %d, speeds %d\n", world->frame, world->wind, world->sum);
}

/* What goes wrong here is what the first run comes to. */
static filch_graph *graph_of(struct world *world)
{
    filch_graph *graph;
    filch_limit *two;
    filch_node *input, *part, *sum, *picture;
    filch_graph_new(&graph);
    filch_graph_limit(graph, 2, &two);
    read_input_node(graph, world, &input);
    sum_up_node(graph, world, &world->sum, &sum);
    draw_node(graph, world, &picture);
    filch_node_needs(picture, sum);
    for (int i = 0; i < PARTS; i++) {
        move_node(graph, world, i, &world->speeds[i], &part);
        filch_node_limit(part, two);
        filch_node_needs(part, input);
        filch_node_needs(sum, part);
    }
    return graph;
}

int main(void)
{
    struct world world = {.frame = 0};
    filch_graph *graph = graph_of(&world);
    filch_status status = FILCH_OK;
    for (world.frame = 1; world.frame <= FRAMES && status == FILCH_OK; world.frame++) {
        filch_error error;
        status = filch_graph_run(FILCH_ON(NULL, .error = &error), graph);
        if (status == FILCH_ERAISED) {
            printf("frame %d: %s\n", world.frame, error.message);
            status = FILCH_OK;
        }
    }
    filch_graph_free(graph);
    if (status != FILCH_OK) {
        fprintf(stderr, "frames: %s\n", filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
