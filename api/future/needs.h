/* needs: what a future that is not over waits for, or has waited for. */
#ifndef FILCH_NEEDS_H
#define FILCH_NEEDS_H

struct filch_future;

struct filch_needs_visitor {
    /* Called with each, which is there as long as that takes. */
    void (*need)(struct filch_needs_visitor *visitor, struct filch_future *need);
};

#endif
