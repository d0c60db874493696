/* The graph of futures, as text: read back as what Graphviz reads, with the right edges. */
#define _GNU_SOURCE
#include "fixture.h"
#include "gates.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "future/hold.h"

FILCH_FUNCTION(int, first, (int, x))
{
    return x;
}

FILCH_FUNCTION(int, second, (int, x), (int, y))
{
    return x + y;
}

FILCH_FUNCTION(int, third, (int, x))
{
    return x;
}

FILCH_FUNCTION(int, failing, (int, code))
{
    return filch_raise(code, "\"quoted\"\\\n{}"), 0;
}

FILCH_FUNCTION(int, stays, (atomic_int *, begun), (atomic_int *, until))
{
    atomic_store(begun, 1);
    await(until, 1);
    return 0;
}

/* ---- a reader of what is written ---- */

enum { MOST = 64 };

struct drawn {
    struct {
        char label[300];
        char shape[20];
        char tooltip[300];
    } nodes[MOST];
    struct {
        int from, to;
    } edges[2 * MOST];
    int node_count, edge_count;
};

static const char *expect(const char *at, const char *text)
{
    ck_assert_msg(strncmp(at, text, strlen(text)) == 0, "%.60s is not %s", at, text);
    return at + strlen(text);
}

static const char *read_number(const char *at, int *number)
{
    char *end;
    ck_assert_int_ne(isdigit((unsigned char)*at), 0);
    *number = (int)strtol(at, &end, 10);
    return end;
}

/* In quotes; \" and \\ are read back, \n is a line's end. */
static const char *read_text(const char *at, char *text, size_t bytes)
{
    size_t length = 0;
    for (at = expect(at, "\""); *at != '"'; at++) {
        ck_assert_int_ge((unsigned char)*at, ' ');
        ck_assert_uint_lt(length, bytes - 1);
        bool escaped = *at == '\\';
        at += escaped;
        ck_assert(!escaped || strchr("\"\\n", *at));
        text[length++] = escaped && *at == 'n' ? '\n' : *at;
    }
    text[length] = '\0';
    return at + 1;
}

static const char *read_node(const char *at, struct drawn *drawn)
{
    int i = drawn->node_count++;
    ck_assert_int_lt(i, MOST);
    size_t length = strcspn(at = expect(at, " [shape="), ",");
    ck_assert_uint_lt(length, sizeof drawn->nodes[i].shape);
    memcpy(drawn->nodes[i].shape, at, length);
    drawn->nodes[i].shape[length] = '\0';
    at = read_text(expect(at + length, ", label="), drawn->nodes[i].label,
                   sizeof drawn->nodes[i].label);
    if (*at == ',') {
        at = read_text(expect(at, ", tooltip="), drawn->nodes[i].tooltip,
                       sizeof drawn->nodes[i].tooltip);
    }
    return expect(at, "];\n");
}

static struct drawn read_graph(const char *at)
{
    struct drawn drawn = {.node_count = 0};
    int number;
    at = expect(at, "digraph filch {\n    rankdir=LR;\n");
    while (*at == ' ') {
        at = read_number(expect(at, "    n"), &number);
        if (strncmp(at, " ->", 3) == 0) {
            int e = drawn.edge_count++;
            ck_assert_int_lt(e, 2 * MOST);
            drawn.edges[e].from = number;
            at = expect(read_number(expect(at, " -> n"), &drawn.edges[e].to), ";\n");
            ck_assert(number < drawn.node_count && drawn.edges[e].to < drawn.node_count);
        } else {
            ck_assert_int_eq(number, drawn.node_count);
            at = read_node(at, &drawn);
        }
    }
    ck_assert_str_eq(at, "}\n");
    return drawn;
}

static struct drawn graph_of(filch_future *future)
{
    char *text;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(filch_dump_graph(future, stream), FILCH_OK);
    ck_assert_int_eq(fclose(stream), 0);
    struct drawn drawn = read_graph(text);
    free(text);
    return drawn;
}

/* How many edges there are between futures with these labels. */
static int edges_between(const struct drawn *drawn, const char *from, const char *to)
{
    int found = 0;
    for (int e = 0; e < drawn->edge_count; e++) {
        found += strcmp(drawn->nodes[drawn->edges[e].from].label, from) == 0 &&
                 strcmp(drawn->nodes[drawn->edges[e].to].label, to) == 0;
    }
    return found;
}

/* How many are of that label and shape. */
static int drawn_as(const struct drawn *drawn, const char *label, const char *shape)
{
    int found = 0;
    for (int i = 0; i < drawn->node_count; i++) {
        found +=
            strcmp(drawn->nodes[i].label, label) == 0 && strcmp(drawn->nodes[i].shape, shape) == 0;
    }
    return found;
}

/* ---- what is drawn ---- */

static void free_all(filch_future *futures[], int n)
{
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
}

START_TEST(the_graph_of_a_future_leads_to_it_from_all_that_it_needs)
{
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_future *f[5];
    filch_future **gate = gates.futures;
    ck_assert_int_eq(first_then(pool, gate[0], &f[0]), FILCH_OK);
    ck_assert_int_eq(second_after(pool, FILCH_NEEDS(f[0], gate[1]), 1, 2, &f[1]), FILCH_OK);
    ck_assert_int_eq(filch_when_all((filch_future *[]){f[0], f[1]}, 2, &f[2]), FILCH_OK);
    ck_assert_int_eq(filch_when_any((filch_future *[]){f[2], gate[2]}, 2, &f[3]), FILCH_OK);
    ck_assert_int_eq(third_after(pool, FILCH_NEEDS(f[3], f[1]), 3, &f[4]), FILCH_OK);
    struct drawn drawn = graph_of(f[4]);
    ck_assert_int_eq(drawn.node_count, 8); /* each once, and no gate that it does not need */
    ck_assert_int_eq(drawn.edge_count, 9);
    ck_assert_int_eq(edges_between(&drawn, "promise", "first"), 1);
    ck_assert_int_eq(edges_between(&drawn, "promise", "second"), 1);
    ck_assert_int_eq(edges_between(&drawn, "first", "second"), 1);
    ck_assert_int_eq(edges_between(&drawn, "first", "when_all"), 1);
    ck_assert_int_eq(edges_between(&drawn, "second", "when_all"), 1);
    ck_assert_int_eq(edges_between(&drawn, "when_all", "when_any"), 1);
    ck_assert_int_eq(edges_between(&drawn, "promise", "when_any"), 1);
    ck_assert_int_eq(edges_between(&drawn, "when_any", "third"), 1);
    ck_assert_int_eq(edges_between(&drawn, "second", "third"), 1);
    ck_assert_str_eq(drawn.nodes[0].label, "third");
    ck_assert_ptr_nonnull(strstr(drawn.nodes[0].tooltip, "test_dump_graph.c:"));
    drawn = graph_of(f[1]);
    ck_assert_int_eq(drawn.node_count, 4); /* what needs it is not in it */
    for (int i = 0; i < GATES; i++) {
        open_gate(&gates, i);
    }
    free_all(f, 5);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(the_shape_of_a_future_is_its_state)
{
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    atomic_int begun = 0;
    atomic_int until = 0;
    filch_future *f[6];
    ck_assert_int_eq(stays_apply_async(pool, &begun, &until, &f[0]), FILCH_OK);
    await(&begun, 1);
    ck_assert_int_eq(first_after(pool, gates.futures, 1, 1, &f[1]), FILCH_OK);
    ck_assert_int_eq(filch_future_cancel(f[1]), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_error(gates.promises[1], 5, "\"quoted\"\\\n{}"), FILCH_OK);
    open_gate(&gates, 2);
    ck_assert_int_eq(second_after(pool, FILCH_NEEDS(f[0], gates.futures[2]), 1, 2, &f[2]),
                     FILCH_OK);
    ck_assert_int_eq(filch_when_all((filch_future *[]){f[1], f[2], gates.futures[1]}, 3, &f[3]),
                     FILCH_OK);
    ck_assert_int_eq(third_after(pool, &f[3], 1, 4, &f[4]), FILCH_OK);
    struct drawn drawn = graph_of(f[4]);
    ck_assert_int_eq(drawn.node_count, 7);
    ck_assert_int_eq(drawn_as(&drawn, "third", "ellipse"), 1);
    ck_assert_int_eq(drawn_as(&drawn, "when_all", "ellipse"), 1);
    ck_assert_int_eq(drawn_as(&drawn, "second", "ellipse"), 1);
    ck_assert_int_eq(drawn_as(&drawn, "stays", "box"), 1);
    ck_assert_int_eq(drawn_as(&drawn, "promise", "doublecircle"), 1);
    ck_assert_int_eq(drawn_as(&drawn, "promise\n\"quoted\"\\ {}", "octagon"), 1);
    char cancelled[100];
    snprintf(cancelled, sizeof cancelled, "first\n%s", filch_strerror(FILCH_ECANCELED));
    ck_assert_int_eq(drawn_as(&drawn, cancelled, "octagon"), 1);
    atomic_store(&until, 1);
    free_all(f, 5);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(what_has_failed_has_its_error_and_no_needs)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *f[2];
    ck_assert_int_eq(failing_apply_async(pool, 7, &f[0]), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(f[0]), FILCH_OK);
    ck_assert_int_eq(first_after(pool, f, 1, 1, &f[1]), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(f[1]), FILCH_OK);
    struct drawn drawn = graph_of(f[1]);
    ck_assert_int_eq(drawn_as(&drawn, "first\n\"quoted\"\\ {}", "octagon"), 1);
    ck_assert_int_eq(edges_between(&drawn, "first\n\"quoted\"\\ {}", "failing"), 0);
    free_all(f, 2);
    pool_closed(pool);
}
END_TEST

START_TEST(bad_input_is_refused_and_without_memory_nothing_is_written)
{
    filch_pool *pool = pool_opened(1);
    struct gates gates = gates_new();
    filch_future *f[100];
    for (int i = 0; i < 100; i++) { /* more than there is room for at first */
        filch_future *need = i ? f[i - 1] : gates.futures[0];
        ck_assert_int_eq(third_after(pool, FILCH_NEEDS(need, gates.futures[1]), i, &f[i]),
                         FILCH_OK);
    }
    ck_assert_int_eq(filch_dump_graph(NULL, stdout), FILCH_EINVAL);
    ck_assert_int_eq(filch_dump_graph(f[0], NULL), FILCH_EINVAL);
    char text[16384] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(stream);
    setbuf(stream, NULL);
    filch_status status = FILCH_ENOMEM;
    long before = allocations_alive();
    for (long failing_call = 1; status == FILCH_ENOMEM; failing_call++) {
        ck_assert_uint_eq(strlen(text), 0);
        fail_call(failing_call);
        status = filch_dump_graph(f[99], stream);
        fail_call(0);
        ck_assert_int_lt(failing_call, 20);
        ck_assert_int_eq(allocations_alive(), before);
    }
    ck_assert_int_eq(status, FILCH_OK);
    fclose(stream);
    ck_assert_ptr_nonnull(strstr(text, "n101"));
    open_gate(&gates, 0);
    open_gate(&gates, 1);
    free_all(f, 100);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(a_graph_can_be_drawn_while_it_runs)
{
    enum { N = 30 };
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 20; round++) {
        struct gates gates = gates_new();
        filch_future *f[N];
        for (int i = 0; i < N; i++) {
            filch_future *need = i ? f[i - 1] : gates.futures[0];
            ck_assert_int_eq(i % 3 == 0   ? first_then(pool, need, &f[i])
                             : i % 3 == 1 ? second_after(pool, FILCH_NEEDS(need, f[0]), i, 1, &f[i])
                                          : second_then(pool, need, 2, &f[i]),
                             FILCH_OK);
        }
        struct drawn drawn = graph_of(f[N - 1]);
        ck_assert_int_eq(drawn.node_count, N + 1);
        open_gate(&gates, 0);
        while (!filch_future_ready(f[N - 1])) {
            int count = drawn.node_count;
            drawn = graph_of(f[N - 1]);
            ck_assert_int_le(drawn.node_count, count); /* what has ended is forgotten */
        }
        free_all(f, N);
        gates_free(&gates);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(what_a_future_keeps_goes_with_the_last_that_uses_it)
{
    struct filch_hold hold;
    filch_hold_init(&hold, 0);
    ck_assert(filch_hold_look(&hold));
    ck_assert(!filch_hold_end(&hold, FILCH_HOLD_SECOND));
    ck_assert(!filch_hold_look_end(&hold));
    ck_assert(filch_hold_look(&hold));
    ck_assert(filch_hold_look(&hold));
    ck_assert(!filch_hold_end(&hold, FILCH_HOLD_FIRST));
    ck_assert(!filch_hold_look(&hold)); /* they are over */
    ck_assert(!filch_hold_look_end(&hold));
    ck_assert(filch_hold_look_end(&hold));
    filch_hold_init(&hold, FILCH_HOLD_SECOND);
    ck_assert(filch_hold_end(&hold, FILCH_HOLD_FIRST));
    ck_assert(!filch_hold_look(&hold));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dump_graph");
    TCase *tcase = tcase_create("dump_graph");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, the_graph_of_a_future_leads_to_it_from_all_that_it_needs, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_shape_of_a_future_is_its_state, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_has_failed_has_its_error_and_no_needs, 0, WORKER_SWEEP);
    tcase_add_test(tcase, bad_input_is_refused_and_without_memory_nothing_is_written);
    tcase_add_loop_test(tcase, a_graph_can_be_drawn_while_it_runs, 0, WORKER_SWEEP);
    tcase_add_test(tcase, what_a_future_keeps_goes_with_the_last_that_uses_it);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
