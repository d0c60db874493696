/* Message passing: producers send numbers through a channel, a consumer adds them up, and stops
 * when the channel is closed. A second consumer takes from whichever of two channels is first. */
#include <math.h>
#include <stdio.h>

#include <filch/filch.h>

FILCH_CHANNEL(numbers, int);

FILCH_FUNCTION(void, produce, (numbers, out), (int, first), (int, n))
{
    for (int i = first; i < first + n; i++) {
        filch_sleep(0.001);
        numbers_send(out, i);
    }
}

FILCH_FUNCTION(long, consume, (numbers, in))
{
    long sum = 0;
    int number;
    while (numbers_receive(in, &number) == FILCH_OK) {
        sum += number;
    }
    return sum;
}

FILCH_FUNCTION(int, count_both, (numbers, left), (numbers, right))
{
    int number;
    int count = 0;
    filch_case cases[] = {numbers_receiving(left, &number), numbers_receiving(right, &number)};
    while (cases[0].channel || cases[1].channel) {
        size_t chosen = 0;
        if (filch_select(cases, 2, INFINITY, &chosen) == FILCH_OK) {
            count++;
        } else {
            cases[chosen].channel = NULL; /* closed: left out from now on */
        }
    }
    return count;
}

static filch_status add_up(filch_pool *pool)
{
    numbers box;
    filch_future *sum;
    long total = 0;
    filch_status status = numbers_new(4, &box);
    if (status != FILCH_OK) {
        return status;
    }
    consume_apply_async(pool, box, &sum);
    FILCH_WITH_GROUP(producers, pool, NULL, &status) {
        for (int i = 0; i < 5; i++) {
            produce_spawn(producers, box, i * 10, 10);
        }
    }
    numbers_close(box); /* all has been sent */
    status = consume_get(sum, &total);
    printf("The sum of 50 numbers is %ld\n", total);
    filch_future_free(sum);
    numbers_free(box);
    return status;
}

static filch_status take_from_either(filch_pool *pool)
{
    numbers left;
    numbers right;
    filch_future *counted;
    int count = 0;
    filch_status status = numbers_new(0, &left);
    status = status == FILCH_OK ? numbers_new(0, &right) : status;
    if (status != FILCH_OK) {
        return status;
    }
    count_both_apply_async(pool, left, right, &counted);
    produce_apply(pool, left, 0, 3);
    numbers_close(left);
    produce_apply(pool, right, 0, 4);
    numbers_close(right);
    status = count_both_get(counted, &count);
    printf("%d numbers came from the two channels\n", count);
    filch_future_free(counted);
    numbers_free(left);
    numbers_free(right);
    return status;
}

int main(void)
{
    filch_status status;
    FILCH_WITH_POOL(pool, NULL, &status) {
        status = add_up(pool);
        status = status == FILCH_OK ? take_from_either(pool) : status;
    }
    return status == FILCH_OK ? 0 : 1;
}
