#include "sleep/party.h"

#include "base/assert.h"
#include "base/base.h"
#include "os/os.h"
#include "os/rank.h"

static const uint32_t held_bit = (uint32_t)1 << 31;

void filch_party_begin_wait(struct filch_party *party, const struct filch_wait_kind *kind,
                            void *context, struct filch_waiter *waiter, bool forever)
{
    /* relaxed: the party alone changes it while it does not wait */
    uint32_t word = atomic_load_explicit(&party->word, memory_order_relaxed);
    FILCH_ASSERT(kind && !(word & 1) && !(word & held_bit)); /* one wait at a time */
    party->kind = kind;
    party->context = context;
    party->waiter = waiter;
    party->forever = forever;
    /* release: pairs with the acquire in filch_party_hold */
    atomic_store_explicit(&party->word, (word + 1) & ~held_bit, memory_order_release);
}

void filch_party_end_wait(struct filch_party *party)
{
    /* relaxed: as above, but for the top bit */
    uint32_t waits = atomic_load_explicit(&party->word, memory_order_relaxed) & ~held_bit;
    uint32_t expected = waits;
    FILCH_ASSERT(waits & 1);
    /* acquire: pairs with the release in filch_party_let_go; one that looked at us is done */
    for (int i = 0;
         !atomic_compare_exchange_weak_explicit(&party->word, &expected, (waits + 1) & ~held_bit,
                                                memory_order_acquire, memory_order_relaxed);
         i++) {
        expected = waits;
        if (i >= FILCH_SPINS) {
            filch_os_yield();
        }
    }
}

bool filch_party_hold(struct filch_party *party, uint32_t *wait)
{
    /* relaxed: checked by the exchange */
    uint32_t word = atomic_load_explicit(&party->word, memory_order_relaxed);
    if (word & held_bit || !(word & 1) || (*wait && word != *wait)) {
        return false;
    }
    *wait = word;
    /* acquire: pairs with the release in filch_party_begin_wait */
    bool held = atomic_compare_exchange_strong_explicit(&party->word, &word, word | held_bit,
                                                        memory_order_acquire, memory_order_relaxed);
    if (held) {
        filch_rank_take_party();
    }
    return held;
}

bool filch_party_hold_surely(struct filch_party *party)
{
    filch_rank_check(party, FILCH_RANK_PARTY);
    for (int i = 0;; i++) {
        uint32_t any = 0;
        if (filch_party_hold(party, &any)) {
            return true;
        }
        /* relaxed: whether it waits; what it waits for is read when it is held_bit */
        if (!(atomic_load_explicit(&party->word, memory_order_relaxed) & 1)) {
            return false;
        }
        if (i >= FILCH_SPINS) {
            filch_os_yield();
        }
    }
}

void filch_party_let_go(struct filch_party *party)
{
    filch_rank_drop_party();
    /* release: pairs with the acquire in filch_party_end_wait */
    uint32_t word = atomic_fetch_and_explicit(&party->word, ~held_bit, memory_order_release);
    FILCH_ASSERT(word & held_bit);
}
