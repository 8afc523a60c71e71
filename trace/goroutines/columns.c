/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/columns.h"

#include <string.h>

void columns_init(struct columns *c, struct texts *texts, struct memory *mem)
{
    const char *other = texts_get(texts, TEXTS_OTHER);

    c->texts = texts;
    c->list[COLUMNS_ASSIST] = (struct column){COLUMN_ASSIST, "", false};
    c->list[COLUMNS_SWEEP] = (struct column){COLUMN_SWEEP, "", false};
    c->list[COLUMNS_OTHER_BLOCK] = (struct column){COLUMN_BLOCK, other, false};
    c->list[COLUMNS_OTHER_STW] = (struct column){COLUMN_STW, other, false};
    c->n = COLUMNS_FIXED;
    handles_init(&c->by_handle, mem);
}

void columns_done(struct columns *c)
{
    handles_done(&c->by_handle);
}

void columns_generation(struct columns *c, uint32_t n_strings)
{
    handles_generation(&c->by_handle, n_strings);
}

static bool is_text(const char *text, const char *other, size_t len)
{
    return strnlen(text, len + 1) == len && memcmp(text, other, len) == 0;
}

static int find(struct columns *c, enum column_kind kind, const char *text, size_t len,
                uint16_t *ret)
{
    uint32_t number;
    int r;

    for (unsigned i = 0; i < c->n; i++) {
        if (c->list[i].kind == kind && is_text(c->list[i].text, text, len)) {
            *ret = (uint16_t)i;
            return 0;
        }
    }
    *ret = kind == COLUMN_STW ? COLUMNS_OTHER_STW : COLUMNS_OTHER_BLOCK;
    if (c->n == COLUMNS_MAX)
        return 0;
    r = texts_add(c->texts, text, len, &number);
    if (r < 0 || number == TEXTS_OTHER)
        return r;
    c->list[c->n] = (struct column){kind, texts_get(c->texts, number),
                                    kind == COLUMN_BLOCK && is_text("forever", text, len)};
    *ret = (uint16_t)c->n++;
    return 0;
}

int columns_of_new(struct columns *c, const struct gotrace *trace, enum column_kind kind,
                   uint32_t handle, uint16_t *ret)
{
    uint64_t known = 0;
    const char *text;
    size_t len;
    int r;

    if (!handles_find(&c->by_handle, handle, &known))
        known = 0; /* else the other kind is known */
    text = gotrace_string(trace, handle, &len);
    r = find(c, kind, text, len, ret);
    if (r == 0)
        handles_set(&c->by_handle, handle, known | (*ret + 1ULL) << columns_half(kind));
    return r;
}
