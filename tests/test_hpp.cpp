// filch.hpp, in C++17 and C++20: lambdas as tasks, values that are moved, exceptions on every path.
#include <filch/filch.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>

#include <pthread.h>

#include <filch/memory.h>

namespace
{

std::atomic<int> wrong;      // what did not hold
std::atomic<int> news;       // calls of operator new
std::atomic<bool> no_memory; // the library gets none

void expect_at(int line, bool holds, const char *what)
{
    if (!holds) {
        std::printf("line %d: %s\n", line, what);
        wrong++;
    }
}
#define EXPECT(x) expect_at(__LINE__, (x), #x)

// Counts what becomes of it.
struct counted {
    static std::atomic<int> alive;
    static std::atomic<int> copies;
    int value;

    explicit counted(int given) : value(given)
    {
        alive++;
    }
    counted(const counted &other) : value(other.value)
    {
        alive++;
        copies++;
    }
    counted(counted &&other) noexcept : value(std::exchange(other.value, -1))
    {
        alive++;
    }
    counted &operator=(counted &&other) noexcept
    {
        value = std::exchange(other.value, -1);
        return *this;
    }
    counted &operator=(const counted &other) = delete;
    ~counted()
    {
        alive--;
    }
};
std::atomic<int> counted::alive;
std::atomic<int> counted::copies;

// Of no library's types.
struct trouble {
    int number;
};

// What function() throws, if that is of the type E.
template <typename E, typename Function> std::optional<E> thrown_by(const Function &function)
{
    try {
        function();
    } catch (const E &thrown) {
        return thrown;
    } catch (...) {
    }
    return std::nullopt;
}

template <typename Function> filch_status status_of(const Function &function)
{
    const auto thrown = thrown_by<filch::error>(function);
    return thrown ? thrown->status() : FILCH_OK;
}

template <typename Function> int number_of(const Function &function)
{
    const auto thrown = thrown_by<trouble>(function);
    return thrown ? thrown->number : -1;
}

// A task that ends when it is let go.
struct gate {
    filch::channel<int> channel{1};
    filch::future<int> task;
    explicit gate(filch::pool &pool) : task(pool.async([this] { return *channel.receive(); }))
    {
    }
    void open(int with)
    {
        channel.send(with);
        task.wait();
    }
};

// ---- tasks ----

void a_lambda_is_a_task_and_its_result_a_future(filch::pool &pool)
{
    int side = 0;
    auto number = pool.async([] { return 42; });
    auto text = pool.async([word = std::string(100, 'x')] { return word + "y"; });
    filch::future<void> nothing = pool.async([&] { side = 1; });
    auto owned =
        pool.async([p = std::make_unique<int>(6)] { return std::make_unique<int>(*p + 1); });
    EXPECT(number.get() == 42);
    EXPECT(text.get().size() == 101 && text.get().back() == 'y');
    nothing.get();
    nothing.get();
    EXPECT(side == 1);
    EXPECT(*owned.get() == 7);
    EXPECT(nothing.ready() && number.valid() && !filch::future<int>().valid());
}

void a_result_stays_in_its_future_and_is_moved_out_of_a_temporary(filch::pool &pool)
{
    auto future = pool.async([] { return std::make_unique<int>(5); });
    std::unique_ptr<int> *place = &future.get();
    EXPECT(place == &future.get() && **place == 5);
    *future.get() = 6;
    std::unique_ptr<int> taken = std::move(future).get();
    EXPECT(*taken == 6);
    EXPECT(*pool.async([] { return std::make_unique<int>(7); }).get() == 7);
}

void nothing_is_copied_or_put_elsewhere(filch::pool &pool)
{
    const int before = news;
    counted::copies = 0;
    auto task = [captured = counted(1)]() mutable { return std::move(captured); };
    auto future = pool.async(std::move(task));
    auto next = std::move(future).then([](counted &&value) { return std::move(value); });
    EXPECT(next.get().value == 1);
    counted out = std::move(next).get();
    EXPECT(out.value == 1 && counted::copies == 0);
    auto kept = [captured = counted(2)] { return captured.value; };
    EXPECT(pool.async(kept).get() == 2 && counted::copies == 1); // an lvalue: it stays
    EXPECT(kept() == 2);
    EXPECT(news == before);
}

void captures_go_when_the_task_is_done_and_results_with_the_future(filch::pool &pool)
{
    {
        auto future = pool.async([captured = counted(1)] { return captured.value; });
        future.wait();
        EXPECT(counted::alive == 0);
        auto result = pool.async([] { return counted(2); });
        result.wait();
        EXPECT(counted::alive == 1);
        auto moved = std::move(result);
        result = std::move(moved);
        EXPECT(result.get().value == 2);
        pool.async([captured = counted(3)] { return counted(4); }); // its result is not wanted
    }
}

void waits_may_be_cut_short(filch::pool &pool)
{
    gate shut(pool);
    EXPECT(!shut.task.wait_for(std::chrono::microseconds(50)) && !shut.task.ready());
    shut.open(3);
    EXPECT(shut.task.wait_for(std::chrono::hours(1)) && shut.task.get() == 3);
}

void tasks_may_make_tasks(filch::pool &pool)
{
    struct fib {
        static long of(filch::pool &in, int n)
        {
            if (n < 2) {
                return n;
            }
            auto left = in.async([&in, n] { return of(in, n - 1); });
            const long right = of(in, n - 2);
            return left.get() + right;
        }
    };
    EXPECT(fib::of(pool, 15) == 610);
    EXPECT(pool.async([&pool] { return fib::of(pool, 12); }).get() == 144);
}

// ---- exceptions ----

void what_a_task_throws_is_thrown_by_get_as_it_was(filch::pool &pool)
{
    auto number = pool.async([]() -> int { throw trouble{7}; });
    auto nothing = pool.async([] { throw std::out_of_range("too far"); });
    for (int i = 0; i < 3; i++) { // each time
        EXPECT(number_of([&] { number.get(); }) == 7);
        const auto far = thrown_by<std::out_of_range>([&] { nothing.get(); });
        EXPECT(far && far->what() == std::string("too far"));
    }
    EXPECT(number_of([&] { std::move(number).get(); }) == 7);
    EXPECT(number_of([&] { pool.async([] { throw trouble{8}; }).get(); }) == 8);
    nothing.wait(); // does not throw
}

void one_exception_may_be_got_by_many(filch::pool &pool)
{
    auto future = pool.async([]() -> int { throw trouble{9}; });
    std::atomic<int> got{0};
    pool.for_each_index(100, [&](std::size_t) { got += number_of([&] { future.get(); }) == 9; });
    EXPECT(got == 100);
}

void what_a_task_throws_destroys_what_it_captured(filch::pool &pool)
{
    auto future =
        pool.async([captured = counted(1)]() -> counted { throw trouble{captured.value}; });
    EXPECT(number_of([&] { future.get(); }) == 1 && counted::alive == 0);
}

struct unmovable {
    unmovable() = default;
    unmovable(const unmovable &)
    {
        throw trouble{3};
    }
    int operator()() const
    {
        return 1;
    }
};

void what_the_move_of_a_function_throws_is_thrown_by_get(filch::pool &pool)
{
    auto future = pool.async(unmovable());
    EXPECT(number_of([&] { future.get(); }) == 3);
}

void a_task_may_handle_its_own_exceptions_and_wait_meanwhile(filch::pool &pool)
{
    auto future = pool.async([&pool] {
        try {
            throw trouble{1};
        } catch (const trouble &first) {
            const int second = number_of([&] { pool.async([] { throw trouble{2}; }).get(); });
            return first.number + second;
        }
    });
    EXPECT(future.get() == 3);
}

void an_error_raised_in_c_is_a_filch_error(filch::pool &pool)
{
    auto future = pool.async([] { return filch_raise(5, "five %s", "fingers"); });
    const auto error = thrown_by<filch::error>([&] { future.get(); });
    EXPECT(error && error->status() == FILCH_ERAISED && error->code() == 5);
    EXPECT(error && error->what() == std::string("five fingers"));
    EXPECT(filch::error(FILCH_ECLOSED).what() == std::string(filch_strerror(FILCH_ECLOSED)));
    const auto indexed = thrown_by<filch::error>([&] {
        pool.for_each_index(10, [](std::size_t i) { i == 3 ? filch_raise(6, "six") : 0; });
    });
    EXPECT(indexed && indexed->code() == 6 && indexed->index() == 3);
}

// ---- what follows ----

void then_gets_the_value_and_after_those_of_all(filch::pool &pool)
{
    auto one = pool.async([] { return std::string("one"); });
    auto two = pool.async([] { return std::make_unique<int>(2); });
    auto nothing = pool.async([] {});
    auto size = one.then([](const std::string &text) { return text.size(); });
    auto twice = std::move(size).then([](std::size_t n) { return 2 * n; });
    EXPECT(!size.valid() && twice.get() == 6);
    EXPECT(nothing.then([] { return 3; }).get() == 3);
    auto all =
        pool.after([](const std::string &a, const std::unique_ptr<int> &b) { return a[0] + *b; },
                   one, nothing, two);
    EXPECT(all.get() == 'o' + 2);
    auto taken = pool.after([](std::unique_ptr<int> b, const std::string &a) { return a[1] + *b; },
                            std::move(two), one);
    EXPECT(taken.get() == 'n' + 2 && !two.valid() && one.get() == "one");
    EXPECT(status_of([&] { pool.after([](int) {}, filch::future<int>()); }) == FILCH_EINVAL);
    EXPECT(status_of([&] { filch::future<int>().get(); }) == FILCH_EINVAL);
}

void an_exception_passes_by_what_follows(filch::pool &pool)
{
    bool called = false;
    auto fine = pool.async([] { return 1; });
    auto first = pool.async([]() -> int { throw trouble{1}; });
    auto second = pool.async([] { throw trouble{2}; });
    auto next = first.then([&](int) { called = true; }).then([&] { called = true; });
    EXPECT(number_of([&] { next.get(); }) == 1);
    auto all = pool.after([&](int, int) { called = true; }, fine, second, first);
    EXPECT(number_of([&] { all.get(); }) == 2); // the leftmost
    EXPECT(!called && number_of([&] { first.get(); }) == 1);
    EXPECT(number_of([&] { fine.then([](int) { throw trouble{4}; }).get(); }) == 4);
}

void one_that_is_cancelled_is_not_called(filch::pool &pool)
{
    gate shut(pool);
    {
        auto next = shut.task.then([captured = counted(1)](int) { return counted(2); });
        auto last = next.then([](const counted &) { return 1; });
        EXPECT(next.cancel() && !next.cancel());
        EXPECT(status_of([&] { next.get(); }) == FILCH_ECANCELED);
        EXPECT(status_of([&] { last.get(); }) == FILCH_ECANCELED);
        EXPECT(!shut.task.ready());
        shut.open(1);
    }
}

void a_pool_that_is_closed_refuses(filch::pool &pool)
{
    auto ready = pool.async([] { return 1; });
    ready.wait();
    pool.close();
    EXPECT(status_of([&] { pool.async([captured = counted(1)] {}); }) == FILCH_ECLOSED);
    EXPECT(status_of([&] { ready.then([captured = counted(1)](int) {}); }) == FILCH_ECLOSED);
    EXPECT(status_of([&] { pool.for_each_index(3, [](std::size_t) {}); }) == FILCH_ECLOSED);
    EXPECT(status_of([&] { filch::group group(pool); }) == FILCH_ECLOSED);
    EXPECT(counted::alive == 0 && ready.get() == 1);
}

void without_memory_calls_throw_and_leave_nothing(filch::pool &pool)
{
    auto ready = pool.async([] { return 1; });
    ready.wait();
    const auto refused = [](const auto &call) {
        no_memory = true;
        const filch_status status = status_of(call);
        no_memory = false;
        return status == FILCH_ENOMEM;
    };
    struct big {
        std::array<char, 5000> bytes;
        void operator()() const
        {
        }
    };
    EXPECT(refused([&] { pool.async(big()); }));
    EXPECT(refused([&] { ready.then([captured = counted(1), b = big()](int) { b(); }); }));
    EXPECT(refused([&] { filch::channel<int> channel(10000); }));
    EXPECT(counted::alive == 0);
}

// ---- loops ----

void loops_call_for_each_element_once(filch::pool &pool)
{
    std::vector<std::atomic<int>> calls(5000);
    pool.for_each_index(calls.size(), [&](std::size_t i) { calls[i]++; });
    for (const auto &count : calls) {
        EXPECT(count == 1);
    }
    int numbers[100];
    std::iota(std::begin(numbers), std::end(numbers), 0);
    pool.parallel_for(numbers, [](int &x) { x *= 2; });
    const std::vector<std::string> texts =
        pool.map(numbers, [](const int &x) { return std::to_string(x); });
    EXPECT(texts.size() == 100 && texts[7] == "14");
    std::array<std::size_t, 100> sizes = {};
    pool.map(
        texts, [](const std::string &text) { return text.size(); }, sizes.begin());
    EXPECT(sizes[0] == 1 && sizes[99] == 3);
    EXPECT(pool.map(std::vector<int>(), [](int x) { return x; }).empty());
}

void a_reduction_keeps_the_order_and_its_bits(filch::pool &pool)
{
    const std::string all(1000, 'a');
    std::vector<std::string> letters;
    for (std::size_t i = 0; i < all.size(); i++) {
        letters.push_back(std::string(1, static_cast<char>('a' + i % 26)));
    }
    const auto append = [](std::string a, const std::string &b) { return std::move(a) + b; };
    const std::string joined = pool.reduce(letters, std::string(">"), append);
    EXPECT(joined == std::accumulate(letters.begin(), letters.end(), std::string(">")));
    EXPECT(pool.reduce(std::vector<int>(), 5, [](int a, int b) { return a + b; }) == 5);
    std::vector<double> tenths(12345, 0.1);
    const auto add = [](double a, double b) { return a + b; };
    static std::atomic<double> sum_before{0};
    const double sum = pool.reduce(tenths, 0.0, add);
    const double before = sum_before.exchange(sum);
    EXPECT(before == 0 || before == sum); // with other numbers of workers
}

struct adding {
    counted operator()(counted &&a, int b) const
    {
        a.value += b;
        return std::move(a);
    }
    counted operator()(counted &&a, counted &&b) const
    {
        return (*this)(std::move(a), b.value);
    }
};

void a_reduction_moves_its_sums(filch::pool &pool)
{
    counted::copies = 0;
    const std::vector<int> numbers(1000, 1);
    EXPECT(pool.reduce(numbers, counted(5), adding()).value == 1005 && counted::copies == 0);
}

void a_loop_throws_the_exception_of_the_lowest_index(filch::pool &pool)
{
    constexpr std::size_t n = 20000;
    std::atomic<std::size_t> lowest{n};
    std::atomic<int> calls{0};
    const auto all_throw = [&](std::size_t i) {
        calls++;
        std::size_t before = lowest;
        while (i < before && !lowest.compare_exchange_weak(before, i)) {
        }
        throw trouble{static_cast<int>(i)};
    };
    const int thrown = number_of([&] { pool.for_each_index(n, all_throw); });
    EXPECT(thrown == static_cast<int>(lowest.load()));
    EXPECT(calls < static_cast<int>(n)); // those that have not begun need not run
}

void of_two_that_throw_the_lower_counts_though_it_is_later(filch::pool &pool)
{
    filch::channel<int> first_begun(1);
    filch::channel<int> second_throws(1);
    EXPECT(number_of([&] {
               pool.for_each_index(2, [&](std::size_t i) {
                   if (i == 0) {
                       first_begun.send(1);
                       second_throws.receive();
                       for (int turn = 0; turn < 100; turn++) {
                           filch_yield();
                       }
                   } else {
                       first_begun.receive();
                       second_throws.send(1);
                   }
                   throw trouble{static_cast<int>(i)};
               });
           }) == 0);
}

void exceptions_leave_every_kind_of_loop(filch::pool &pool)
{
    const std::vector<int> numbers = {1, 2, 3, 4, 5};
    const auto at_three = [](int x) {
        if (x == 3) {
            throw std::runtime_error("three");
        }
        return x;
    };
    const auto throws = [](const auto &call) {
        return thrown_by<std::runtime_error>(call).has_value();
    };
    EXPECT(throws([&] { pool.parallel_for(numbers, at_three); }));
    EXPECT(throws([&] { pool.map(numbers, at_three); }));
    EXPECT(throws([&] { pool.reduce(numbers, 0, [&](int a, int b) { return a + at_three(b); }); }));
    EXPECT(throws([&] { pool.async([&] { pool.map(numbers, at_three); }).get(); }));
    EXPECT(pool.map(numbers, [](int x) { return -x; })[4] == -5); // the pool is as it was
}

// A thread that ends in an element: its end is no exception, and is not held up.
void a_thread_may_end_in_a_loop(filch::pool &pool)
{
    pthread_t thread;
    const auto end_in_loop = [](void *in) -> void * {
        const pthread_t self = pthread_self();
        static_cast<filch::pool *>(in)->for_each_index(100, [=](std::size_t) {
            if (pthread_equal(self, pthread_self())) {
                pthread_exit(nullptr);
            }
        });
        return in;
    };
    void *result = &pool;
    EXPECT(pthread_create(&thread, nullptr, end_in_loop, &pool) == 0);
    EXPECT(pthread_join(thread, &result) == 0 && result == nullptr);
    EXPECT(pool.async([] { return 1; }).get() == 1);
}

// ---- groups, channels, calls that block ----

void tasks_of_a_group_are_done_when_it_is_left(filch::pool &pool)
{
    std::array<std::atomic<int>, 100> done = {};
    std::atomic<int> inner{0};
    {
        filch::group group(pool);
        for (auto &flag : done) {
            group.spawn([&flag, captured = counted(1)] { flag = captured.value; });
        }
        group.spawn([&] { group.spawn([&] { inner++; }); });
    }
    EXPECT(counted::alive == 0 && inner == 1);
    for (const auto &flag : done) {
        EXPECT(flag == 1);
    }
}

void a_group_throws_what_a_task_threw_first(filch::pool &pool)
{
    filch::group group(pool);
    group.spawn([captured = counted(1)] { throw trouble{captured.value}; });
    EXPECT(number_of([&] { group.wait(); }) == 1);
    group.spawn([] { throw trouble{2}; });
    EXPECT(number_of([&] { group.wait(); }) == 2);
    EXPECT(number_of([&] { group.wait(); }) == -1); // it has been thrown
    group.spawn([] { throw trouble{3}; });          // nobody asks
}

void an_exception_that_leaves_a_group_cancels_it(filch::pool &pool)
{
    std::atomic<bool> told{false};
    EXPECT(number_of([&] {
               filch::group group(pool);
               group.spawn(
                   [&, captured = counted(1)] { told = filch_sleep(1e6) == FILCH_ECANCELED; });
               throw trouble{4};
           }) == 4);
    EXPECT(counted::alive == 0);
    filch_group_options options = {};
    options.cancel_on_error = 1;
    filch::group group(pool, options);
    group.spawn([&] { told = filch_sleep(1e6) == FILCH_ECANCELED; });
    group.spawn([] { throw trouble{5}; });
    EXPECT(number_of([&] { group.wait(); }) == 5);
}

void channels_carry_what_can_be_moved(filch::pool &pool)
{
    filch::channel<std::unique_ptr<int>> channel(2);
    auto sender = pool.async([&] {
        for (int i = 0; i < 100; i++) {
            channel.send(std::make_unique<int>(i));
        }
        channel.close();
    });
    int next = 0;
    while (auto value = channel.receive()) {
        EXPECT(**value == next++);
    }
    EXPECT(next == 100);
    sender.get();
    EXPECT(status_of([&] { channel.send(nullptr); }) == FILCH_ECLOSED);
    filch::channel<counted> closed(1);
    closed.close();
    EXPECT(status_of([&] { closed.send(counted(1)); }) == FILCH_ECLOSED && counted::alive == 0);
    filch::channel<std::string> empty(0);
    EXPECT(status_of([&] { empty.receive_until(filch_in(0)); }) == FILCH_ETIMEDOUT);
}

void what_is_left_in_a_channel_goes_with_it(filch::pool &pool)
{
    filch::channel<counted> left(FILCH_UNBOUNDED);
    left.send(counted(0));
    EXPECT(left.receive()->value == 0);
    EXPECT(counted::alive == 0);
    filch::group group(pool);
    group.cancel(); // its owner is asked to stop: that must not keep values back
    {
        filch::channel<counted> channel(FILCH_UNBOUNDED);
        for (int i = 0; i < 10; i++) {
            channel.send(counted(i));
        }
        EXPECT(counted::alive == 10);
    }
    EXPECT(counted::alive == 0);
}

void blocking_returns_and_throws_what_its_function_does(filch::pool &pool)
{
    auto future = pool.async([] {
        const int five = filch::blocking([] { return 5; });
        return five + number_of([] { filch::blocking([] { throw trouble{6}; }); });
    });
    EXPECT(future.get() == 11);
}

// ---- coroutines ----

#ifdef __cpp_impl_coroutine

// Begins at once; its end is told through a channel.
struct routine {
    struct promise_type {
        filch::channel<int> *out;
        template <typename... Rest>
        explicit promise_type(filch::channel<int> &to, Rest &...) : out(&to)
        {
        }
        routine get_return_object()
        {
            return {};
        }
        std::suspend_never initial_suspend() noexcept
        {
            return {};
        }
        std::suspend_never final_suspend() noexcept
        {
            return {};
        }
        void return_value(int value)
        {
            out->send(value);
        }
        void unhandled_exception()
        {
            out->send(number_of([] { throw; }));
        }
    };
};

routine add_up(filch::channel<int> &, filch::pool &pool, filch::future<int> &one)
{
    auto two = pool.async([] { return std::make_unique<int>(2); });
    const int first = co_await one;
    const std::unique_ptr<int> second = co_await std::move(two);
    co_await pool.async([] {});
    co_return first + *second + one.get();
}

routine fail(filch::channel<int> &, filch::future<int> &bad)
{
    const counted here(1);
    co_return co_await bad;
}

routine note_status(filch::channel<int> &, filch::future<int> &awaited)
{
    int status = 0;
    try {
        co_await awaited;
    } catch (const filch::error &error) {
        status = error.status();
    }
    co_return status;
}

void a_coroutine_goes_on_when_a_future_is_ready(filch::pool &pool)
{
    filch::channel<int> out(FILCH_UNBOUNDED);
    gate shut(pool);
    add_up(out, pool, shut.task);
    EXPECT(filch_channel_count(out.native()) == 0);
    shut.open(20);
    EXPECT(out.receive() == 42);
    add_up(out, pool, shut.task); // it is ready
    EXPECT(out.receive() == 42);
}

void a_coroutine_is_thrown_what_a_future_has(filch::pool &pool)
{
    filch::channel<int> out(FILCH_UNBOUNDED);
    gate shut(pool);
    auto bad = shut.task.then([](int) -> int { throw trouble{5}; });
    fail(out, bad);
    shut.open(0);
    EXPECT(out.receive() == 5);
}

void a_coroutine_goes_on_if_its_future_or_pool_never_comes(filch::pool &pool)
{
    filch::channel<int> out(FILCH_UNBOUNDED);
    gate shut(pool);
    auto next = shut.task.then([](int x) { return x; });
    note_status(out, next);
    next.cancel();
    EXPECT(out.receive() == FILCH_ECANCELED);
    auto last = shut.task.then([](int x) { return x; });
    pool.close(); // it cannot be told when: it waits
    auto waiting = filch::pool(2);
    auto told = waiting.async([&] { note_status(out, last); });
    shut.open(1);
    EXPECT(out.receive() == 0);
}

#endif

// ---- running them ----

using test = void (*)(filch::pool &);

int failed(const char *name, test function, unsigned workers)
{
    wrong = 0;
    counted::alive = 0;
    {
        filch::pool pool(workers);
        function(pool);
    }
    EXPECT(counted::alive == 0);
    if (wrong) {
        std::printf("%s, %u workers: %d wrong\n", name, workers, wrong.load());
    }
    return wrong != 0;
}

void *get(void *, std::size_t bytes, std::size_t alignment)
{
    void *memory = nullptr;
    return no_memory || posix_memalign(&memory, alignment < 16 ? 16 : alignment, bytes) ? nullptr
                                                                                        : memory;
}

void give(void *, void *memory, std::size_t)
{
    std::free(memory);
}

} // namespace

// Not inlined: gcc would take malloc() for its counterpart.
__attribute__((noinline)) void *operator new(std::size_t bytes)
{
    news++;
    if (void *memory = std::malloc(bytes)) {
        return memory;
    }
    throw std::bad_alloc();
}

__attribute__((noinline)) void operator delete(void *memory) noexcept
{
    std::free(memory);
}

__attribute__((noinline)) void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}

int main()
{
    const filch_memory_hooks hooks = {get, give, nullptr};
    int bad = filch_memory_use(&hooks) != FILCH_OK;
    int count = 0;
    for (unsigned workers : {1u, 2u, 3u, 8u}) {
#define TRY(test) count++, bad += failed(#test, test, workers)
        TRY(a_lambda_is_a_task_and_its_result_a_future);
        TRY(a_result_stays_in_its_future_and_is_moved_out_of_a_temporary);
        TRY(nothing_is_copied_or_put_elsewhere);
        TRY(captures_go_when_the_task_is_done_and_results_with_the_future);
        TRY(waits_may_be_cut_short);
        TRY(tasks_may_make_tasks);
        TRY(what_a_task_throws_is_thrown_by_get_as_it_was);
        TRY(one_exception_may_be_got_by_many);
        TRY(what_a_task_throws_destroys_what_it_captured);
        TRY(what_the_move_of_a_function_throws_is_thrown_by_get);
        TRY(a_task_may_handle_its_own_exceptions_and_wait_meanwhile);
        TRY(an_error_raised_in_c_is_a_filch_error);
        TRY(then_gets_the_value_and_after_those_of_all);
        TRY(an_exception_passes_by_what_follows);
        TRY(one_that_is_cancelled_is_not_called);
        TRY(a_pool_that_is_closed_refuses);
        TRY(without_memory_calls_throw_and_leave_nothing);
        TRY(loops_call_for_each_element_once);
        TRY(a_reduction_keeps_the_order_and_its_bits);
        TRY(a_reduction_moves_its_sums);
        TRY(a_loop_throws_the_exception_of_the_lowest_index);
        TRY(of_two_that_throw_the_lower_counts_though_it_is_later);
        TRY(exceptions_leave_every_kind_of_loop);
        TRY(a_thread_may_end_in_a_loop);
        TRY(tasks_of_a_group_are_done_when_it_is_left);
        TRY(a_group_throws_what_a_task_threw_first);
        TRY(an_exception_that_leaves_a_group_cancels_it);
        TRY(channels_carry_what_can_be_moved);
        TRY(what_is_left_in_a_channel_goes_with_it);
        TRY(blocking_returns_and_throws_what_its_function_does);
#ifdef __cpp_impl_coroutine
        TRY(a_coroutine_goes_on_when_a_future_is_ready);
        TRY(a_coroutine_is_thrown_what_a_future_has);
        TRY(a_coroutine_goes_on_if_its_future_or_pool_never_comes);
#endif
    }
    std::printf("%d passed, %d failed\n", count - bad, bad);
    return bad != 0;
}
