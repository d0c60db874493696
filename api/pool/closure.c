#include <filch/closure.h>
#include <filch/kind.h>

#include <stdatomic.h>
#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "pool/closure_private.h"
#include "sched/fiber.h"
#include "sched/region.h"
#include "sched/thread.h"
#include "sleep/party.h"

/* Captures that are too large for a closure, or that own something. */
struct filch_box {
    union {
        _Atomic(uint32_t) owners;
        struct filch_box *next; /* of one without owners, that waits for its destructor */
    };
    void (*destroy)(void *captures);
    FILCH_ALIGNED(16) unsigned char bytes[];
};

static const filch_closure empty = {.callable = NULL};

static struct filch_box *box_new(size_t bytes, void (*destroy)(void *))
{
    size_t total;
    struct filch_box *box =
        filch_add(sizeof *box, bytes, &total)
            ? filch_alloc_at(total, filch_alignment_for(bytes), offsetof(struct filch_box, bytes))
            : NULL;
    if (box) {
        atomic_init(&box->owners, 1);
        box->destroy = destroy;
    }
    return box;
}

filch_status filch_closure_make(filch_closure *out, const filch_callable *callable,
                                const void *captures, void (*destroy)(void *captures))
{
    if (!out) {
        return FILCH_EINVAL;
    }
    *out = empty;
    if (!callable || !callable->invoke || (callable->captures_bytes && !captures)) {
        return FILCH_EINVAL;
    }
    bool boxed = destroy || callable->captures_bytes > sizeof out->captures.bytes;
    if (boxed) {
        out->captures.box = box_new(callable->captures_bytes, destroy);
        if (!out->captures.box) {
            return FILCH_ENOMEM;
        }
    }
    out->boxed = boxed;
    out->callable = callable;
    if (callable->captures_bytes) {
        memcpy(boxed ? out->captures.box->bytes : out->captures.bytes, captures,
               callable->captures_bytes);
    }
    return FILCH_OK;
}

/* The function gets its own copy of plain captures, which is aligned for their size. */
static void invoke_copy(const filch_closure *closure, void *result)
{
    FILCH_ALIGNED(64) unsigned char captures[FILCH_INLINE_BYTES];
    memcpy(captures, closure->captures.bytes, sizeof captures);
    closure->callable->invoke(captures, result);
}

static void invoke_boxed(const filch_closure *closure, void *result)
{
    closure->callable->invoke(closure->captures.box->bytes, result);
}

void filch_closure_invoke(filch_closure *closure, void *result)
{
    size_t alignment = filch_alignment_for(closure->callable->captures_bytes);
    if (closure->boxed) {
        invoke_boxed(closure, result);
    } else if ((uintptr_t)closure->captures.bytes & (alignment - 1)) {
        invoke_copy(closure, result);
    } else {
        closure->callable->invoke(closure->captures.bytes, result);
    }
}

struct plain {
    int (*function)(void *);
    void *environment;
};

static void invoke_plain(void *captures, void *result)
{
    struct plain *plain = captures;
    *(int *)result = plain->function(plain->environment);
}

static const filch_function_info plain_closure_info = {
    "function",      "",  __FILE__, __LINE__, sizeof(struct plain), FILCH_TYPE(int),
    FILCH_TYPE_NONE, NULL};
static const filch_callable plain_callable = {invoke_plain, sizeof(struct plain), sizeof(int),
                                              &plain_closure_info};

filch_closure filch_closure_of(int (*function)(void *environment), void *environment)
{
    struct plain plain = {function, environment};
    filch_closure closure;
    filch_status status =
        filch_closure_make(&closure, function ? &plain_callable : NULL, &plain, NULL);
    (void)status; /* else the closure is empty, and every call refuses it */
    return closure;
}

filch_status filch_closure_call(const filch_closure *closure, void *result)
{
    if (!closure || !closure->callable || (closure->callable->result_bytes && !result)) {
        return FILCH_EINVAL;
    }
    if (closure->boxed) {
        invoke_boxed(closure, result);
    } else {
        invoke_copy(closure, result); /* a closure can be called by several at once */
    }
    return FILCH_OK;
}

filch_closure filch_closure_retain(const filch_closure *closure)
{
    if (!closure) {
        return empty;
    }
    if (closure->callable && closure->boxed) {
        /* relaxed: the caller has a reference, the box cannot go meanwhile */
        atomic_fetch_add_explicit(&closure->captures.box->owners, 1, memory_order_relaxed);
    }
    return *closure;
}

/* The destructors that a fiber or thread is about to run, in one frame: what its callers do
 * meanwhile is theirs, and so is what runs on top of it. */
struct filch_releases {
    const struct filch_frame *frame;
    struct filch_box *boxes;
};

static struct filch_box *take_box(struct filch_releases *releases)
{
    struct filch_box *box = releases->boxes;
    releases->boxes = box ? box->next : NULL;
    return box;
}

/* A destructor may release closures, whose destructors release closures, and so on to any depth:
 * those inside of one wait until it has returned. */
static void destroy_in_turn(struct filch_box *box)
{
    struct filch_party *party = filch_party_self();
    const struct filch_fiber *fiber = filch_fiber_self();
    struct filch_releases own = {.frame = fiber ? fiber->frame : NULL};
    struct filch_releases *outer = party ? party->releases : NULL;
    if (outer && outer->frame == own.frame) {
        box->next = outer->boxes;
        outer->boxes = box;
        return;
    }
    if (party) { /* else there is no memory: one inside the other */
        party->releases = &own;
    }
    do {
        box->destroy(box->bytes);
        filch_free(box);
    } while ((box = take_box(&own)));
    if (party) {
        party->releases = outer;
    }
}

static void box_release(struct filch_box *box)
{
    /* acq_rel: the last owner sees what all others did with the captures */
    if (atomic_fetch_sub_explicit(&box->owners, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (box->destroy) {
        destroy_in_turn(box);
    } else {
        filch_free(box);
    }
}

void filch_closure_release(filch_closure *closure)
{
    if (closure && closure->callable && closure->boxed) {
        box_release(closure->captures.box);
    }
    if (closure) {
        *closure = empty;
    }
}

const char *filch_closure_name(const filch_closure *closure)
{
    return closure && closure->callable && closure->callable->info ? closure->callable->info->name
                                                                   : "";
}

const char *filch_closure_doc(const filch_closure *closure)
{
    return closure && closure->callable && closure->callable->info ? closure->callable->info->doc
                                                                   : "";
}
