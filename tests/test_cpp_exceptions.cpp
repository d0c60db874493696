// Tasks in C++ that wait while exceptions are being handled, or are on their way.
#include <filch/filch.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace
{

enum { TASKS = 400, ROUNDS = 5 };

std::atomic<int> wrong; // what tasks found that should not be so

void expect(bool holds)
{
    wrong += !holds;
}

struct numbered {
    int number;
};

int number_of(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const numbered &caught) {
        return caught.number;
    }
}

bool sees_none()
{
    return !std::current_exception() && std::uncaught_exceptions() == 0;
}

void wait_somehow(int i)
{
    if (i % 3) {
        filch_yield();
    } else {
        filch_sleep(1e-5);
    }
}

// Waits while an exception passes by.
struct slow_to_go {
    int number;
    ~slow_to_go()
    {
        for (int i = 0; i < ROUNDS; i++) {
            wait_somehow(number + i);
            expect(std::uncaught_exceptions() == 1);
        }
    }
};

// A section of its own, that ends while an exception passes.
struct section {
    section()
    {
        filch_blocking_begin();
    }
    ~section()
    {
        filch_blocking_end();
        expect(std::uncaught_exceptions() == 1);
    }
};

std::atomic<int> cores_held;

// As long as it lasts the caller holds a core, of which there are so many.
void hold_a_core(int workers)
{
    expect(++cores_held <= workers);
    for (const double end = filch_now() + 20e-6; filch_now() < end;) {
    }
    --cores_held;
}

} // namespace

FILCH_FUNCTION(int, handle, (int, i))
{
    try {
        throw numbered{i};
    } catch (...) {
        for (int round = 0; round < ROUNDS; round++) {
            wait_somehow(i + round);
            expect(std::current_exception() && number_of(std::current_exception()) == i);
        }
        try {
            throw;
        } catch (const numbered &again) {
            expect(again.number == i);
        }
    }
    expect(sees_none());
    return i;
}

FILCH_FUNCTION(int, handle_two, (int, i))
{
    try {
        throw numbered{i};
    } catch (...) {
        wait_somehow(i);
        try {
            throw numbered{-i};
        } catch (...) {
            wait_somehow(i + 1);
            expect(number_of(std::current_exception()) == -i);
        }
        wait_somehow(i + 2);
        expect(number_of(std::current_exception()) == i);
    }
    return i;
}

FILCH_FUNCTION(int, unwind, (int, i))
{
    try {
        slow_to_go guard{i};
        throw numbered{i};
    } catch (const numbered &caught) {
        expect(caught.number == i && std::uncaught_exceptions() == 0);
    }
    expect(sees_none());
    return i;
}

FILCH_FUNCTION(int, throw_out_of_a_block, (int, i), (int, workers))
{
    for (int round = 0; round < ROUNDS; round++) {
        try {
            FILCH_BLOCKING {
                throw numbered{i};
            }
        } catch (const numbered &caught) {
            expect(caught.number == i && std::uncaught_exceptions() == 0);
            hold_a_core(workers);
        }
        expect(sees_none());
    }
    return i;
}

FILCH_FUNCTION(int, throw_out_of_a_section, (int, i), (int, workers))
{
    try {
        section inside;
        throw numbered{i};
    } catch (const numbered &caught) {
        expect(caught.number == i);
        hold_a_core(workers);
    }
    expect(sees_none());
    return i;
}

FILCH_FUNCTION(int, end_in_the_handler, (int, i), (int, workers))
{
    try {
        filch_blocking_begin();
        throw numbered{i};
    } catch (const numbered &caught) {
        filch_blocking_end();
        expect(caught.number == i && number_of(std::current_exception()) == i);
        hold_a_core(workers);
    }
    expect(sees_none());
    return i;
}

FILCH_FUNCTION(int, throw_nothing, (int, i))
{
    for (int round = 0; round < ROUNDS; round++) {
        expect(sees_none());
        wait_somehow(i + round);
    }
    expect(sees_none());
    return i;
}

FILCH_FUNCTION(int, look_around, (int, i))
{
    expect(sees_none());
    try {
        throw numbered{i};
    } catch (const numbered &) {
        filch_yield();
    }
    expect(sees_none());
    return i;
}

FILCH_LOOP(look_at_each, (size_t, i), (const int *, numbers))
{
    expect(sees_none() && numbers[i] == static_cast<int>(i));
}

// Waits for a task, in a handler; the waiter itself may run it.
static void wait_in_handler(filch_pool *pool, int i)
{
    static const int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    filch_future *other = nullptr;
    int result = 0;
    try {
        throw numbered{i};
    } catch (...) {
        expect(look_around_apply_async(pool, i, &other) == FILCH_OK);
        expect(look_around_get(other, &result) == FILCH_OK && result == i);
        expect(look_around_apply(pool, i, &result) == FILCH_OK);
        expect(look_at_each_for(pool, 8, numbers) == FILCH_OK);
        filch_status status;
        FILCH_WITH_GROUP(group, pool, nullptr, &status) {
            expect(look_around_spawn(group, i, nullptr) == FILCH_OK);
            expect(std::current_exception() != nullptr); // still the caller's own code
        }
        expect(status == FILCH_OK && number_of(std::current_exception()) == i);
    }
    filch_future_free(other);
    expect(sees_none());
}

FILCH_FUNCTION(int, wait_for_another, (filch_pool *, pool), (int, i))
{
    wait_in_handler(pool, i);
    return i;
}

template <typename Submit> static void in_many_tasks(Submit submit)
{
    static filch_future *futures[TASKS];
    for (int i = 0; i < TASKS; i++) {
        expect(submit(i, &futures[i]) == FILCH_OK);
    }
    for (filch_future *future : futures) {
        expect(filch_future_wait(future) == FILCH_OK);
        filch_future_free(future);
    }
}

static void a_task_that_waits_in_a_handler_keeps_its_exception(filch_pool *pool)
{
    in_many_tasks([=](int i, filch_future **out) { return handle_apply_async(pool, i, out); });
    in_many_tasks([=](int i, filch_future **out) { return handle_two_apply_async(pool, i, out); });
}

static void a_destructor_may_wait_while_an_exception_passes(filch_pool *pool)
{
    in_many_tasks([=](int i, filch_future **out) { return unwind_apply_async(pool, i, out); });
}

static void an_exception_that_leaves_a_blocking_section_ends_it(filch_pool *pool)
{
    const int workers = static_cast<int>(filch_pool_workers(pool));
    in_many_tasks([=](int i, filch_future **out) {
        switch (i % 3) {
        case 0: return throw_out_of_a_block_apply_async(pool, i, workers, out);
        case 1: return throw_out_of_a_section_apply_async(pool, i, workers, out);
        default: return end_in_the_handler_apply_async(pool, i, workers, out);
        }
    });
    int result = 0;
    expect(throw_out_of_a_block(1, workers + 1) == 1); // outside of a pool
    expect(throw_out_of_a_block_apply(pool, 7, workers, &result) == FILCH_OK && result == 7);
}

static void a_task_sees_no_exception_of_another(filch_pool *pool)
{
    in_many_tasks([=](int i, filch_future **out) {
        switch (i % 3) {
        case 0: return handle_apply_async(pool, i, out);
        case 1: return unwind_apply_async(pool, i, out);
        default: return throw_nothing_apply_async(pool, i, out);
        }
    });
}

static void a_task_sees_no_exception_of_the_one_who_waits_for_it(filch_pool *pool)
{
    for (int i = 0; i < 20; i++) {
        wait_in_handler(pool, i);
    }
    in_many_tasks([=](int i, filch_future **out) {
        return wait_for_another_apply_async(pool, pool, i, out);
    });
}

static int failed(const char *name, void (*test)(filch_pool *pool), unsigned workers)
{
    filch_pool_options options = {};
    filch_pool *pool = nullptr;
    options.processes = workers;
    wrong = 0;
    expect(filch_pool_open(&options, &pool) == FILCH_OK);
    test(pool);
    expect(filch_pool_free(pool) == FILCH_OK);
    if (wrong) {
        std::printf("%s, %u workers: %d wrong\n", name, workers, wrong.load());
    }
    return wrong != 0;
}

int main()
{
    int bad = 0;
    for (unsigned workers : {1u, 2u, 8u}) {
#define TRY(test) bad += failed(#test, test, workers)
        TRY(a_task_that_waits_in_a_handler_keeps_its_exception);
        TRY(a_destructor_may_wait_while_an_exception_passes);
        TRY(an_exception_that_leaves_a_blocking_section_ends_it);
        TRY(a_task_sees_no_exception_of_another);
        TRY(a_task_sees_no_exception_of_the_one_who_waits_for_it);
    }
    std::printf("%d passed, %d failed\n", 15 - bad, bad);
    return bad != 0;
}
