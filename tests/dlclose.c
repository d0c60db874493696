/* A plug-in host: loads the shared library, has a pool's threads running, unloads it, and goes on.
 * The threads' code must stay where it is. Argument: the library. */
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

#include <filch/pool.h>

typedef filch_status open_function(const filch_pool_options *options, filch_pool **pool);

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    open_function *open_pool = NULL;
    filch_pool *pool;
    if (library) {
        *(void **)&open_pool = dlsym(library, "filch_pool_open"); /* as POSIX tells to */
    }
    if (!open_pool ||
        open_pool(&(filch_pool_options){.processes = 2, .eager_threads = 1}, &pool) != FILCH_OK) {
        printf("could not open a pool in %s\n", argc > 1 ? argv[1] : "nothing");
        return 1;
    }
    dlclose(library);
    for (int i = 0; i < 20; i++) { /* its threads look about and sleep meanwhile */
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    printf("1 passed, 0 failed\n");
    return 0;
}
