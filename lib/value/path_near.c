/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/likeness.h"
#include "lib/value/path.h"

struct hunt {
    const char *text;
    char (*found)[PATH_SIZE];
    double likeness[PATH_NEAR];
    size_t n;
};

static void offer(struct hunt *h, const char *path)
{
    double alike = likeness_of(h->text, path);
    size_t at = h->n;

    while (at > 0 && h->likeness[at - 1] < alike)
        at--;
    if (alike < LIKENESS_LEAST || at == PATH_NEAR)
        return;
    h->n += h->n < PATH_NEAR;
    for (size_t i = h->n - 1; i > at; i--) {
        memcpy(h->found[i], h->found[i - 1], PATH_SIZE);
        h->likeness[i] = h->likeness[i - 1];
    }
    (void)snprintf(h->found[at], PATH_SIZE, "%s", path);
    h->likeness[at] = alike;
}

/* All values below `json`, whose path is the first n bytes of `path`; of a list the first item. */
static void look(struct hunt *h, json_t *json, char *path, size_t n, unsigned depth)
{
    const char *key;
    json_t *value;

    if (json_is_array(json) && json_array_size(json) > 0 && n + 4 < PATH_SIZE) {
        memcpy(path + n, "[0]", 4);
        look(h, json_array_get(json, 0), path, n + 3, depth);
    } else if (json_is_object(json) && depth < PATH_PARTS_MAX) {
        json_object_foreach(json, key, value) {
            size_t room = PATH_SIZE - n;
            int m = snprintf(path + n, room, "%s%s", n > 0 ? "." : "", key);

            if (m > 0 && (size_t)m < room)
                look(h, value, path, n + (size_t)m, depth + 1);
        }
    } else if (n > 0) {
        path[n] = '\0';
        offer(h, path);
    }
}

size_t path_near(const char *text, const json_t *document, char found[static PATH_NEAR][PATH_SIZE])
{
    struct hunt h = {.text = text, .found = found};
    char path[PATH_SIZE];

    /* jansson's iterators take no const; nothing is changed. */
    look(&h, (json_t *)(uintptr_t)document, path, 0, 0);
    return h.n;
}
