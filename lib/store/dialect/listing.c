/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/dialect/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "lib/store/dialect/xmlreply.h"

struct entry {
    size_t key; /* where the key starts in `keys`, still encoded */
    uint64_t size;
    usec modified;
};

struct listing {
    const char *prefix;
    struct xmlreply *xml;
    struct xmlreply_page page;
    struct buf keys; /* a zero behind each */
    struct buf entries;
};

static int on_object(void *userdata, const struct xmlreply_object *o)
{
    struct listing *l = userdata;
    const struct entry e = {.key = l->keys.len, .size = o->size, .modified = o->last_modified};
    int r = buf_add(&l->keys, o->key, strlen(o->key) + 1);

    return r < 0 ? r : buf_add(&l->entries, &e, sizeof(e));
}

int listing_new(const char *prefix, struct listing **ret)
{
    struct listing *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->prefix = prefix;
    buf_init(&l->keys, XMLREPLY_LIST_MAX);
    buf_init(&l->entries, XMLREPLY_LIST_MAX);
    if (xmlreply_new_list(&l->page, on_object, l, &l->xml) < 0) {
        free(l);
        return -ENOMEM;
    }
    *ret = l;
    return 0;
}

void listing_free(struct listing *l)
{
    if (!l)
        return;
    xmlreply_free(l->xml);
    buf_done(&l->keys);
    buf_done(&l->entries);
    free(l);
}

int listing_feed(struct listing *l, const void *data, size_t n)
{
    return xmlreply_feed(l->xml, data, n);
}

int listing_finish(struct listing *l)
{
    int r = xmlreply_finish(l->xml);

    if (r == 0 && l->page.truncated && !l->page.next[0])
        r = -EBADMSG;
    return r;
}

const char *listing_next(const struct listing *l)
{
    return l->page.truncated ? l->page.next : NULL;
}

/* Form encoding: '+' is a blank. An invalid escape stays as it is; a zero byte ends the key. */
static void decode(char *text)
{
    char *out = text;

    for (const char *p = text; *p; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1, low = high >= 0 ? hex_digit(p[2]) : -1;

        if (low >= 0) {
            *out++ = (char)(high * 16 + low);
            p += 2;
        } else {
            *out++ = *p == '+' ? ' ' : *p;
        }
    }
    *out = '\0';
}

int listing_tell(const struct listing *l, const char *after, store_object_fn object, void *userdata)
{
    size_t n_prefix = strlen(l->prefix);
    char key[XMLREPLY_KEY_SIZE];
    int r = 0;

    for (size_t at = 0; at < l->entries.len && r == 0; at += sizeof(struct entry)) {
        struct entry e;

        memcpy(&e, l->entries.data + at, sizeof(e));
        (void)strncpy(key, l->keys.data + e.key, sizeof(key) - 1);
        key[sizeof(key) - 1] = '\0';
        if (l->page.url_encoded)
            decode(key);
        if (strncmp(key, l->prefix, n_prefix) != 0 || !key[n_prefix])
            continue;
        if (after && strcmp(key + n_prefix, after) <= 0)
            continue; /* the server ignores start-after, or there is none, as with Azure */
        r = object(userdata, key + n_prefix, e.size, e.modified);
    }
    return r;
}
