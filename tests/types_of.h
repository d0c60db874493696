/* types_of: what test_types.c does with one type of values. Included once for each, with
 *     TYPE          the type, and what the names here begin with
 *     TYPE_BYTES    its size, a number
 * No guard: it is meant to be included again. */

#define OF(name) FILCH_CAT(TYPE, _##name)
#define INSIDE(part, name) FILCH_CAT(filch_of_##part##_, OF(name))
#define EXPANDED(macro, ...) macro(__VA_ARGS__) /* of one that pastes its arguments as they are */
#define TYPE_ALIGNMENT _Alignof(TYPE)

_Static_assert(sizeof(TYPE) == TYPE_BYTES, "that is its size");

/* made(s) plus made(t), byte by byte, is made(s + t). */
static TYPE OF(made)(size_t seed)
{
    unsigned char bytes[TYPE_BYTES];
    TYPE value;
    for (size_t i = 0; i < TYPE_BYTES; i++) {
        bytes[i] = (unsigned char)(seed * (i + 1));
    }
    memcpy(&value, bytes, sizeof value);
    return value;
}

static bool OF(is)(const TYPE *value, size_t seed)
{
    const TYPE wanted = OF(made)(seed);
    return memcmp(value, &wanted, sizeof wanted) == 0;
}

static TYPE OF(plus)(TYPE a, TYPE b)
{
    unsigned char left[TYPE_BYTES];
    unsigned char right[TYPE_BYTES];
    memcpy(left, &a, sizeof a);
    memcpy(right, &b, sizeof b);
    for (size_t i = 0; i < TYPE_BYTES; i++) {
        left[i] = (unsigned char)(left[i] + right[i]);
    }
    memcpy(&a, left, sizeof a);
    return a;
}

/* Of values below 256: the first byte is the seed. */
static unsigned char OF(key)(const TYPE *value)
{
    unsigned char first;
    memcpy(&first, value, 1);
    return first;
}

static TYPE *OF(array)(size_t n)
{
    TYPE *all = array_new(n * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        all[i] = OF(made)(i);
    }
    return all;
}

/* ---- FILCH_FUNCTION ---- */

FILCH_FUNCTION(TYPE, OF(sum), (TYPE, a), (int, n), (TYPE, b))
{
    see(&a, TYPE_ALIGNMENT);
    see(&b, TYPE_ALIGNMENT);
    return OF(plus)(OF(plus)(a, b), OF(made)((size_t)n));
}

FILCH_FUNCTION(TYPE, OF(next), (TYPE, a))
{
    see(&a, TYPE_ALIGNMENT);
    return OF(plus)(a, OF(made)(1));
}

/* Where captures need another alignment than results, and are not as large. */
FILCH_FUNCTION(int, OF(key_sum), (TYPE, a), (TYPE, b))
{
    return OF(key)(&a) + OF(key)(&b);
}

FILCH_FUNCTION(TYPE, OF(numbered), (int, n))
{
    return OF(made)((size_t)n);
}

FILCH_COMPOSE(TYPE, OF(next_but_one), OF(next), OF(next), (TYPE, a))
EXPANDED(FILCH_REGISTER, OF(next));

/* The same, telling where the library has put captures and results. */
static void OF(seen_sum)(void *captures, void *result)
{
    see(captures, _Alignof(OF(sum_args)));
    see(result, TYPE_ALIGNMENT);
    INSIDE(invoke, sum)(captures, result);
}

static void OF(seen_next)(void *captures, void *result)
{
    see(captures, TYPE_ALIGNMENT);
    see(result, TYPE_ALIGNMENT);
    INSIDE(invoke, next)(captures, result);
}

static void OF(seen_key_sum)(void *captures, void *result)
{
    see(captures, TYPE_ALIGNMENT);
    see(result, _Alignof(int));
    INSIDE(invoke, key_sum)(captures, result);
}

static void OF(seen_numbered)(void *captures, void *result)
{
    see(captures, _Alignof(int));
    see(result, TYPE_ALIGNMENT);
    INSIDE(invoke, numbered)(captures, result);
}

static const filch_callable OF(key_sum_seen) = {OF(seen_key_sum), sizeof(OF(key_sum_args)),
                                                sizeof(int), &OF(key_sum_info)};
static const filch_callable OF(numbered_seen) = {OF(seen_numbered), sizeof(OF(numbered_args)),
                                                 sizeof(TYPE), &OF(numbered_info)};
static const filch_callable OF(sum_seen) = {OF(seen_sum), sizeof(OF(sum_args)), sizeof(TYPE),
                                            &OF(sum_info)};
static const filch_callable OF(next_seen) = {OF(seen_next), sizeof(OF(next_args)), sizeof(TYPE),
                                             &OF(next_info)};

static void OF(called_back)(void *context, const void *result)
{
    atomic_int *calls = context;
    see(result, TYPE_ALIGNMENT);
    check_int_eq(OF(is)(result, 12), true);
    atomic_fetch_add(calls, 1);
}

static void OF(destroyed)(void *captures)
{
    const OF(sum_args) *arguments = captures;
    see(captures, _Alignof(OF(sum_args)));
    check_int_eq(OF(is)(&arguments->b, 7), true);
}

static void OF(called)(filch_pool *pool)
{
    const TYPE a = OF(made)(4);
    const TYPE b = OF(made)(7);
    TYPE got;
    filch_future *future;
    filch_closure closure;
    check_int_eq(OF(sum_apply)(pool, a, 1, b, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, 12), true);
    check_int_eq(OF(next_but_one_apply)(pool, a, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, 6), true);
    check_int_eq(OF(sum_apply_async)(pool, a, 1, b, &future), FILCH_OK);
    check_int_eq(OF(sum_get)(future, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, 12), true);
    filch_future_free(future);
    check_int_eq(OF(sum_capture_owned)(&closure, a, 1, b, OF(destroyed)), FILCH_OK);
    check_int_eq(filch_closure_call(&closure, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, 12), true);
    filch_closure_release(&closure);
    closure = OF(next_bind)(a);
    check_int_eq(filch_closure_call(&closure, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, 5), true);
    filch_closure_release(&closure);
}

/* Every way in which the library calls a closure. */
static void OF(called_seen)(filch_pool *pool, const filch_callable *callable, const void *captures,
                            size_t wanted)
{
    atomic_int calls = 0;
    filch_options options = {
        .done = {.callback = wanted == 12 ? OF(called_back) : NULL, .context = &calls}};
    TYPE got;
    filch_future *futures[8];
    filch_closure closure;
    filch_inbox *inbox;
    filch_status status;
    check_int_eq(filch_closure_make(&closure, callable, captures, NULL), FILCH_OK);
    check_int_eq(filch_closure_call(&closure, &got), FILCH_OK);
    check_int_eq(filch_apply(pool, &closure, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, wanted), true);
    for (int i = 0; i < 8; i++) { /* malloc() gives some of them the alignment by luck */
        check_int_eq(
            filch_apply_async(filch_on(pool, i % 2 ? &options : NULL), &closure, &futures[i]),
            FILCH_OK);
    }
    for (int i = 0; i < 8; i++) {
        check_int_eq(filch_future_get(futures[i], &got, sizeof got), FILCH_OK);
        check_int_eq(OF(is)(&got, wanted), true);
        filch_future_free(futures[i]);
    }
    check_int_eq(atomic_load(&calls), wanted == 12 ? 4 : 0);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        check_int_eq(filch_group_spawn(group, &closure, NULL), FILCH_OK);
        check_int_eq(filch_group_spawn(group, &closure, &got), FILCH_OK);
        check_int_eq(filch_group_spawn(group, &closure, NULL), FILCH_OK);
    }
    check_int_eq(status, FILCH_OK);
    check_int_eq(OF(is)(&got, wanted), true);
    check_int_eq(filch_inbox_new(pool, &inbox), FILCH_OK);
    check_int_eq(filch_inbox_post(inbox, &closure, &futures[0]), FILCH_OK);
    check_int_eq(filch_inbox_serve_until(inbox, filch_in(0)), FILCH_OK);
    check_int_eq(filch_future_get(futures[0], &got, sizeof got), FILCH_OK);
    check_int_eq(OF(is)(&got, wanted), true);
    filch_future_free(futures[0]);
    filch_inbox_free(inbox);
    filch_closure_release(&closure);
}

static void OF(closures)(filch_pool *pool)
{
    OF(sum_args) sum = {.a = OF(made)(4), .n = 1, .b = OF(made)(7)};
    OF(next_args) next = {OF(made)(4)};
    OF(called)(pool);
    OF(called_seen)(pool, &OF(sum_seen), &sum, 12);
    OF(called_seen)(pool, &OF(next_seen), &next, 5);
    check_int_eq(filch_function_named(OF(next_info).name) == &OF(next_callable), true);
}

static void OF(spawned)(filch_pool *pool)
{
    TYPE got[4];
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < 4; i++) {
            check_int_eq(OF(sum_spawn)(group, OF(made)(1), i, OF(made)(2), &got[i]), FILCH_OK);
            check_int_eq(OF(next_spawn)(group, OF(made)(1), NULL), FILCH_OK);
        }
    }
    check_int_eq(status, FILCH_OK);
    for (size_t i = 0; i < 4; i++) {
        check_int_eq(OF(is)(&got[i], 3 + i), true);
    }
}

/* ---- values of signatures ---- */

FILCH_SIGNATURE(OF(unop), TYPE, (TYPE, x))

#if TYPE_BYTES <= 48
FILCH_LAMBDA(OF(unop), TYPE, OF(adding), ((TYPE, base)), (TYPE, x))
{
    see(&base, TYPE_ALIGNMENT);
    see(&x, TYPE_ALIGNMENT);
    return OF(plus)(base, x);
}
#endif
#if TYPE_BYTES <= 32
FILCH_PARTIAL(OF(unop), TYPE, OF(sum_of), OF(sum), ((TYPE, a), (int, n)), (TYPE, b))
FILCH_COMPOSITION(OF(unop), TYPE, OF(twice), OF(unop), OF(unop), (TYPE, x))
#endif

static void OF(signatures)(filch_pool *pool)
{
    TYPE got = OF(unop_call)(EXPANDED(FILCH_AS, OF(unop), OF(next)), OF(made)(4));
    (void)pool;
    check_int_eq(OF(is)(&got, 5), true);
#if TYPE_BYTES <= 48
    got = OF(unop_call)(OF(adding_bind)(OF(made)(10)), OF(made)(4));
    check_int_eq(OF(is)(&got, 14), true);
#endif
#if TYPE_BYTES <= 32
    OF(unop) sum = OF(sum_of_bind)(OF(made)(10), 20);
    got = OF(unop_call)(sum, OF(made)(4));
    check_int_eq(OF(is)(&got, 34), true);
    got = OF(unop_call)(OF(twice_bind)(&sum, &sum), OF(made)(4));
    check_int_eq(OF(is)(&got, 64), true);
#endif
}

/* ---- maps ---- */

static void OF(fill)(void *context, size_t i, OF(sum_args) *arguments)
{
    TYPE *all = context;
    see(arguments, _Alignof(OF(sum_args)));
    *arguments = (OF(sum_args)){.a = all[i], .n = 2, .b = all[i]};
}

static void OF(maps)(filch_pool *pool)
{
    enum { N = 100 };
    TYPE *all = OF(array)(N);
    TYPE *out = OF(array)(N);
    int twos[N];
    OF(next_lazy_map) lazy = OF(next_lazy)(all, N);
    filch_future *future;
    for (int i = 0; i < N; i++) {
        twos[i] = 2;
    }
    for (int way = 0; way < 4; way++) {
        memset(out, 0, N * sizeof *out);
        if (way == 0) {
            check_int_eq(OF(sum_map)(pool, all, twos, all, N, out), FILCH_OK);
        } else if (way == 1) {
            check_int_eq(OF(sum_map_from)(pool, OF(fill), all, N, out), FILCH_OK);
        } else if (way == 2) {
            check_int_eq(OF(sum_map_strided)(pool, all, sizeof *all, twos, 0, all, sizeof *all, N,
                                             out, sizeof *out),
                         FILCH_OK);
        } else {
            check_int_eq(OF(sum_map_async)(pool, all, twos, all, N, out, &future), FILCH_OK);
            check_int_eq(filch_future_wait(future), FILCH_OK);
            filch_future_free(future);
        }
        for (size_t i = 0; i < N; i++) {
            check_int_eq(OF(is)(&out[i], 2 * i + 2), true);
        }
    }
    for (size_t i = 0; OF(next_next)(&lazy, &out[0]); i++) {
        check_int_eq(OF(is)(&out[0], i + 1), true);
    }
    array_free(all);
    array_free(out);
}

/* ---- imap ---- */

static filch_status OF(generate)(void *context, OF(sum_args) *arguments)
{
    size_t *next = context;
    see(arguments, _Alignof(OF(sum_args)));
    *arguments = (OF(sum_args)){.a = OF(made)(*next), .n = 1, .b = OF(made)(*next)};
    return (*next)++ < 40 ? FILCH_OK : FILCH_END;
}

struct OF(state) {
    TYPE value;
    size_t next;
};

static filch_status OF(next_sum)(void *state, void *captures)
{
    struct OF(state) *source = state;
    see(state, _Alignof(struct OF(state)));
    return OF(generate)(&source->next, captures);
}

static filch_status OF(next_pair)(void *state, void *captures)
{
    struct OF(state) *source = state;
    see(captures, TYPE_ALIGNMENT);
    *(OF(key_sum_args) *)captures = (OF(key_sum_args)){source->value, OF(made)(source->next)};
    return source->next++ < 40 ? FILCH_OK : FILCH_END;
}

static filch_status OF(next_number)(void *state, void *captures)
{
    struct OF(state) *source = state;
    *(OF(numbered_args) *)captures = (OF(numbered_args)){(int)source->next};
    return source->next++ < 40 ? FILCH_OK : FILCH_END;
}

/* Captures of one size and alignment, results of another. */
static void OF(iterated_unlike)(filch_pool *pool, const filch_imap_options *how)
{
    const struct OF(state) state = {OF(made)(5), 0};
    const filch_source pairs = {OF(next_pair), &state, sizeof state};
    const filch_source numbers = {OF(next_number), &state, sizeof state};
    filch_iterator *it;
    int key;
    TYPE got;
    check_int_eq(filch_imap(pool, &OF(key_sum_seen), &pairs, how, &it), FILCH_OK);
    for (int i = 0; i < 40; i++) {
        check_int_eq(OF(key_sum_imap_next)(it, &key), FILCH_OK);
        check_int_eq(key, i + 5);
    }
    filch_iterator_free(it);
    check_int_eq(filch_imap(pool, &OF(numbered_seen), &numbers, how, &it), FILCH_OK);
    for (size_t i = 0; i < 40; i++) {
        check_int_eq(OF(numbered_imap_next)(it, &got), FILCH_OK);
        check_int_eq(OF(is)(&got, i), true);
    }
    filch_iterator_free(it);
}

static void OF(iterated)(filch_iterator *it)
{
    bool seen[40] = {false};
    TYPE got;
    filch_error error;
    filch_status status;
    while ((status = OF(sum_imap_next)(it, &got)) == FILCH_OK) {
        check_int_eq(filch_iterator_error(it, &error), FILCH_OK);
        check_int_eq(seen[error.index], false);
        seen[error.index] = true;
        check_int_eq(OF(is)(&got, 2 * error.index + 1), true);
    }
    check_int_eq(status, FILCH_END);
    check_int_eq(memchr(seen, false, sizeof seen) == NULL, true);
    filch_iterator_free(it);
}

static void OF(imaps)(filch_pool *pool)
{
    const filch_imap_options options = {.chunksize = 3};
    TYPE *all = OF(array)(40);
    int ones[40];
    for (int i = 0; i < 40; i++) {
        ones[i] = 1;
    }
    for (int chunks = 0; chunks < 2; chunks++) {
        size_t next = 0;
        const filch_imap_options *how = chunks ? &options : NULL;
        const struct OF(state) state = {OF(made)(0), 0};
        const filch_source source = {OF(next_sum), &state, sizeof state};
        filch_iterator *it;
        check_int_eq(OF(sum_imap)(pool, all, ones, all, 40, how, &it), FILCH_OK);
        OF(iterated)(it);
        check_int_eq(OF(sum_imap_unordered)(pool, all, ones, all, 40, how, &it), FILCH_OK);
        OF(iterated)(it);
        check_int_eq(OF(sum_imap_from)(pool, OF(generate), &next, how, &it), FILCH_OK);
        OF(iterated)(it);
        check_int_eq(filch_imap(pool, &OF(sum_seen), &source, how, &it), FILCH_OK);
        OF(iterated)(it);
        OF(iterated_unlike)(pool, how);
    }
    array_free(all);
}

/* ---- continuations and promises ---- */

FILCH_HANDLER(TYPE, OF(or_else), (TYPE, fallback))
{
    see(&fallback, TYPE_ALIGNMENT);
    return OF(plus)(fallback, OF(made)((size_t)error->code));
}

FILCH_FUNCTION(TYPE, OF(failing), (TYPE, a))
{
    filch_raise(3, "as it is meant to");
    return a;
}

static void OF(seen_on_value)(const void *captures, const void *value, void *result)
{
    see(captures, _Alignof(OF(sum_args)));
    see(value, TYPE_ALIGNMENT);
    see(result, TYPE_ALIGNMENT);
    INSIDE(on_value, sum)(captures, value, result);
}

static const filch_continuation OF(continuation_seen) = {
    OF(seen_on_value), NULL, sizeof(TYPE), sizeof(TYPE), sizeof(OF(sum_args)), &OF(sum_info)};

static void OF(seen_on_error)(const void *captures, const filch_error *error, void *result)
{
    see(captures, TYPE_ALIGNMENT);
    see(result, TYPE_ALIGNMENT);
    INSIDE(on_error, or_else)(captures, error, result);
}

static const filch_continuation OF(handler_seen) = {
    NULL, OF(seen_on_error), 0, sizeof(TYPE), sizeof(OF(or_else_args)), &OF(or_else_info)};

static void OF(seen_key_sum_on_value)(const void *captures, const void *value, void *result)
{
    see(captures, TYPE_ALIGNMENT);
    see(value, TYPE_ALIGNMENT);
    see(result, _Alignof(int));
    INSIDE(on_value, key_sum)(captures, value, result);
}

static void OF(seen_numbered_on_value)(const void *captures, const void *value, void *result)
{
    see(result, TYPE_ALIGNMENT);
    INSIDE(on_value, numbered)(captures, value, result);
}

static const filch_continuation OF(key_sum_follows) = {
    OF(seen_key_sum_on_value), NULL, sizeof(TYPE), sizeof(int), sizeof(OF(key_sum_args)),
    &OF(key_sum_info)};
static const filch_continuation OF(numbered_follows) = {
    OF(seen_numbered_on_value), NULL, sizeof(int), sizeof(TYPE), sizeof(OF(numbered_args)),
    &OF(numbered_info)};

/* From a value to a number and back. */
static void OF(there_and_back)(filch_pool *pool, filch_future *value)
{
    const OF(key_sum_args) added = {.b = OF(made)(7)};
    const OF(numbered_args) unused = {0};
    filch_future *key;
    filch_future *numbered;
    TYPE got;
    check_int_eq(filch_future_then(pool, value, &OF(key_sum_follows), &added, &key), FILCH_OK);
    check_int_eq(filch_future_then(pool, key, &OF(numbered_follows), &unused, &numbered), FILCH_OK);
    check_int_eq(OF(numbered_get)(numbered, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, 11), true);
    filch_future_free(key);
    filch_future_free(numbered);
}

/* Work that a thread has been sent. */
static void OF(posted)(filch_pool *pool)
{
    filch_closure closure = OF(next_bind)(OF(made)(3));
    filch_inbox *inbox;
    filch_future *future;
    check_int_eq(filch_inbox_new(pool, &inbox), FILCH_OK);
    check_int_eq(filch_inbox_post(inbox, &closure, &future), FILCH_OK);
    check_int_eq(filch_inbox_serve_until(inbox, filch_in(0)), FILCH_OK);
    OF(there_and_back)(pool, future);
    filch_future_free(future);
    filch_inbox_free(inbox);
    filch_closure_release(&closure);
}

static void OF(got)(filch_future *future, size_t wanted)
{
    TYPE got;
    check_int_eq(filch_future_get(future, &got, sizeof got), FILCH_OK);
    check_int_eq(OF(is)(&got, wanted), true);
    filch_future_free(future);
}

static void OF(continued)(filch_pool *pool)
{
    const OF(sum_args) sum = {.n = 1, .b = OF(made)(7)};
    const TYPE value = OF(made)(4);
    for (int i = 0; i < 4; i++) {
        filch_promise *promise;
        filch_future *promised;
        filch_future *failing;
        filch_future *next;
        check_int_eq(filch_promise_new(sizeof value, &promise, &promised), FILCH_OK);
        check_int_eq(OF(sum_then)(pool, promised, 1, OF(made)(7), &next), FILCH_OK);
        check_int_eq(filch_promise_set_value(promise, &value), FILCH_OK);
        OF(got)(next, 12);
        check_int_eq(filch_future_then(pool, promised, &OF(continuation_seen), &sum, &next),
                     FILCH_OK);
        OF(got)(next, 12);
        check_int_eq(OF(or_else_catch)(pool, promised, value, &next), FILCH_OK);
        OF(got)(next, 4);
        OF(there_and_back)(pool, promised);
        OF(posted)(pool);
        OF(got)(promised, 4);
        filch_promise_free(promise);
        check_int_eq(OF(failing_apply_async)(pool, value, &failing), FILCH_OK);
        check_int_eq(OF(or_else_catch)(pool, failing, value, &next), FILCH_OK);
        OF(got)(next, 7);
        check_int_eq(filch_future_then(pool, failing, &OF(handler_seen), &value, &next), FILCH_OK);
        OF(got)(next, 7);
        filch_future_free(failing);
    }
}

/* ---- loops ---- */

FILCH_LOOP(OF(each), (size_t, i), (TYPE, shared), (TYPE *, out))
{
    see(&shared, TYPE_ALIGNMENT);
    out[i] = OF(plus)(shared, OF(made)(i));
}

FILCH_LOOP_2D(OF(each_2d), (size_t, i), (size_t, j), (TYPE, shared), (TYPE *, out))
{
    out[10 * i + j] = OF(plus)(shared, OF(made)(10 * i + j));
}

FILCH_LOOP_3D(OF(each_3d), (size_t, i), (size_t, j), (size_t, k), (TYPE, shared), (TYPE *, out))
{
    out[25 * i + 5 * j + k] = OF(plus)(shared, OF(made)(25 * i + 5 * j + k));
}

static void OF(seen_block)(const void *environment, filch_range *range)
{
    see(environment, _Alignof(OF(each_args)));
    INSIDE(block, each)(environment, range);
}

static void OF(looped)(TYPE *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check_int_eq(OF(is)(&out[i], 9 + i), true);
        memset(&out[i], 0, sizeof *out);
    }
}

static void OF(loops)(filch_pool *pool)
{
    enum { N = 100 };
    const TYPE shared = OF(made)(9);
    const filch_body body = {OF(seen_block), sizeof(OF(each_args)), 0, &OF(each_info)};
    TYPE *out = OF(array)(N);
    const OF(each_args) arguments = {shared, out};
    filch_future *future;
    check_int_eq(OF(each_for)(pool, N, shared, out), FILCH_OK);
    OF(looped)(out, N);
    check_int_eq(OF(each_for_async)(pool, N, shared, out, &future), FILCH_OK);
    check_int_eq(filch_future_wait(future), FILCH_OK);
    filch_future_free(future);
    OF(looped)(out, N);
    for (int i = 0; i < 4; i++) {
        check_int_eq(filch_map_async(pool, &body, &arguments, N, &future), FILCH_OK);
        check_int_eq(filch_future_wait(future), FILCH_OK);
        filch_future_free(future);
        OF(looped)(out, N);
    }
    check_int_eq(OF(each_2d_for)(pool, 10, 10, shared, out), FILCH_OK);
    OF(looped)(out, N);
    check_int_eq(OF(each_3d_for)(pool, 4, 5, 5, shared, out), FILCH_OK);
    OF(looped)(out, N);
    array_free(out);
}

/* ---- algorithms ---- */

FILCH_REDUCER(TYPE, OF(total), (TYPE, a), (TYPE, b))
{
    return OF(plus)(a, b);
}

static void OF(seen_combine)(void *into, const void *elements, size_t n)
{
    see(into, TYPE_ALIGNMENT);
    see(elements, TYPE_ALIGNMENT);
    INSIDE(combined_block, total)(into, elements, n);
}

static void OF(seen_scan)(const void *prefix, const void *elements, size_t n, void *out,
                          void *total)
{
    see(prefix, TYPE_ALIGNMENT);
    see(total, TYPE_ALIGNMENT);
    INSIDE(scan_block, total)(prefix, elements, n, out, total);
}

static const filch_reducer OF(reducer_seen) = {OF(seen_combine), OF(seen_scan),   NULL,
                                               sizeof(TYPE),     &OF(total_info), false};

#if TYPE_BYTES == 64
/* So many that the leaves' totals do not fit the stack. */
static void OF(reduced_many)(filch_pool *pool)
{
    enum { MANY = 20000 };
    const TYPE zero = OF(made)(0);
    TYPE *all = OF(array)(MANY);
    TYPE got;
    check_int_eq(filch_reduce(pool, &OF(reducer_seen), all, MANY, &zero, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, (size_t)MANY * (MANY - 1) / 2), true);
    array_free(all);
}
#endif

static void OF(reduced)(filch_pool *pool)
{
    const size_t sizes[] = {0, 1, 10, 1000};
    const TYPE zero = OF(made)(0);
    TYPE *all = OF(array)(1000);
    TYPE *out = OF(array)(1000);
    TYPE got;
    for (size_t s = 0; s < 4; s++) {
        const size_t n = sizes[s];
        check_int_eq(OF(total_reduce)(pool, all, n, OF(made)(1), &got), FILCH_OK);
        check_int_eq(OF(is)(&got, 1 + n * (n ? n - 1 : 0) / 2), true);
        check_int_eq(filch_reduce(pool, &OF(reducer_seen), all, n, &zero, &got), FILCH_OK);
        check_int_eq(OF(is)(&got, n * (n ? n - 1 : 0) / 2), true);
        check_int_eq(OF(total_scan_exclusive)(pool, all, n, zero, out), FILCH_OK);
        for (size_t i = 0; i < n; i++) {
            check_int_eq(OF(is)(&out[i], i * (i ? i - 1 : 0) / 2), true);
        }
        check_int_eq(OF(total_scan)(pool, all, n, zero, out), FILCH_OK);
        check_int_eq(filch_scan(pool, &OF(reducer_seen), all, n, &zero, out), FILCH_OK);
        for (size_t i = 0; i < n; i++) {
            check_int_eq(OF(is)(&out[i], i * (i + 1) / 2), true);
        }
    }
    array_free(all);
    array_free(out);
#if TYPE_BYTES == 64
    OF(reduced_many)(pool);
#endif
}

FILCH_PREDICATE(OF(is_below), (TYPE, x), (TYPE, limit))
{
    see(&limit, TYPE_ALIGNMENT);
    return OF(key)(&x) < OF(key)(&limit);
}

static void OF(chosen)(filch_pool *pool)
{
    enum { N = 512 };
    const TYPE limit = OF(made)(200);
    TYPE *all = OF(array)(N);
    TYPE *kept = OF(array)(N);
    size_t found;
    bool answer;
    check_int_eq(OF(is_below_filter)(pool, all, N, limit, kept, &found), FILCH_OK);
    check_int_eq(found == 400, true);
    for (size_t i = 0; i < found; i++) {
        check_int_eq(OF(is)(&kept[i], i < 200 ? i : i + 56), true);
    }
    check_int_eq(OF(is_below_count)(pool, all, N, limit, &found), FILCH_OK);
    check_int_eq(found == 400, true);
    check_int_eq(OF(is_below_find)(pool, all + 200, N - 200, limit, &found), FILCH_OK);
    check_int_eq(found == 56, true);
    check_int_eq(OF(is_below_any)(pool, all, N, limit, &answer), FILCH_OK);
    check_int_eq(answer, true);
    check_int_eq(OF(is_below_all)(pool, all, N, limit, &answer), FILCH_OK);
    check_int_eq(answer, false);
    array_free(all);
    array_free(kept);
}

FILCH_ORDER(OF(before), (TYPE, a), (TYPE, b))
{
    return OF(key)(&a) < OF(key)(&b);
}

static void OF(seen_merge)(const void *a, size_t n_a, const void *b, size_t n_b, void *out)
{
    see(a, TYPE_ALIGNMENT);
    see(b, TYPE_ALIGNMENT);
    see(out, TYPE_ALIGNMENT);
    INSIDE(merge, before)(a, n_a, b, n_b, out);
}

static size_t OF(seen_best)(const void *elements, size_t n)
{
    see(elements, TYPE_ALIGNMENT);
    return INSIDE(first_greatest, before)(elements, n);
}

static void OF(shuffle)(TYPE *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        all[i] = OF(made)(i * 37 % 251);
    }
}

static void OF(ordered)(filch_pool *pool)
{
    enum { N = 1000 };
    filch_order order = OF(before_order);
    TYPE *all = OF(array)(N);
    size_t index;
    order.merge = OF(seen_merge);
    order.first_greatest = OF(seen_best);
    for (int seen = 0; seen < 2; seen++) {
        OF(shuffle)(all, N);
        check_int_eq(OF(before_min)(pool, all, N, &index), FILCH_OK);
        check_int_eq(index == 0, true);
        check_int_eq(OF(before_max)(pool, all, N, &index), FILCH_OK);
        check_int_eq(index * 37 % 251 == 250, true);
        check_int_eq(filch_max(pool, &order, all, N, &index), FILCH_OK);
        check_int_eq(index * 37 % 251 == 250, true);
        check_int_eq(seen ? filch_sort(pool, &order, all, N) : OF(before_sort)(pool, all, N),
                     FILCH_OK);
        for (size_t i = 0; i < N; i++) {
            check_int_eq(OF(is)(&all[i], OF(key)(&all[i])), true);
            check_int_eq(i && OF(key)(&all[i]) < OF(key)(&all[i - 1]), false);
        }
    }
    array_free(all);
}

/* ---- channels and pipelines ---- */

EXPANDED(FILCH_CHANNEL, OF(box), TYPE);

FILCH_FUNCTION(void, OF(sends), (OF(box), box), (int, n))
{
    for (int i = 0; i < n; i++) {
        const TYPE value = OF(made)((size_t)i);
        filch_status sent = FILCH_EPENDING;
        if (i % 2) {
            sent = OF(box_send)(box, value);
        } else {
            check_int_eq(FILCH_FIRST(filch_never(), OF(box_sending)(box, &value, &sent)), 0);
        }
        check_int_eq(sent, FILCH_OK);
    }
    check_int_eq(OF(box_close)(box), FILCH_OK);
}

static void OF(channels)(filch_pool *pool)
{
    const size_t capacities[] = {0, 3, FILCH_UNBOUNDED};
    for (int c = 0; c < 3; c++) {
        OF(box) box;
        filch_future *sender;
        TYPE got;
        size_t received = 0;
        check_int_eq(OF(box_new)(capacities[c], &box), FILCH_OK);
        check_int_eq(OF(sends_apply_async)(pool, box, 50, &sender), FILCH_OK);
        for (;; received++) {
            filch_status answer = FILCH_EPENDING;
            if (received % 3) {
                answer = OF(box_receive)(box, &got);
            } else {
                check_int_eq(FILCH_FIRST(filch_never(), OF(box_receiving)(box, &got, &answer)), 0);
            }
            if (answer != FILCH_OK) {
                break;
            }
            check_int_eq(OF(is)(&got, received), true);
        }
        check_int_eq(received == 50, true);
        check_int_eq(filch_future_get(sender, NULL, 0), FILCH_OK);
        filch_future_free(sender);
        OF(box_free)(box);
    }
}

static filch_status OF(item_made)(void *context, void *item)
{
    size_t *next = context;
    see(item, TYPE_ALIGNMENT);
    *(TYPE *)item = OF(made)(*next);
    return (*next)++ < 50 ? FILCH_OK : FILCH_END;
}

static void OF(item_changed)(void *context, void *item)
{
    (void)context;
    see(item, TYPE_ALIGNMENT);
    *(TYPE *)item = OF(plus)(*(TYPE *)item, OF(made)(5));
}

static void OF(item_checked)(void *context, void *item)
{
    size_t *next = context;
    check_int_eq(OF(is)(item, *next + 5), true);
    ++*next;
}

/* An item of another size becomes one of the type, in memory for both. */
FILCH_SOURCE(struct letter, OF(letters), (int *, next))
{
    item->text[96] = (char)*next;
    return (*next)++ < 50 ? FILCH_OK : FILCH_END;
}

FILCH_STAGE(TYPE, OF(from_letter), (struct letter, letter))
{
    return OF(made)((size_t)letter.text[96]);
}

static void OF(item_seen)(void *context, void *item)
{
    (void)context;
    see(item, TYPE_ALIGNMENT);
}

FILCH_STAGE(char, OF(to_letter), (TYPE, value), (char *, last))
{
    check_int_eq(OF(is)(&value, (size_t)*last), true);
    return ++*last;
}

static void OF(typed_pipelines)(filch_pool *pool)
{
    int next = 0;
    char last = 0;
    const filch_stage stages[] = {OF(from_letter_parallel)(),
                                  filch_stage_of(FILCH_STAGE_PARALLEL, OF(item_seen), NULL),
                                  OF(to_letter_serial)(&last)};
    check_int_eq(OF(letters_pipeline)(pool, &next, stages, 3, NULL), FILCH_OK);
    check_int_eq(last, 50);
}

static void OF(pipelines)(filch_pool *pool)
{
    size_t next = 0;
    size_t written = 0;
    const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, OF(item_changed), NULL),
                                  filch_stage_of(FILCH_STAGE_SERIAL, OF(item_checked), &written)};
    check_int_eq(filch_pipeline(pool, OF(item_made), &next, sizeof(TYPE), stages, 2, NULL),
                 FILCH_OK);
    check_int_eq(written == 50, true);
    OF(typed_pipelines)(pool);
}

/* ---- forks ---- */

#if TYPE_BYTES <= 32
/* Behind a char: as much as the slot must be packed. */
FILCH_FORK_FUNCTION(TYPE, OF(met), (char, mark), (TYPE, a))
{
    see(&a, TYPE_ALIGNMENT);
    check_int_eq(mark, 'x');
    atomic_fetch_add(&both, 1);
    await(&both, 2); /* never yields: only another worker can bring the second */
    return OF(plus)(a, OF(made)(1));
}

FILCH_FORK_FUNCTION(bool, OF(meeting), (int, seed))
{
    FILCH_FORK(stolen, OF(met), 'x', OF(made)((size_t)seed));
    const TYPE own = FILCH_CALL(OF(met), 'x', OF(made)((size_t)seed + 5));
    const TYPE others = FILCH_JOIN(stolen);
    return OF(is)(&own, (size_t)seed + 6) && OF(is)(&others, (size_t)seed + 1);
}

/* How many leaves there are, and of them the sum of what was passed down. */
FILCH_FORK_FUNCTION(TYPE, OF(tree), (TYPE, a), (int, depth))
{
    see(&a, TYPE_ALIGNMENT);
    if (depth == 0) {
        return a;
    }
    FILCH_FORK(left, OF(tree), a, depth - 1);
    const TYPE right = FILCH_CALL(OF(tree), OF(plus)(a, OF(made)(1)), depth - 1);
    return OF(plus)(FILCH_JOIN(left), right);
}

static void OF(forks)(filch_pool *pool)
{
    TYPE got;
    bool right;
    check_int_eq(OF(tree_apply)(pool, OF(made)(3), 10, &got), FILCH_OK);
    check_int_eq(OF(is)(&got, 1024 * 3 + 10 * 512), true);
    for (int i = 0; i < 5 && filch_pool_workers(pool) > 1; i++) {
        atomic_store(&both, 0);
        check_int_eq(OF(meeting_apply)(pool, i, &right), FILCH_OK);
        check_int_eq(right, true);
    }
}
#else
FILCH_FORK_FUNCTION(void, OF(tree), (const TYPE *, a), (TYPE *, out), (int, n))
{
    if (n == 1) {
        *out = OF(plus)(*a, OF(made)(1));
        return;
    }
    FILCH_FORK(left, OF(tree), a, out, n / 2);
    FILCH_CALL(OF(tree), a + n / 2, out + n / 2, n - n / 2);
    FILCH_JOIN(left);
}

static void OF(forks)(filch_pool *pool)
{
    TYPE *all = OF(array)(100);
    check_int_eq(OF(tree_apply)(pool, all, all, 100), FILCH_OK);
    for (size_t i = 0; i < 100; i++) {
        check_int_eq(OF(is)(&all[i], i + 1), true);
    }
    array_free(all);
}
#endif

#undef TYPE_ALIGNMENT
#undef OF
#undef INSIDE
#undef EXPANDED
#undef TYPE
#undef TYPE_BYTES
