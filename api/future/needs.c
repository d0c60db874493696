/* What futures need, seen from outside, while they come and go. */
#include <filch/futures.h>

#include <stdint.h>

#include "base/memory.h"
#include "future/dot.h"
#include "future/needs.h"
#include "future/task_future.h"

/* All futures that have been found hold a reference. */
struct survey {
    struct filch_needs_visitor visitor;
    struct found {
        struct filch_future *future;
        filch_error error; /* how it ended, if it has */
        enum filch_dot_state state;
    } * found;
    size_t count, room;
    struct edge {
        size_t need, future; /* numbers of found */
    } * edges;
    size_t edge_count, edge_room;
    size_t *table; /* by address, one more than the number; 0: free. As large as twice `room` */
    size_t now;    /* the one whose needs are visited */
    bool no_memory;
};

static size_t *place_in(const struct survey *survey, const struct filch_future *future)
{
    size_t places = 2 * survey->room; /* a power of two */
    size_t at = (size_t)((uintptr_t)future / 64 * 0x9e3779b1u) & (places - 1);
    while (survey->table[at] && survey->found[survey->table[at] - 1].future != future) {
        at = (at + 1) & (places - 1);
    }
    return &survey->table[at];
}

static bool grow_survey(struct survey *survey)
{
    size_t room = survey->room ? 2 * survey->room : 32;
    struct found *found = filch_realloc(survey->found, room * sizeof *found);
    survey->found = found ? found : survey->found;
    size_t *table = found ? filch_calloc(2 * room, sizeof *table) : NULL;
    if (!table) {
        return false;
    }
    filch_free(survey->table);
    survey->table = table;
    survey->room = room;
    for (size_t i = 0; i < survey->count; i++) {
        *place_in(survey, found[i].future) = i + 1;
    }
    return true;
}

static enum filch_dot_state future_state(struct filch_future *future, filch_error *error)
{
    if (filch_cell_done(&future->cell)) {
        filch_future_tell(future, error);
        return future->outcome == FILCH_OK ? FILCH_DOT_SUCCEEDED : FILCH_DOT_FAILED;
    }
    return filch_future_running(future) ? FILCH_DOT_RUNNING : FILCH_DOT_PENDING;
}

/* Its number; SIZE_MAX: no memory. */
static size_t find_future(struct survey *survey, struct filch_future *future)
{
    if (survey->count == survey->room && !grow_survey(survey)) {
        return SIZE_MAX;
    }
    size_t *place = place_in(survey, future);
    if (!*place) {
        struct found *found = &survey->found[survey->count++];
        found->state = future_state(future, &found->error);
        found->future = filch_future_retain(future);
        *place = survey->count;
    }
    return *place - 1;
}

static bool add_edge(struct survey *survey, size_t need)
{
    if (survey->edge_count == survey->edge_room) {
        size_t room = survey->edge_room ? 2 * survey->edge_room : 64;
        struct edge *edges = filch_realloc(survey->edges, room * sizeof *edges);
        if (!edges) {
            return false;
        }
        survey->edges = edges;
        survey->edge_room = room;
    }
    survey->edges[survey->edge_count++] = (struct edge){need, survey->now};
    return true;
}

static void note_need(struct filch_needs_visitor *visitor, struct filch_future *need)
{
    struct survey *survey = FILCH_CONTAINER(visitor, struct survey, visitor);
    size_t number = survey->no_memory ? SIZE_MAX : find_future(survey, need);
    survey->no_memory = number == SIZE_MAX || !add_edge(survey, number);
}

static void survey_from(struct survey *survey, struct filch_future *future)
{
    survey->no_memory = find_future(survey, future) == SIZE_MAX;
    for (; survey->now < survey->count && !survey->no_memory; survey->now++) {
        struct filch_future *next = survey->found[survey->now].future;
        if (next->kind->visit_needs) {
            next->kind->visit_needs(next, &survey->visitor);
        }
    }
}

static void write_survey(const struct survey *survey, FILE *stream)
{
    filch_dot_begin(stream);
    for (size_t i = 0; i < survey->count; i++) {
        const struct found *found = &survey->found[i];
        const char *what = NULL;
        if (found->state == FILCH_DOT_FAILED) {
            bool raised = found->error.status == FILCH_ERAISED;
            what = raised ? found->error.message : filch_strerror(found->error.status);
        }
        filch_dot_node(stream, i, found->future->info, found->state, what);
    }
    for (size_t i = 0; i < survey->edge_count; i++) {
        filch_dot_edge(stream, survey->edges[i].need, survey->edges[i].future);
    }
    filch_dot_end(stream);
}

static void end_survey(struct survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        filch_future_free(survey->found[i].future);
    }
    filch_free(survey->found);
    filch_free(survey->edges);
    filch_free(survey->table);
}

filch_status filch_dump_graph(filch_future *future, FILE *stream)
{
    if (!future || !stream) {
        return FILCH_EINVAL;
    }
    if (filch_future_is_parents(future)) {
        return FILCH_EFORKED;
    }
    struct survey survey = {.visitor.need = note_need};
    survey_from(&survey, future);
    filch_status status = survey.no_memory ? FILCH_ENOMEM : FILCH_OK;
    if (status == FILCH_OK) {
        write_survey(&survey, stream);
    }
    end_survey(&survey);
    return status;
}
