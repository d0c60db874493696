/* filch.hpp, C++: lambdas as tasks, futures of any type, exceptions that arrive where the result is
 * asked for, maps into vectors, groups and channels. */
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <filch/filch.hpp>

static std::string spelled(int digit)
{
    static const char *const names[] = {"zero", "one", "two", "three", "four"};
    if (digit < 0 || digit > 4) {
        throw std::out_of_range(std::to_string(digit) + " cannot be spelled");
    }
    return names[digit];
}

static void show_futures(filch::pool &pool)
{
    filch::future<std::string> word = pool.async([] { return spelled(3); });
    auto length = word.then([](const std::string &text) { return text.size(); });
    auto both = pool.after(
        [](const std::string &text, std::size_t n) { return text + " " + std::to_string(n); }, word,
        length);
    std::printf("%s\n", both.get().c_str());

    auto owner =
        pool.async([p = std::make_unique<int>(20)] { return std::make_unique<int>(*p + 1); });
    std::printf("%d\n", std::move(owner).then([](std::unique_ptr<int> p) { return 2 * *p; }).get());
}

static void show_exceptions(filch::pool &pool)
{
    auto word = pool.async([] { return spelled(5); });
    auto length = word.then([](const std::string &text) { return text.size(); });
    try {
        std::printf("%zu\n", length.get());
    } catch (const std::out_of_range &error) {
        std::printf("%s\n", error.what());
    }
    try {
        pool.for_each_index(6, [](std::size_t i) { spelled(static_cast<int>(i)); });
    } catch (const std::out_of_range &error) {
        std::printf("a loop: %s\n", error.what());
    }
}

static void show_loops(filch::pool &pool)
{
    std::vector<int> digits = {4, 0, 2};
    const std::vector<std::string> words = pool.map(digits, spelled);
    const auto join = [](std::string all, const std::string &word) {
        return std::move(all) + word;
    };
    std::printf("%s\n", pool.reduce(words, std::string(), join).c_str());
    pool.parallel_for(digits, [](int &digit) { digit *= digit; });
    std::printf("%d %d %d\n", digits[0], digits[1], digits[2]);
}

static void show_channels(filch::pool &pool)
{
    filch::channel<std::string> words(2);
    filch::group group(pool);
    group.spawn([&] {
        for (int digit = 0; digit < 3; digit++) {
            words.send(spelled(digit));
        }
        words.close();
    });
    while (auto word = words.receive()) {
        std::printf("%s\n", word->c_str());
    }
    group.wait();
}

int main()
{
    try {
        filch::pool pool;
        show_futures(pool);
        show_exceptions(pool);
        show_loops(pool);
        show_channels(pool);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "lambdas: %s\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
