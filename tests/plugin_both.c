/* A host with a copy of the library of its own, and plug-ins with theirs: pools of both work side
 * by side, in threads that use both, and the plug-in is unloaded first. Arguments: the plug-ins. */
#include <pthread.h>
#include <string.h>

#include <filch/filch.h>

#include "plugin_host.h"

enum { ROUNDS = 200 };

FILCH_FUNCTION(long, host_cube, (long, x))
{
    return x * x * x;
}

static int host_works(filch_pool *pool)
{
    long in[100];
    long out[100];
    filch_future *future = NULL;
    long cube = 0;
    for (long i = 0; i < 100; i++) {
        in[i] = i;
    }
    int right = host_cube_map(pool, in, 100, out) == FILCH_OK && out[99] == 99 * 99 * 99 &&
                host_cube_apply_async(pool, 3, &future) == FILCH_OK &&
                host_cube_get(future, &cube) == FILCH_OK && cube == 27;
    filch_future_free(future);
    return right;
}

struct user {
    filch_pool *pool;
    struct plugin plugin;
    void *plugins_pool;
};

static void *use_both(void *context)
{
    struct user *user = context;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(host_works(user->pool) && user->plugin.work(user->plugins_pool));
    }
    return NULL;
}

static void *copy_here(void)
{
    void *address = NULL;
    filch_status (*open_pool)(const filch_pool_options *, filch_pool **) = filch_pool_open;
    memcpy(&address, &open_pool, sizeof address);
    return address;
}

/* A task of the host's pool calls into the plug-in's. */
FILCH_FUNCTION(int, cross, (struct user *, user))
{
    return user->plugin.work(user->plugins_pool);
}

int main(int argc, char **argv)
{
    EXPECT(argc > 1);
    for (int i = 1; i < argc; i++) {
        struct user user = {.plugin = plugin_load(argv[i])};
        pthread_t thread;
        EXPECT(filch_pool_open(&(filch_pool_options){.processes = 2}, &user.pool) == FILCH_OK);
        EXPECT((user.plugins_pool = user.plugin.open()));
        EXPECT(pthread_create(&thread, NULL, use_both, &user) == 0);
        use_both(&user);
        int crossed = 0;
        EXPECT(cross_apply(user.pool, &user, &crossed) == FILCH_OK && crossed);
        EXPECT(pthread_join(thread, NULL) == 0);
        EXPECT(user.plugin.copy() != copy_here());
        plugin_unload(user.plugin);
        EXPECT(user.plugin.work(user.plugins_pool) && host_works(user.pool));
        EXPECT(user.plugin.close(user.plugins_pool) == 0);
        EXPECT(filch_pool_free(user.pool) == FILCH_OK);
    }
    printf("%d passed, 0 failed\n", argc - 1);
    return 0;
}
