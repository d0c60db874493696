/* A host that knows nothing of the library loads plug-ins that contain copies of it, and unloads
 * them at moments when something of the copy is still to run. Arguments: the plug-ins. */
#include <malloc.h>
#include <pthread.h>

#include "plugin_host.h"

enum { ROUNDS = 2000, ROUNDS_FIRST = 100, BYTES_MOST = 65536 };

static void a_pool_outlives_its_plugin(const char *path)
{
    struct plugin plugin = plugin_load(path);
    void *pool = plugin.open();
    EXPECT(pool);
    plugin_unload(plugin);
    EXPECT(plugin.work(pool)); /* its threads wake up, run, and go to sleep again */
}

struct user {
    struct plugin plugin;
    pthread_barrier_t used;
    pthread_barrier_t unloaded;
};

static void *use_and_end(void *context)
{
    struct user *user = context;
    void *pool = user->plugin.open();
    EXPECT(pool && user->plugin.work(pool) && user->plugin.close(pool) == 0);
    pthread_barrier_wait(&user->used);
    pthread_barrier_wait(&user->unloaded);
    return NULL;
}

static void a_thread_that_used_a_plugin_ends_after_it(const char *path)
{
    struct user user = {.plugin = plugin_load(path)};
    pthread_t thread;
    pthread_barrier_init(&user.used, NULL, 2);
    pthread_barrier_init(&user.unloaded, NULL, 2);
    EXPECT(pthread_create(&thread, NULL, use_and_end, &user) == 0);
    pthread_barrier_wait(&user.used);
    plugin_unload(user.plugin);
    pthread_barrier_wait(&user.unloaded);
    EXPECT(pthread_join(thread, NULL) == 0);
}

static void use_once(const char *path)
{
    struct plugin plugin = plugin_load(path);
    void *pool = plugin.open();
    EXPECT(pool && plugin.work(pool) && plugin.close(pool) == 0);
    plugin_unload(plugin);
}

/* More often than there are keys for thread-specific data. */
static void loading_again_takes_nothing(const char *path)
{
    for (int i = 0; i < ROUNDS_FIRST; i++) {
        use_once(path);
    }
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < ROUNDS; i++) {
        use_once(path);
    }
    size_t after = mallinfo2().uordblks;
    EXPECT(after < before + BYTES_MOST);
}

int main(int argc, char **argv)
{
    EXPECT(argc > 1);
    for (int i = 1; i < argc; i++) {
        a_thread_that_used_a_plugin_ends_after_it(argv[i]);
        loading_again_takes_nothing(argv[i]);
        a_pool_outlives_its_plugin(argv[i]);
    }
    printf("%d passed, 0 failed\n", argc - 1);
    return 0;
}
