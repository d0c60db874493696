/* The report's Gram matrix K(i, j) = exp(-(x_i - x_j)^2 / 2): "every possible combination of
 * pairs", a parallel loop over index pairs; and its two examples of broadcasting. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { N = 5 };

static double gaussian_kernel(double x, double y, double gamma)
{
    return exp(-(x - y) * (x - y) / (2 * gamma * gamma));
}

FILCH_LOOP(gram_element, "One pair of points", (size_t, pair), (double *, matrix),
           (const double *, x), (size_t, n), (double, gamma))
{
    matrix[pair] = gaussian_kernel(x[pair / n], x[pair % n], gamma);
}

/* sum[i][j] = a[i][j] + b[j]: a smaller array stretched over the larger one. */
FILCH_LOOP(broadcast_add, (size_t, i), (int *, sum), (const int *, a), (const int *, b),
           (size_t, b_length))
{
    sum[i] = a[i] + b[i % b_length];
}

static void print_matrix(const double *matrix, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%s", i ? " [" : "[[");
        for (size_t j = 0; j < n; j++) {
            printf("%.8e%s", matrix[i * n + j], j + 1 == n ? "]" : j == 3 ? "\n  " : " ");
        }
        printf("%s\n", i + 1 == n ? "]" : "");
    }
}

int main(void)
{
    const double x[N] = {-2, -1, 0, 1, 2};
    double matrix[N * N];
    const int row[4] = {1, 2, 3, 4};
    const int two[1] = {2};
    const int pair[2] = {1, 2};
    int sum[4];

    filch_status status = gram_element_for(NULL, N * N, matrix, x, N, 1.0);
    if (status == FILCH_OK) {
        print_matrix(matrix, N);
        status = broadcast_add_for(NULL, 4, sum, row, two, 1);
    }
    if (status == FILCH_OK) {
        printf("[%d %d %d %d]\n", sum[0], sum[1], sum[2], sum[3]);
        status = broadcast_add_for(NULL, 4, sum, row, pair, 2);
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "gram: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    printf("[[%d %d]\n [%d %d]]\n", sum[0], sum[1], sum[2], sum[3]);
    return EXIT_SUCCESS;
}
