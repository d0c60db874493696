/* Message passing: producers send numbers through a channel, a consumer adds them up, and stops
 * when the channel is closed. A second consumer takes from whichever of two channels is first. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

FILCH_CHANNEL(numbers, size_t);

FILCH_LOOP(produce, (size_t, i), (numbers, out))
{
    filch_status status = numbers_send(out, i);
    if (status != FILCH_OK) {
        filch_raise(1, "sending: %s", filch_strerror(status));
    }
}

FILCH_FUNCTION(size_t, consume, (numbers, in))
{
    size_t number, sum = 0;
    filch_status status;
    while ((status = numbers_receive(in, &number)) == FILCH_OK) {
        sum += number;
    }
    if (status != FILCH_END) {
        filch_raise(1, "receiving: %s", filch_strerror(status));
    }
    return sum;
}

FILCH_FUNCTION(size_t, count_both, (numbers, left), (numbers, right))
{
    size_t number, count = 0;
    filch_status status = FILCH_OK;
    filch_case cases[] = {numbers_receiving(left, &number, &status),
                          numbers_receiving(right, &number, &status)};
    for (int open = 2; open > 0;) {
        int chosen = filch_first(cases, 2, filch_never(), NULL);
        if (chosen < 0) {
            return filch_raise(1, "choosing: %s", filch_strerror((filch_status)-chosen)), count;
        }
        count += status == FILCH_OK;
        open -= status == FILCH_END;
        cases[chosen] = status == FILCH_END ? filch_none() : cases[chosen]; /* closed: left out */
    }
    return count;
}

/* The first of two calls that has failed: both are made, whatever becomes of the first. */
static filch_status first_error(filch_status first, filch_status second)
{
    return first != FILCH_OK ? first : second;
}

static filch_status exchange(numbers box, numbers left, numbers right)
{
    filch_future *sum = NULL;
    filch_future *counted = NULL;
    size_t total = 0, count = 0;
    filch_status status = consume_apply_async(NULL, box, &sum);
    status = first_error(status, count_both_apply_async(NULL, left, right, &counted));
    if (status == FILCH_OK) {
        status = produce_for(NULL, 50, box);
        status = first_error(status, produce_for(NULL, 3, left));
        status = first_error(status, produce_for(NULL, 4, right));
    }
    /* After an error, too: the consumers wait for it. */
    status = first_error(status, numbers_close(box));
    status = first_error(status, numbers_close(left));
    status = first_error(status, numbers_close(right));
    status = first_error(status, consume_get(sum, &total));
    status = first_error(status, count_both_get(counted, &count));
    filch_future_free(sum);
    filch_future_free(counted);
    if (status == FILCH_OK) {
        printf("The sum of 50 numbers is %zu\n", total);
        printf("%zu numbers came from the two channels\n", count);
    }
    return status;
}

int main(void)
{
    numbers box = {NULL}, left = {NULL}, right = {NULL};
    filch_status status = numbers_new(4, &box);
    status = first_error(status, numbers_new(0, &left));
    status = first_error(status, numbers_new(0, &right));
    if (status == FILCH_OK) {
        status = exchange(box, left, right);
    }
    numbers_free(box);
    numbers_free(left);
    numbers_free(right);
    if (status != FILCH_OK) {
        fprintf(stderr, "channels: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
