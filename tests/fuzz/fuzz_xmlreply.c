/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Both readers on the same bytes, whole and in pieces: every text ends within its field, what goes
 * into host names has no other bytes than it may, and the pieces do not matter.
 */

#include <string.h>

#include "lib/store/dialect/xmlreply.h"
#include "tests/fuzz/fuzz.h"

static void read_error(const uint8_t *data, size_t size, size_t step, struct xmlreply_error *e)
{
    struct xmlreply *x;

    if (xmlreply_new_error(e, &x) < 0)
        abort();
    for (size_t i = 0; i < size; i += step)
        (void)xmlreply_feed(x, data + i, size - i < step ? size - i : step);
    (void)xmlreply_finish(x);
    xmlreply_free(x);
    if (!memchr(e->message, '\0', sizeof(e->message)) || strpbrk(e->region, "/@:# ") ||
        strpbrk(e->endpoint, "/@# "))
        abort();
}

static int on_object(void *userdata, const struct xmlreply_object *o)
{
    *(size_t *)userdata += 1;
    if (o->key[0] == '\0' || strlen(o->key) >= XMLREPLY_KEY_SIZE)
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xmlreply_error whole, pieces;
    struct xmlreply_page page;
    struct xmlreply *x;
    size_t n = 0;

    read_error(data, size, size + 1, &whole);
    read_error(data, size, 7, &pieces);
    if (size <= XMLREPLY_ERROR_MAX && strcmp(whole.code, pieces.code) != 0)
        abort();
    if (xmlreply_new_list(&page, on_object, &n, &x) < 0)
        abort();
    (void)xmlreply_feed(x, data, size);
    if (xmlreply_finish(x) == 0 && page.truncated && page.next[0] == '\0')
        abort();
    xmlreply_free(x);
    return 0;
}
