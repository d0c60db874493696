/* filch/blocking.hpp: calls that block in the system, as in blocking.h. */
#ifndef FILCH_BLOCKING_HPP
#define FILCH_BLOCKING_HPP

#include <utility>

#include <filch/blocking.h>

namespace filch
{

/* Effect: returns function(), while the core of the calling task goes to another thread.
 *
 *     auto address = filch::blocking([&] { return resolve(host); });
 *
 * Throws: what the function throws. Threads: any. Blocks; may migrate. */
template <typename Function> decltype(auto) blocking(Function &&function)
{
    struct section {
        section()
        {
            filch_blocking_begin();
        }
        ~section()
        {
            filch_blocking_end();
        }
        section(const section &) = delete;
        section &operator=(const section &) = delete;
    } inside;
    return std::forward<Function>(function)();
}

} // namespace filch

#endif
