/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/equal.h"

#include <string.h>

#include "lib/config/upload.h"

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

static bool same_labels(const struct label *a, size_t n_a, const struct label *b, size_t n_b)
{
    for (size_t i = 0; n_a == n_b && i < n_a; i++) {
        if (!same_text(a[i].name, b[i].name) || !same_text(a[i].value, b[i].value))
            return false;
    }
    return n_a == n_b;
}

bool upload_equal(const struct upload_config *a, const struct upload_config *b)
{
    return table_equal(&upload_section, a, b) &&
           same_labels(a->tags, a->n_tags, b->tags, b->n_tags) &&
           same_labels(a->sse_context, a->n_sse_context, b->sse_context, b->n_sse_context);
}
