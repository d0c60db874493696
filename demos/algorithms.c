/* Parallel algorithms: sort, filter, count, find, scan, reduce, the least and the greatest, and a
 * loop in two dimensions. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

struct person {
    int age;
    int number;
};

FILCH_ORDER(by_age, (struct person, a), (struct person, b))
{
    return a.age < b.age;
}

FILCH_PREDICATE(is_older, (struct person, p), (int, age))
{
    return p.age > age;
}

FILCH_REDUCER(long long, add, (long long, a), (long long, b))
{
    return a + b;
}

FILCH_LOOP_2D(multiply, (size_t, i), (size_t, j), (int *, table), (size_t, n))
{
    table[i * n + j] = (int)((i + 1) * (j + 1));
}

enum { N = 100000, SIDE = 12 };

static filch_status search(filch_pool *pool, struct person *people, struct person *kept)
{
    size_t count = 0;
    size_t index = 0;
    filch_status status = is_older_find(pool, people, N, 98, &index);
    if (status == FILCH_OK) {
        printf("The first of 99 has number %d\n", people[index].number);
        status = is_older_filter(pool, people, N, 89, kept, &count);
    }
    if (status == FILCH_OK) {
        printf("%zu are 90 or older, the first of them has number %d\n", count, kept[0].number);
        status = by_age_max(pool, people, N, &index);
    }
    if (status == FILCH_OK) {
        printf("The oldest is %d\n", people[index].age);
        status = by_age_sort(pool, people, N); /* those of the same age stay in order */
    }
    return status;
}

static filch_status compute(filch_pool *pool, long long *sums, int *table)
{
    long long total = 0;
    filch_status status = add_reduce(pool, sums, N, 0, &total);
    if (status == FILCH_OK) {
        status = add_scan(pool, sums, N, 0, sums);
    }
    if (status == FILCH_OK) {
        printf("0 + 1 + ... + %d = %lld, and half way %lld\n", N - 1, total, sums[N / 2]);
        status = multiply_for(pool, SIDE, SIDE, table, SIDE);
    }
    return status;
}

int main(void)
{
    struct person *people = malloc(N * sizeof *people);
    struct person *kept = malloc(N * sizeof *kept);
    long long *sums = malloc(N * sizeof *sums);
    static int table[SIDE * SIDE];
    filch_status status = FILCH_ENOMEM;
    if (people && kept && sums) {
        for (int i = 0; i < N; i++) {
            people[i] = (struct person){(int)(i * 7919L % 100), i};
            sums[i] = i;
        }
        FILCH_WITH_POOL(pool, NULL, &status) {
            status = search(pool, people, kept);
            if (status == FILCH_OK) {
                printf("Sorted: %d with number %d, then number %d\n", people[0].age,
                       people[0].number, people[1].number);
                status = compute(pool, sums, table);
            }
        }
    }
    if (status == FILCH_OK) {
        printf("%d x %d = %d\n", SIDE, SIDE, table[SIDE * SIDE - 1]);
    } else {
        fprintf(stderr, "algorithms: %s\n", filch_strerror(status));
    }
    free(people);
    free(kept);
    free(sums);
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
