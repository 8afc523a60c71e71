/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/near.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/likeness.h"

void near_init(struct near *s)
{
    *s = (struct near){0};
}

void near_done(struct near *s)
{
    free(s->names);
    near_init(s);
}

static void keep(struct near *s)
{
    size_t cap = s->cap ? 2 * s->cap : 64;
    void *names;

    s->part[s->len] = '\0';
    if (s->n > 0 && strcmp(s->names[s->n - 1], s->part) == 0)
        return;
    if (s->n == s->cap) {
        names = s->n < NEAR_NAMES_MAX ? reallocarray(s->names, cap, sizeof(*s->names)) : NULL;
        if (!names)
            return;
        s->names = names;
        s->cap = cap;
    }
    memcpy(s->names[s->n++], s->part, s->len + 1);
}

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == ':';
}

void near_feed(struct near *s, const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\n') {
            s->skips = false;
            s->len = 0;
        } else if (!s->skips && is_of_name(data[i]) && s->len < NEAR_NAME_MAX) {
            s->part[s->len++] = data[i];
        } else if (!s->skips) {
            s->skips = true;
            if (s->len > 0 && s->len < NEAR_NAME_MAX)
                keep(s);
        }
    }
}

static bool is_with(const char *name, const char *base, const char *end)
{
    size_t n = strlen(base);

    return strncmp(name, base, n) == 0 && strcmp(name + n, end) == 0;
}

bool near_has_with(const struct near *s, const char *name, const char *end)
{
    for (size_t i = 0; i < s->n; i++) {
        if (is_with(s->names[i], name, end))
            return true;
    }
    return false;
}

bool near_has(const struct near *s, const char *name)
{
    return near_has_with(s, name, "") || near_has_with(s, name, "_bucket");
}

static void without_end(char *name)
{
    static const char *const ends[] = {"_bucket", "_sum", "_count"};
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t m = strlen(ends[i]);

        if (n > m && strcmp(name + n - m, ends[i]) == 0) {
            name[n - m] = '\0';
            return;
        }
    }
}

size_t near_find(const struct near *s, const char *name,
                 char found[static NEAR_FOUND][NEAR_NAME_MAX + 1])
{
    double likeness[NEAR_FOUND];
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        char base[NEAR_NAME_MAX + 1];
        double alike;
        size_t at = n;
        bool known = false;

        (void)snprintf(base, sizeof(base), "%s", s->names[i]);
        without_end(base);
        alike = likeness_of(name, base);
        for (size_t k = 0; k < n; k++)
            known = known || strcmp(found[k], base) == 0;
        while (at > 0 && likeness[at - 1] < alike)
            at--;
        if (known || alike < LIKENESS_LEAST || at == NEAR_FOUND)
            continue;
        n += n < NEAR_FOUND;
        for (size_t k = n - 1; k > at; k--) {
            memcpy(found[k], found[k - 1], sizeof(found[k]));
            likeness[k] = likeness[k - 1];
        }
        memcpy(found[at], base, sizeof(base));
        likeness[at] = alike;
    }
    return n;
}
