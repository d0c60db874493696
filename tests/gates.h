/* Futures that a test makes ready itself: what waits for them begins when it says so. */
#ifndef GATES_H
#define GATES_H

#include "fixture.h"

enum { GATES = 5 };

struct gates {
    filch_promise *promises[GATES];
    filch_future *futures[GATES];
};

static inline struct gates gates_new(void)
{
    struct gates gates;
    for (int i = 0; i < GATES; i++) {
        ck_assert_int_eq(filch_promise_new(sizeof(int), &gates.promises[i], &gates.futures[i]),
                         FILCH_OK);
    }
    return gates;
}

static inline void gates_free(struct gates *gates)
{
    for (int i = 0; i < GATES; i++) {
        filch_promise_free(gates->promises[i]);
        filch_future_free(gates->futures[i]);
    }
}

static inline void open_gate(struct gates *gates, int i)
{
    ck_assert_int_eq(filch_promise_set_value(gates->promises[i], &i), FILCH_OK);
}

#endif
