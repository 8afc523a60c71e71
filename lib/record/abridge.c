/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/abridge.h"

#include <stddef.h>
#include <string.h>

/* The longest member other than the findings; NULL: there is none. */
static const char *longest(json_t *o)
{
    const char *name, *found = NULL;
    size_t most = 0;
    json_t *value;

    json_object_foreach(o, name, value) {
        size_t n = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);

        if (n > most && strcmp(name, "findings") != 0) {
            most = n;
            found = name;
        }
    }
    return found;
}

bool abridge(json_t *summary)
{
    const char *name;

    if (json_object_del(summary, "outliers") == 0)
        return true;
    name = longest(summary);
    return json_object_del(summary, name ? name : "findings") == 0;
}
