// model.h: included before every source that a model is made of.
//
// Relacy explores the interleavings and the reorderings that the C11 memory model allows, as far as
// stores of one thread stay in program order (it has no load buffering).
#ifndef FILCH_MODEL_H
#define FILCH_MODEL_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sstream>
#include <type_traits>

#include <relacy/relacy.hpp>

#include <stdatomic.h>
#define _Static_assert(condition, text) static_assert(true, text)

// Spinning means: let another thread run.
#define FILCH_SPINS 1
#define filch_relax filch_relax_of_the_processor
#include "base/base.h"
#undef filch_relax
static inline void filch_relax() { rl::yield(1, $); }

// The deque's ring: real memory, whose entries must be constructed and destroyed.
#undef new
#undef delete
#undef calloc
#undef free
template <class Ring> Ring *model_ring_new(std::size_t bytes)
{
    Ring *ring = new (std::calloc(1, bytes + 64)) Ring();
    using entry = typename std::remove_reference<decltype(ring->entries[0])>::type;
    std::size_t count = (bytes - sizeof(Ring)) / sizeof(entry) + 1;
    for (std::size_t i = 1; i < count; i++) {
        new (&ring->entries[i]) entry();
    }
    return ring;
}
template <class Ring> void model_ring_free(Ring *ring)
{
    using entry = typename std::remove_reference<decltype(ring->entries[0])>::type;
    for (std::size_t i = ring->mask; i >= 1; i--) {
        ring->entries[i].~entry();
    }
    ring->~Ring();
    std::free(ring);
}
// An object that ends before the model does: every touch of its atomics after end() is reported.
template <class T> class mortal {
    alignas(T) unsigned char memory_[sizeof(T)];

public:
    T *begin() { return new (memory_) T(); }
    void end() { reinterpret_cast<T *>(memory_)->~T(); }
};

// No recording: its points would only be more places to switch at.
#include "model_tracer.h"

#include "base/memory.h"
#define filch_calloc(n, bytes) model_ring_new<struct filch_ring>(bytes)
#define filch_free(ring) model_ring_free(ring)

// Do futexes wake up for no reason? Only in the random runs: it makes the others endless.
extern bool model_spurious;

// Does a sleep with a deadline end by itself? One model says for which deadlines.
extern bool model_timeouts;
bool model_may_time_out(uint64_t deadline_ns);

// Run a model: all interleavings with at most `context_bound` preemptions, then random ones.
template <class Test> int model_run(const char *name, unsigned context_bound, unsigned random_runs)
{
    rl::test_params bounded;
    std::ostringstream quiet;
    bounded.search_type = rl::fair_context_bound_scheduler_type;
    bounded.context_bound = context_bound;
    bounded.execution_depth_limit = 20000;
    bounded.progress_stream = &quiet;
    rl::test_params random = bounded;
    random.search_type = rl::random_scheduler_type;
    random.iteration_count = random_runs;
    model_spurious = false;
    bool good = rl::simulate<Test>(bounded);
    model_spurious = true;
    good = good && rl::simulate<Test>(random);
    std::printf("model %s: %s, all %lu schedules at bound %u, %lu random\n", name,
                good ? "holds" : "FAILS", static_cast<unsigned long>(bounded.stop_iteration),
                context_bound, static_cast<unsigned long>(random.stop_iteration));
    return good ? 0 : 1;
}

#endif
