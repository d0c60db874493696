#include <filch/registry.h>

#include <string.h>

#include "sched/process.h"

void filch_register(filch_registered *entry)
{
    struct filch_process *process = filch_process();
    if (entry) {
        filch_lock_acquire(&process->registry_lock, FILCH_RANK_REGISTRY);
        entry->number = ++process->last_registered;
        entry->next = process->registered;
        process->registered = entry;
        filch_lock_release(&process->registry_lock);
    }
}

void filch_unregister(filch_registered *entry)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->registry_lock, FILCH_RANK_REGISTRY);
    struct filch_registered **at = &process->registered;
    while (*at && *at != entry) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = entry->next;
    }
    filch_lock_release(&process->registry_lock);
}

/* The newest below *number, which becomes its own; NULL: there is none. */
static const filch_callable *older_than(uint64_t *number)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->registry_lock, FILCH_RANK_REGISTRY);
    const struct filch_registered *entry = process->registered;
    while (entry && entry->number >= *number) {
        entry = entry->next;
    }
    const filch_callable *callable = entry ? entry->callable : NULL;
    *number = entry ? entry->number : 0;
    filch_lock_release(&process->registry_lock);
    return callable;
}

/* The lock is not held during a visit, which may wait, and so leave it to a task that another task
 * on this thread waits for. Numbers say where the walk is, whatever comes and goes meanwhile. */
void filch_functions_visit(bool (*visit)(void *context, const filch_callable *function),
                           void *context)
{
    uint64_t number = UINT64_MAX;
    const filch_callable *callable;
    while (visit && (callable = older_than(&number)) && visit(context, callable)) {
    }
}

const filch_callable *filch_function_named(const char *name)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->registry_lock, FILCH_RANK_REGISTRY);
    const struct filch_registered *entry = name ? process->registered : NULL;
    while (entry && !(entry->callable->info && strcmp(entry->callable->info->name, name) == 0)) {
        entry = entry->next;
    }
    const filch_callable *found = entry ? entry->callable : NULL;
    filch_lock_release(&process->registry_lock);
    return found;
}
