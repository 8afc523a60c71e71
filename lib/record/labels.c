/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/labels.h"

#include <stdlib.h>
#include <string.h>

static const char other[] = "other";

void labels_init(struct labels *l)
{
    *l = (struct labels){0};
}

void labels_done(struct labels *l)
{
    for (unsigned i = 0; i < l->n; i++)
        free(l->texts[i]);
    labels_init(l);
}

uint8_t labels_find(const struct labels *l, const char *text)
{
    if (!text)
        return LABELS_NONE;
    for (unsigned i = 0; i < l->n; i++) {
        if (strcmp(l->texts[i], text) == 0)
            return (uint8_t)(i + 1);
    }
    return strcmp(text, other) == 0 ? LABELS_OTHER : LABELS_NONE;
}

uint8_t labels_intern(struct labels *l, const char *text)
{
    uint8_t label = labels_find(l, text);
    char *copy;

    if (label != LABELS_NONE || !text)
        return label;
    copy = l->n < LABELS_MAX ? strdup(text) : NULL;
    if (!copy)
        return LABELS_OTHER;
    l->texts[l->n++] = copy;
    return (uint8_t)l->n;
}

const char *labels_text(const struct labels *l, uint8_t label)
{
    if (label == LABELS_NONE)
        return NULL;
    return label <= l->n ? l->texts[label - 1] : other;
}
