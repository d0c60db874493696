/* bottleneck: a program that uses two cores badly, to be looked at with filch-trace; then the same
 * without the mistake: bottleneck [fixed]. tools/trace/TUTORIAL.md goes through it. It grades
 * pictures: each is drawn, sharpened and graded, and the grades are added up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

enum { PICTURES = 64, WIDTH = 400, PIXELS = WIDTH * WIDTH };

static unsigned char pictures[PICTURES][PIXELS];

/* One row after the other: the other cores have nothing to do meanwhile. */
FILCH_FUNCTION(void, draw_all, (int, seed))
{
    for (int p = 0; p < PICTURES; p++) {
        for (int i = 0; i < PIXELS; i++) {
            pictures[p][i] = (unsigned char)((i * seed + i / WIDTH * p) >> 3);
        }
    }
}

FILCH_FUNCTION(int, draw, (int, picture))
{
    for (int i = 0; i < PIXELS; i++) {
        pictures[picture][i] = (unsigned char)((i * 7 + i / WIDTH * picture) >> 3);
    }
    return picture;
}

/* Sharpens it three times, then counts its bright pixels. */
FILCH_FUNCTION(long, grade, (int, picture))
{
    unsigned char *pixels = pictures[picture];
    long bright = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = WIDTH; i < PIXELS - WIDTH; i++) {
            int sharp = 5 * pixels[i] - pixels[i - 1] - pixels[i - WIDTH] - pixels[i + 1] -
                        pixels[i + WIDTH];
            pixels[i] = (unsigned char)(sharp < 0 ? 0 : sharp > 255 ? 255 : sharp);
        }
    }
    for (int i = 0; i < PIXELS; i++) {
        bright += pixels[i] > 128;
    }
    return bright;
}

int main(int argc, char **argv)
{
    bool fixed = argc > 1 && strcmp(argv[1], "fixed") == 0;
    int numbers[PICTURES];
    long grades[PICTURES];
    long sum = 0;
    filch_status status;
    for (int i = 0; i < PICTURES; i++) {
        numbers[i] = i;
    }
    FILCH_WITH_POOL(pool, NULL, &status) {
        status = fixed ? draw_map(pool, numbers, PICTURES, numbers) : draw_all_apply(pool, 7);
        if (status == FILCH_OK) {
            status = grade_map(pool, numbers, PICTURES, grades);
        }
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "bottleneck: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    for (int i = 0; i < PICTURES; i++) {
        sum += grades[i];
    }
    printf("The %d pictures have %ld bright pixels.\n", PICTURES, sum);
    return EXIT_SUCCESS;
}
