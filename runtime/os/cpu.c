#include "os/cpu.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/os.h"

enum { LINE_BYTES = 4096 };

/* First line of root + directory + name into `line`. */
static bool read_line(const char *root, const char *directory, const char *name, char *line,
                      size_t bytes)
{
    char path[FILCH_PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s%s/%s", root, directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return false;
    }
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    bool read = fgets(line, (int)bytes, file) != NULL;
    fclose(file);
    return read;
}

/* Processors for `quota` microseconds in each `period`, rounded up; 0: no limit. */
static unsigned processors(long long quota, long long period)
{
    if (quota <= 0 || period <= 0) {
        return 0;
    }
    unsigned long long count = ((unsigned long long)quota - 1) / (unsigned long long)period + 1;
    return count < 1u << 20 ? (unsigned)count : 0;
}

static unsigned limit_v2(const char *root, const char *directory)
{
    char line[LINE_BYTES];
    long long quota;
    long long period;
    if (!read_line(root, directory, "cpu.max", line, sizeof line) ||
        sscanf(line, "%lld %lld", &quota, &period) != 2) {
        return 0; /* no such file, or "max 100000" */
    }
    return processors(quota, period);
}

static unsigned limit_v1(const char *root, const char *directory)
{
    char quota[LINE_BYTES];
    char period[LINE_BYTES];
    if (!read_line(root, directory, "cpu.cfs_quota_us", quota, sizeof quota) ||
        strtoll(quota, NULL, 10) <= 0 || /* -1: no limit */
        !read_line(root, directory, "cpu.cfs_period_us", period, sizeof period)) {
        return 0;
    }
    return processors(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

static void lower(struct filch_cpu *cpu, unsigned limit, enum filch_cpu_reason reason)
{
    if (limit != 0 && limit < cpu->count) {
        cpu->count = limit;
        cpu->reason = reason;
    }
}

/* Apply the limits of mount + group and of all groups above it. */
static void walk_up(struct filch_cpu *cpu, const char *root, const char *mount, const char *group,
                    enum filch_cpu_reason reason)
{
    char directory[FILCH_PATH_BYTES];
    bool is_root = strcmp(group, "/") == 0; /* whose name is the mount's */
    int length = snprintf(directory, sizeof directory, "%s%s", mount, is_root ? "" : group);
    if (length < 0 || (size_t)length >= sizeof directory) {
        return;
    }
    for (;;) {
        lower(cpu,
              reason == FILCH_CPU_CGROUP_V2 ? limit_v2(root, directory) : limit_v1(root, directory),
              reason);
        char *slash = strrchr(directory, '/');
        if (!slash || (size_t)(slash - directory) < strlen(mount)) {
            return;
        }
        *slash = '\0';
    }
}

/* Does the comma-separated list hold the word "cpu"? */
static bool has_cpu(const char *list)
{
    for (const char *word = list; word; word = strchr(word, ',')) {
        word += *word == ',';
        if (strncmp(word, "cpu", 3) == 0 && (word[3] == ',' || word[3] == '\0')) {
            return true;
        }
    }
    return false;
}

/* A line of /proc/self/cgroup: "0::/group" (v2) or "4:cpu,cpuacct:/group" (v1). */
static void apply_line(struct filch_cpu *cpu, const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) {
        return;
    }
    controllers++;
    *group++ = '\0';
    if (*controllers == '\0') {
        walk_up(cpu, root, "/sys/fs/cgroup", group, FILCH_CPU_CGROUP_V2);
        walk_up(cpu, root, "/sys/fs/cgroup/unified", group, FILCH_CPU_CGROUP_V2);
    } else if (has_cpu(controllers)) {
        walk_up(cpu, root, "/sys/fs/cgroup/cpu", group, FILCH_CPU_CGROUP_V1);
        walk_up(cpu, root, "/sys/fs/cgroup/cpu,cpuacct", group, FILCH_CPU_CGROUP_V1);
    }
}

static struct filch_cpu detect(const char *root, unsigned affinity_count)
{
    struct filch_cpu cpu = {.count = affinity_count > 0 ? affinity_count : 1,
                            .reason = FILCH_CPU_AFFINITY};
    char path[FILCH_PATH_BYTES];
    char line[LINE_BYTES];
    int length = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
    while (file && fgets(line, sizeof line, file)) {
        apply_line(&cpu, root, line);
    }
    if (file) {
        fclose(file);
    }
    return cpu;
}

struct filch_cpu filch_cpu_detect(const char *root, unsigned affinity_count)
{
    int cancel = filch_os_cancel_off(); /* the caller has a lock in hand */
    struct filch_cpu cpu = detect(root, affinity_count);
    filch_os_cancel_restore(cancel);
    return cpu;
}
