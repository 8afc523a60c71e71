/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/told.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/common/quantity.h"
#include "lib/value/amount.h"

/* The same with its sign before it: the words for times and counts are of what is not negative. */
static const char *negative(double value, const char *name, char out[static TOLD_SIZE])
{
    char text[TOLD_SIZE];

    (void)snprintf(out, TOLD_SIZE, "-%.*s", TOLD_SIZE - 2, told_number(-value, name, text));
    return out;
}

const char *told_number(double value, const char *name, char out[static TOLD_SIZE])
{
    const struct amount second = {1e9, AMOUNT_TIME};
    enum amount_unit unit = amount_unit(name);

    if (value < 0)
        return negative(value, name, out);
    if (unit == AMOUNT_TIME)
        return quantity_duration(quantity_whole(value / amount_in(&second, name) * 1e9), false,
                                 out);
    if (unit == AMOUNT_SIZE)
        return quantity_bytes((uint64_t)quantity_whole(value), out);
    if (unit == AMOUNT_SHARE && !strstr(name, "ratio"))
        return quantity_share(value, out);
    if (value >= 1000 || value == floor(value))
        return quantity_count((uint64_t)quantity_whole(value + 0.5), out);
    (void)snprintf(out, TOLD_SIZE, "%.3g", value);
    return out;
}

void told_value(struct buf *out, const json_t *value, const char *name)
{
    char text[TOLD_SIZE];

    if (json_is_string(value)) {
        (void)buf_adds(out, json_string_value(value));
    } else if (json_is_boolean(value)) {
        (void)buf_adds(out, json_is_true(value) ? "true" : "false");
    } else if (json_is_number(value)) {
        double number = json_number_value(value);

        (void)buf_adds(out, told_number(number, name, text));
        if (amount_unit(name) == AMOUNT_TIME)
            (void)buf_addf(out, " (%.15g)", number);
    } else {
        (void)buf_adds(out, json_is_array(value) ? "a list" : "an object");
    }
}
