/* stdatomic.h for the models: the runtime's sources are compiled unchanged, as C++, and every
 * atomic access becomes one of the Relacy race detector's. */
#ifndef FILCH_MODEL_STDATOMIC_H
#define FILCH_MODEL_STDATOMIC_H

#define _Atomic(T) rl::atomic<T>
#define FILCH_ATOMIC(T) rl::atomic<T>

#define memory_order_relaxed rl::mo_relaxed
#define memory_order_acquire rl::mo_acquire
#define memory_order_release rl::mo_release
#define memory_order_acq_rel rl::mo_acq_rel
#define memory_order_seq_cst rl::mo_seq_cst

#define atomic_init(p, v) (p)->store(v, rl::mo_relaxed, $)
#define atomic_load_explicit(p, o) (p)->load(o, $)
#define atomic_store_explicit(p, v, o) (p)->store(v, o, $)
#define atomic_exchange_explicit(p, v, o) (p)->exchange(v, o, $)
#define atomic_fetch_add_explicit(p, v, o) (p)->fetch_add(v, o, $)
#define atomic_fetch_sub_explicit(p, v, o) (p)->fetch_sub(v, o, $)
#define atomic_fetch_and_explicit(p, v, o) (p)->fetch_and(v, o, $)
#define atomic_fetch_or_explicit(p, v, o) (p)->fetch_or(v, o, $)
#define atomic_compare_exchange_strong_explicit(p, e, d, s, f)                                     \
    (p)->compare_exchange_strong(*(e), d, s, $, f, $)
#define atomic_compare_exchange_weak_explicit(p, e, d, s, f)                                       \
    (p)->compare_exchange_weak(*(e), d, s, $, f, $)
#define atomic_thread_fence(o) rl::atomic_thread_fence(o, $)

#endif
