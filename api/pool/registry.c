#include <filch/registry.h>

#include <string.h>

#include "sched/process.h"

void filch_register(filch_registered *entry)
{
    struct filch_process *process = filch_process();
    if (entry) {
        filch_lock_acquire(&process->registry_lock, FILCH_RANK_REGISTRY);
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

void filch_functions_visit(bool (*visit)(void *context, const filch_callable *function),
                           void *context)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->registry_lock, FILCH_RANK_REGISTRY);
    struct filch_registered *entry = visit ? process->registered : NULL;
    /* A visit may take any lock, and wait; another thread may be the one that lets go of this. */
    filch_rank_drop(&process->registry_lock);
    while (entry && visit(context, entry->callable)) {
        entry = entry->next;
    }
    filch_rank_take(&process->registry_lock, FILCH_RANK_REGISTRY);
    filch_lock_release(&process->registry_lock);
}

struct search {
    const char *name;
    const filch_callable *found;
};

static bool is_another(void *context, const filch_callable *function)
{
    struct search *search = context;
    if (function->info && strcmp(function->info->name, search->name) == 0) {
        search->found = function;
    }
    return !search->found;
}

const filch_callable *filch_function_named(const char *name)
{
    struct search search = {name, NULL};
    if (name) {
        filch_functions_visit(is_another, &search);
    }
    return search.found;
}
