#include "os/topology.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "os/os.h"

struct processor_place {
    unsigned number;
    unsigned thread; /* how many processors of the same physical core come before it */
    long package;
    long core; /* in its package; on some machines in order of distance */
};

/* What the system says of a processor; -1: nothing. */
static long said(const char *root, unsigned number, const char *what)
{
    char path[FILCH_PATH_BYTES];
    long value = -1;
    int length = snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%u/topology/%s", root,
                          number, what);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
    if (file) {
        if (fscanf(file, "%ld", &value) != 1) {
            value = -1;
        }
        fclose(file);
    }
    return value;
}

static int compare(long long a, long long b)
{
    return (a > b) - (a < b);
}

static int by_core(const void *a, const void *b)
{
    const struct processor_place *x = a;
    const struct processor_place *y = b;
    int order = compare(x->package, y->package);
    order = order ? order : compare(x->core, y->core);
    return order ? order : compare(x->number, y->number);
}

static int by_turn(const void *a, const void *b)
{
    const struct processor_place *x = a;
    const struct processor_place *y = b;
    int order = compare(x->thread, y->thread);
    return order ? order : by_core(a, b);
}

static bool same_core(const struct processor_place *a, const struct processor_place *b)
{
    return a->core >= 0 && a->core == b->core && a->package == b->package;
}

bool filch_topology_order(struct filch_topology *places, const char *root)
{
    struct processor_place *all = filch_calloc(places->count ? places->count : 1, sizeof *all);
    if (!all) {
        return false;
    }
    for (unsigned i = 0; i < places->count; i++) {
        unsigned number = places->numbers[i];
        all[i] = (struct processor_place){.number = number,
                                          .package = said(root, number, "physical_package_id"),
                                          .core = said(root, number, "core_id")};
    }
    qsort(all, places->count, sizeof *all, by_core);
    for (unsigned i = 1; i < places->count; i++) {
        all[i].thread = same_core(&all[i - 1], &all[i]) ? all[i - 1].thread + 1 : 0;
    }
    qsort(all, places->count, sizeof *all, by_turn);
    for (unsigned i = 0; i < places->count; i++) {
        places->numbers[i] = all[i].number;
    }
    filch_free(all);
    return true;
}

static bool find_processors(struct filch_topology *places, const char *root)
{
    unsigned most = filch_os_affinity_count();
    places->count = 0;
    places->numbers = filch_calloc(most, sizeof *places->numbers);
    if (!places->numbers) {
        return false;
    }
    places->count = filch_os_processors(places->numbers, most);
    return filch_topology_order(places, root);
}

bool filch_topology_find(struct filch_topology *places, const char *root)
{
    int cancel = filch_os_cancel_off();
    bool found = find_processors(places, root);
    filch_os_cancel_restore(cancel);
    return found;
}

void filch_topology_forget(struct filch_topology *places)
{
    filch_free(places->numbers);
    places->numbers = NULL;
    places->count = 0;
}
