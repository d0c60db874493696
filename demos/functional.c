/* Part 1 of the report: functions as values and as arguments, their properties, lambdas, maps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { COUNT = 5, POINTS = 3 };

FILCH_FUNCTION(int, mult, "Simple function which returns the multiplication of the inputs",
               (int, a), (int, b))
{
    return a * b;
}

static int mult_II(int x, int y)
{
    return 2 * mult(x, y);
}

/* A type for "any function of two ints": plain ones and lambdas alike. */
FILCH_SIGNATURE(binop, int, (int, a), (int, b))
FILCH_LAMBDA(binop, int, plus, (), (int, x), (int, y))
{
    return x + y;
}
FILCH_LAMBDA(binop, int, times, ((int, scale)), (int, x), (int, y))
{
    return scale * x * y;
}

static int two_times(int a, int b, binop function)
{
    return 2 * binop_call(function, a, b);
}

static int call_function(binop func, int arg1, int arg2)
{
    return binop_call(func, arg1, arg2);
}

static void call_aloud(binop func, int arg1, int arg2)
{
    printf("Calling function %s with arguments %d and %d\n", FILCH_NAME_OF(func), arg1, arg2);
    printf("The output is %d\n", call_function(func, arg1, arg2));
}

FILCH_REDUCER(int, add, (int, a), (int, b))
{
    return a + b;
}

FILCH_FUNCTION(double, gaussian_kernel, (double, x), (double, y))
{
    return exp(-(x - y) * (x - y) / 2);
}

static void print_list(const int *list, int n)
{
    for (int i = 0; i < n; i++) {
        printf("%s%d%s", i ? ", " : "[", list[i], i == n - 1 ? "]\n" : "");
    }
}

int main(void)
{
    const int a[COUNT] = {2, 4, 6, 8, 10}, b[COUNT] = {1, 3, 5, 7, 9};
    const double x[POINTS] = {1, 1, 1}, y[POINTS] = {1.0, 0.5, 0.1};
    int products[COUNT];
    int test = mult(1, 2), inner = 0;
    double value;

    printf("%d\n%d\n", test, mult_II(2, 2));
    printf("%d\n%d\n", two_times(2, 2, FILCH_AS(binop, mult)), two_times(2, 2, plus_bind()));
    printf("%s\n%s\n", mult_info.name, mult_info.doc);
    printf("%d\n", call_function(FILCH_AS(binop, mult), 1, 2));
    call_aloud(FILCH_AS(binop, mult), 1, 2);

    filch_status status = mult_map(NULL, a, b, COUNT, products);
    status = status == FILCH_OK ? add_reduce(NULL, products, COUNT, 0, &inner) : status;
    if (status != FILCH_OK) {
        fprintf(stderr, "functional: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    print_list(products, COUNT);
    printf("%d\n", inner);

    /* Nothing is computed until it is asked for. */
    gaussian_kernel_lazy_map output = gaussian_kernel_lazy(x, y, POINTS);
    for (const char *before = "["; gaussian_kernel_next(&output, &value); before = ", ") {
        printf(value == 1 ? "%s%.1f" : "%s%.16g", before, value);
    }
    printf("]\n");

    for (int i = 0; i < 3; i++) {
        products[i] = call_function(times_bind(1), i + 1, 2);
    }
    print_list(products, 3);
    return EXIT_SUCCESS;
}
