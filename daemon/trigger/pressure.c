/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/pressure.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define OVER_ENOUGH 2
#define CALM_SHARE 0.75 /* of the limit */

/* Finds the line that begins with `word` and a blank. Returns the text after the word; NULL: there
 * is no such line. */
static const char *find_line(const char *text, const char *word)
{
    size_t n = strlen(word);

    while (text) {
        if (strncmp(text, word, n) == 0 && text[n] == ' ')
            return text + n;
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return NULL;
}

int pressure_parse(const char *text, double *ret_share)
{
    static const char name[] = " avg10=";
    const char *line = find_line(text, "some");
    const char *value = line ? strstr(line, name) : NULL, *end = line ? strchr(line, '\n') : NULL;
    char number[16];
    double percent;
    size_t n;

    if (!value || (end && value > end))
        return -EINVAL;
    value += strlen(name);
    n = strcspn(value, " \n");
    if (n >= sizeof(number))
        return -EINVAL;
    memcpy(number, value, n);
    number[n] = '\0';
    if (parse_decimal(number, &percent) < 0 || percent > 100)
        return -EINVAL;
    *ret_share = percent / 100;
    return 0;
}

void pressure_init(struct pressure *p, double limit)
{
    *p = (struct pressure){.limit = limit};
}

bool pressure_feed(struct pressure *p, double share, usec now)
{
    bool low = share < CALM_SHARE * p->limit;

    p->over = share >= p->limit ? p->over + 1 : 0;
    if (low && !p->calm)
        p->calm_since = now;
    p->calm = low;
    if (p->over >= OVER_ENOUGH)
        p->high = true;
    else if (low && now - p->calm_since >= PRESSURE_CALM)
        p->high = false;
    return p->high;
}
