/* filch/error.hpp: how filch.hpp tells of errors: what a task threw is thrown where its result is
 * asked for, of the type that it was; all else is a filch::error. */
#ifndef FILCH_ERROR_HPP
#define FILCH_ERROR_HPP

#include <cstddef>
#include <exception>
#include <utility>

#include <filch/core.h>
#include <filch/version.h>

namespace filch
{

/* What a call of the library has answered, or what code in C raised by filch_raise(). */
class error : public std::exception
{
  public:
    /* What a call has answered. */
    explicit error(filch_status status) noexcept
        : error(filch_error{status, 0, FILCH_NO_INDEX, "", ""})
    {
    }
    /* What is known of how a task ended. */
    explicit error(const filch_error &why) noexcept : why_(why)
    {
    }
    /* The message of filch_raise(); without one filch_strerror(). */
    const char *what() const noexcept override
    {
        return why_.message[0] ? why_.message : filch_strerror(why_.status);
    }
    filch_status status() const noexcept /* FILCH_ERAISED: it was raised in C */
    {
        return why_.status;
    }
    int code() const noexcept /* of filch_raise(); else 0 */
    {
        return why_.code;
    }
    std::size_t index() const noexcept /* of the element of a loop or map; else FILCH_NO_INDEX */
    {
        return why_.index;
    }

  private:
    filch_error why_;
};

namespace detail
{

inline void check(filch_status status)
{
    if (status != FILCH_OK) {
        throw error(status);
    }
}

/* Calls function(); no exception leaves into the library, which is C: caught(exception) gets it.
 * What takes a thread's stack down (pthread_exit, pthread_cancel) is none, and has to pass. */
template <typename Function, typename Caught>
inline void contain(const Function &function, const Caught &caught)
{
    try {
        function();
    } catch (...) {
        std::exception_ptr thrown = std::current_exception();
        if (!thrown) {
            throw;
        }
        caught(std::move(thrown));
    }
}

/* How a task is called in traces and dumps: as the compiler calls its type. */
template <std::size_t N> struct text {
    char characters[N] = {};
};

template <typename Function> constexpr auto name_of()
{
    constexpr std::size_t bytes = sizeof(__PRETTY_FUNCTION__);
    text<bytes> name;
    std::size_t from = 0;
    while (from < bytes && __PRETTY_FUNCTION__[from] != '=') {
        from++;
    }
    for (std::size_t i = from + 2; i + 2 < bytes; i++) { /* behind is ']' */
        name.characters[i - from - 2] = __PRETTY_FUNCTION__[i];
    }
    return name;
}

template <typename Function> inline constexpr auto name = name_of<Function>();
template <typename Function>
inline constexpr filch_function_info info = {
    name<Function>.characters, "", "", 0, 0, {}, {}, FILCH_ABI};

} // namespace detail

} // namespace filch

#endif
