/* filch/filch.hpp: filch in C++17: lambdas as tasks, results of any type, exceptions.
 *
 *     filch::pool pool;
 *     auto page = pool.async([=] { return fetch(url); });          future<std::string>
 *     auto words = page.then([](const std::string &text) { return count_words(text); });
 *     std::vector<double> roots = pool.map(numbers, [](double x) { return std::sqrt(x); });
 *     std::printf("%d\n", words.get());                            throws what a task threw
 *
 * A header over filch.h, which it can be mixed with: nothing is generated, and nothing is lost: the
 * native() of pools, futures, groups and channels is what the functions in C take. Exceptions never
 * pass through the library: they are caught where the task is called, kept, and thrown again, of
 * the type that they were, where the result is asked for. It needs exceptions to be compiled in;
 * its functions throw filch::error (error.hpp) where those in C return a status. */
#ifndef FILCH_FILCH_HPP
#define FILCH_FILCH_HPP

#include <filch/blocking.hpp>
#include <filch/channel.hpp>
#include <filch/coroutine.hpp>
#include <filch/error.hpp>
#include <filch/future.hpp>
#include <filch/group.hpp>
#include <filch/pool.hpp>

#endif
