/* topology: the processors that bound workers stay on, in the order in which they are filled: one
 * processor of each physical core first, package by package, so that no two workers share a core
 * while another is free; then the cores' second processors, and so on. The system describes itself
 * in sys/devices/system/cpu, which is where hwloc has it from, too; where it does not, the order is
 * that of their numbers. */
#ifndef FILCH_TOPOLOGY_H
#define FILCH_TOPOLOGY_H

#include <stdbool.h>

#include "base/private.h"

struct filch_topology {
    unsigned *numbers; /* of processors */
    unsigned count;    /* 0: the system knows none */
};

/* Those of the process's affinity mask. `root` is "", or for tests the top of a tree that has
 * sys/devices/system/cpu. False: no memory. */
FILCH_PRIVATE bool filch_topology_find(struct filch_topology *places, const char *root);

/* Put them in order; known by their numbers. False: no memory, they are as they were. */
FILCH_PRIVATE bool filch_topology_order(struct filch_topology *places, const char *root);

FILCH_PRIVATE void filch_topology_forget(struct filch_topology *places);

#endif
