#include "future/fits.h"

#include <stdbool.h>
#include <stdio.h>

#include "future/task_future.h"
#include "os/log.h"
#include "pool/typed.h"

enum { WHY_BYTES = 400 };

filch_status filch_future_refuse(const filch_function_info *function, const char *verb,
                                 const char *why)
{
    char message[WHY_BYTES + 100];
    snprintf(message, sizeof message, "%.60s_%s() is refused: %s\n",
             function ? function->name : "filch_future", verb, why);
    filch_log(FILCH_LOG_WARNING, message);
    return FILCH_EINVAL;
}

static struct filch_typed typed_of_future(const filch_future *future)
{
    return filch_typed_of(future->result_bytes, future->info ? &future->info->result : NULL);
}

/* What a function takes of a future, and where. */
struct demand {
    const filch_function_info *info;
    const char *verb;    /* of the call that is refused */
    const char *does;    /* "takes", "gives" */
    const char *instead; /* what is to be called if there is no value */
    struct filch_typed taken;
};

static filch_status refuse_type(const struct demand *demand, const filch_future *future)
{
    char why[WHY_BYTES];
    char taken_text[FILCH_TYPED_TEXT];
    char given_text[FILCH_TYPED_TEXT];
    struct filch_typed given = typed_of_future(future);
    snprintf(why, sizeof why, "%.60s %s %s, but the future of %.60s gives %s%s",
             demand->info ? demand->info->name : "the function", demand->does,
             filch_typed_describe(demand->taken, taken_text),
             future->info ? future->info->name : "a promise",
             filch_typed_describe(given, given_text), given.bytes ? "" : demand->instead);
    return filch_future_refuse(demand->info, demand->verb, why);
}

filch_status filch_continuation_fits(const filch_continuation *what, const filch_future *future)
{
    const filch_function_info *info = what->info;
    const struct demand on_value = {
        info, "then", "takes", "; _after() asks for no value",
        filch_typed_of(what->value_bytes, info ? &info->parameter : NULL)};
    const struct demand on_error = {
        info, "catch", "gives", "",
        filch_typed_of(what->result_bytes, info ? &info->result : NULL)};
    const struct demand *demand = what->on_value ? &on_value : &on_error;
    bool takes_none = what->on_value && !what->value_bytes;
    return takes_none || filch_typed_fits(typed_of_future(future), demand->taken)
               ? FILCH_OK
               : refuse_type(demand, future);
}

filch_status filch_future_gives(const filch_future *future, const filch_callable *as)
{
    const struct demand demand = {
        as->info, "get", "gives", "",
        filch_typed_of(as->result_bytes, as->info ? &as->info->result : NULL)};
    return filch_typed_fits(typed_of_future(future), demand.taken) ? FILCH_OK
                                                                   : refuse_type(&demand, future);
}
