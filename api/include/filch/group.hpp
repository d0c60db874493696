/* filch/group.hpp: tasks that are all done when their group is left, as in group.h.
 *
 *     filch::group group(pool);
 *     group.spawn([&] { a = work(10); });
 *     group.spawn([&] { b = work(20); });
 *     group.wait();                                   throws what was thrown first
 *
 * What tasks refer to must be there when the group's object goes: declare it before. */
#ifndef FILCH_GROUP_HPP
#define FILCH_GROUP_HPP

#include <atomic>
#include <type_traits>
#include <utility>

#include <filch/group.h>
#include <filch/pool.hpp>

namespace filch
{

/* Its owner is the thread or task that makes it, which makes no other in between and ends it. */
class group
{
  public:
    /* Effect: as filch_group_open(). Throws: filch::error. */
    explicit group(pool &in, const filch_group_options &options = filch_group_options())
        : entered_(std::uncaught_exceptions())
    {
        detail::check(filch_group_open(in.native(), &options, &group_));
    }
    group(const group &) = delete;
    group &operator=(const group &) = delete;

    /* Waits for its tasks; what they threw and wait() has not is dropped. If an exception passes,
     * the group is cancelled before. */
    ~group()
    {
        if (std::uncaught_exceptions() > entered_) {
            filch_group_cancel(group_);
        }
        filch_group_close(group_, nullptr);
    }

    /* Effect: has function() called as part of the group, soon; what it returns is dropped. Small
     * ones that can be copied byte by byte lie in the group, others in memory of their own.
     * Threads: the group's owner and its tasks. */
    template <typename Function> void spawn(Function &&function)
    {
        using task = member<std::decay_t<Function>>;
        if constexpr (std::is_trivially_copyable_v<task> && sizeof(task) <= FILCH_INLINE_BYTES) {
            const task plain = {this, std::forward<Function>(function)};
            spawn_captured(&task::plain, &plain, nullptr);
        } else {
            task *owned = new task{this, std::forward<Function>(function)};
            spawn_captured(&task::owned, &owned, task::destroy);
        }
    }

    /* Effect: waits until all tasks are done. More may be spawned afterwards.
     * Throws: what a task threw first; filch::error: as filch_group_wait(). Threads: the owner.
     * Blocks. */
    void wait()
    {
        filch_error why = {};
        const filch_status status = filch_group_wait(group_, &why);
        if (thrown_) {
            has_thrown_.store(false, std::memory_order_relaxed); /* its tasks are done */
            std::rethrow_exception(std::exchange(thrown_, nullptr));
        }
        if (status == FILCH_ERAISED) {
            throw error(why);
        }
        detail::check(status);
    }
    void cancel() noexcept
    {
        filch_group_cancel(group_);
    }
    filch_group *native() const noexcept
    {
        return group_;
    }

  private:
    template <typename Function> struct member {
        group *in;
        Function function;

        void call()
        {
            detail::contain([this] { std::move(function)(); },
                            [this](std::exception_ptr thrown) { in->note(std::move(thrown)); });
        }
        static void run_plain(void *captures, void *)
        {
            static_cast<member *>(captures)->call();
        }
        static void run_owned(void *captures, void *)
        {
            (*static_cast<member **>(captures))->call();
        }
        static void destroy(void *captures)
        {
            delete *static_cast<member **>(captures);
        }
        static constexpr filch_callable plain = {run_plain, sizeof(member), 0,
                                                 &detail::info<Function>};
        static constexpr filch_callable owned = {run_owned, sizeof(member *), 0,
                                                 &detail::info<Function>};
    };

    void note(std::exception_ptr thrown) noexcept
    {
        /* relaxed: the one that is first alone writes thrown_; the wait sees it */
        if (!has_thrown_.exchange(true, std::memory_order_relaxed)) {
            thrown_ = std::move(thrown);
        }
        filch_raise(-1, "an exception");
    }
    /* captures: bytes, or a pointer to what destroy() deletes. */
    void spawn_captured(const filch_callable *callable, const void *captures,
                        void (*destroy)(void *captures))
    {
        filch_closure closure;
        filch_status status = filch_closure_make(&closure, callable, captures, destroy);
        if (status != FILCH_OK && destroy) {
            destroy(const_cast<void *>(captures));
        }
        detail::check(status);
        status = filch_group_spawn(group_, &closure, nullptr);
        filch_closure_release(&closure);
        detail::check(status);
    }

    filch_group *group_ = nullptr;
    int entered_;
    std::atomic<bool> has_thrown_{false};
    std::exception_ptr thrown_;
};

} // namespace filch

#endif
