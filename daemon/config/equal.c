/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/equal.h"

#include <string.h>

#include "daemon/config/upload.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_value(const struct table_key *key, const char *a, const char *b)
{
    switch (key->type) {
    case TABLE_DURATION:
    case TABLE_SECONDS: return memcmp(a, b, sizeof(usec)) == 0;
    case TABLE_SIZE:
    case TABLE_UINT64: return memcmp(a, b, sizeof(uint64_t)) == 0;
    case TABLE_RATIO: return memcmp(a, b, sizeof(double)) == 0;
    case TABLE_UNSIGNED: return memcmp(a, b, sizeof(unsigned)) == 0;
    case TABLE_BOOL: return *(const bool *)a == *(const bool *)b;
    case TABLE_CHOICE: return memcmp(a, b, sizeof(int)) == 0;
    case TABLE_STRING:
    case TABLE_PATH:
        return same_text(*(const char *const *)(const void *)a,
                         *(const char *const *)(const void *)b);
    case TABLE_MAPPING: return table_equal(key->table, a, b);
    case TABLE_LIST:
    case TABLE_CUSTOM:
    case TABLE_REFUSED: break;
    }
    return true;
}

bool table_equal(const struct table *t, const void *a, const void *b)
{
    for (size_t i = 0; i < t->n_keys; i++) {
        const struct table_key *key = &t->keys[i];

        if (!same_value(key, (const char *)a + key->offset, (const char *)b + key->offset))
            return false;
    }
    return true;
}

bool upload_equal(const struct upload_config *a, const struct upload_config *b)
{
    if (!table_equal(&upload_section, a, b) || a->n_tags != b->n_tags)
        return false;
    for (size_t i = 0; i < a->n_tags; i++) {
        if (!same_text(a->tags[i].name, b->tags[i].name) ||
            !same_text(a->tags[i].value, b->tags[i].value))
            return false;
    }
    return true;
}
