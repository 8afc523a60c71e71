/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/moment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* A 0 of the shape matches a digit, a T also a blank, any other character itself; lengths must be
 * equal. */
static const struct form {
    const char *shape;
    const char *rest; /* what makes RFC 3339 of it */
    usec span;
} forms[] = {
    {"0000-00-00", "T00:00:00Z", USEC_PER_DAY},
    {"0000-00-00T00:00", ":00Z", USEC_PER_MIN},
    {"0000-00-00T00:00:00", "Z", USEC_PER_SEC},
    {"00:00", ":00Z", USEC_PER_MIN},
    {"00:00:00", "Z", USEC_PER_SEC},
};

static int fits(const char *text, const char *shape)
{
    for (; *shape; text++, shape++) {
        if (*shape == '0' ? *text < '0' || *text > '9'
                          : *text != *shape && !(*shape == 'T' && *text == ' '))
            return 0;
    }
    return *text == '\0';
}

/* A time of day is today's, or yesterday's if it has not come yet today. */
static int parse_form(const char *text, const struct form *f, usec now, usec *ret)
{
    char whole[CLOCK_RFC3339_SIZE + 32], today[CLOCK_RFC3339_SIZE];
    int clock_only = f->shape[2] == ':', r;
    usec time;

    (void)snprintf(whole, sizeof(whole), "%.*s%s%s", clock_only ? 11 : 0, clock_rfc3339(now, today),
                   text, f->rest);
    whole[10] = 'T';
    r = clock_parse_rfc3339(whole, &time);
    if (r < 0)
        return r;
    if (clock_only && time > now)
        time -= time < USEC_PER_DAY ? time : USEC_PER_DAY;
    *ret = time;
    return 0;
}

int moment_parse(const char *text, usec now, usec *ret_first, usec *ret_end)
{
    usec first, span = USEC_PER_SEC, back;
    int r = -EINVAL;

    if (parse_duration(text, &back) == 0) {
        *ret_first = back < now ? now - back : 0;
        *ret_end = *ret_first + 1;
        return 0;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && r < 0; i++) {
        if (fits(text, forms[i].shape)) {
            r = parse_form(text, &forms[i], now, &first);
            span = forms[i].span;
        }
    }
    if (r < 0)
        r = clock_parse_rfc3339(text, &first);
    if (r < 0)
        return -EINVAL;
    *ret_first = first;
    *ret_end = first + span;
    return 0;
}
