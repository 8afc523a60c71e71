/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/summaryvalue.h"

#include <string.h>

#include "base/parse.h"

#define PART_SIZE 128

static const json_t *item(const json_t *json, const char *part)
{
    uint64_t i;

    if (json_is_object(json))
        return json_object_get(json, part);
    return json_is_array(json) && parse_unsigned(part, UINT32_MAX, &i) == 0
             ? json_array_get(json, (size_t)i)
             : NULL;
}

bool summaryvalue_find(const json_t *summary, const char *path, double *ret)
{
    const json_t *json = summary;
    char part[PART_SIZE];

    while (json) {
        size_t n = strcspn(path, ".");

        if (n >= sizeof(part))
            return false;
        memcpy(part, path, n);
        part[n] = '\0';
        json = item(json, part);
        if (path[n] == '\0')
            break;
        path += n + 1;
    }
    if (json_is_boolean(json))
        *ret = json_is_true(json);
    else if (json_is_number(json))
        *ret = json_number_value(json);
    else
        return false;
    return true;
}
