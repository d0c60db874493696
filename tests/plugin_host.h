/* plugin_host: a plug-in as its hosts see it. */
#ifndef FILCH_TESTS_PLUGIN_HOST_H
#define FILCH_TESTS_PLUGIN_HOST_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPECT(what)                                                                               \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

struct plugin {
    void *library;
    void *(*copy)(void);
    void *(*open)(void); /* a pool of two workers, whose threads run already */
    int (*close)(void *pool);
    int (*work)(void *pool);
};

static inline struct plugin plugin_load(const char *path)
{
    struct plugin plugin = {.library = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (!plugin.library) {
        printf("%s\n", dlerror());
        exit(1);
    }
    *(void **)&plugin.copy = dlsym(plugin.library, "plugin_copy"); /* as POSIX tells to */
    *(void **)&plugin.open = dlsym(plugin.library, "plugin_open");
    *(void **)&plugin.close = dlsym(plugin.library, "plugin_close");
    *(void **)&plugin.work = dlsym(plugin.library, "plugin_work");
    EXPECT(plugin.copy && plugin.open && plugin.close && plugin.work);
    return plugin;
}

static inline void plugin_unload(struct plugin plugin)
{
    EXPECT(dlclose(plugin.library) == 0);
}

#endif
