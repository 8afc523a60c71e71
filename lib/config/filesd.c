/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/filesd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "lib/config/group.h"

/* The value of four hexadecimal digits, or -1. */
static long hex4(const char *p)
{
    long value = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* A surrogate pair such as \ud83d\ude00 (12 characters) at p; 0: none. */
static long surrogate_pair(const char *p, size_t n)
{
    long high, low;

    if (n < 12 || p[0] != '\\' || p[1] != 'u' || p[6] != '\\' || p[7] != 'u')
        return 0;
    high = hex4(p + 2);
    low = hex4(p + 8);
    if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return 0;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/*
 * Makes JSON valid YAML: JSON writes characters beyond U+FFFF as two escapes, YAML as one. As JSON
 * has backslashes only in strings, the text can be converted without parsing it.
 */
static int join_surrogates(const char *text, size_t len, struct buf *out)
{
    size_t at = 0;
    int r = 0;

    while (at < len && r == 0) {
        const char *slash = memchr(text + at, '\\', len - at);
        size_t plain = slash ? (size_t)(slash - text) - at : len - at;
        long letter;

        r = buf_add(out, text + at, plain);
        at += plain;
        if (r < 0 || at == len)
            break;
        letter = surrogate_pair(slash, len - at);
        if (letter > 0) {
            r = buf_addf(out, "\\U%08lx", (unsigned long)letter);
            at += 12;
        } else {
            size_t n = len - at < 2 ? 1 : 2;

            r = buf_add(out, slash, n);
            at += n;
        }
    }
    return r;
}

static int read_groups(struct yaml_file *f, yaml_node_t *root, void *userdata)
{
    struct target_list *list = userdata;
    bool bad = false;

    if (!root)
        return yaml_file_error(f, NULL, "the file is empty; no targets are written as []");
    if (root->type != YAML_SEQUENCE_NODE)
        return yaml_file_error(f, root, "expected a list of groups of targets, got %s%s",
                               yaml_kind(root),
                               yaml_is_null(root) ? " (null): no targets are written as []" : "");
    for (const yaml_node_item_t *item = root->data.sequence.items.start;
         item < root->data.sequence.items.top; item++) {
        const yaml_node_t *node = yaml_file_node(f, *item);
        int r = yaml_file_spend(f, node, 32);

        if (r == 0)
            r = group_read(f, node, list);
        if (r < 0 && r != -EINVAL)
            return r;
        bad = bad || r < 0;
    }
    return bad ? -EINVAL : 0;
}

static int load(const char *name, const char *text, size_t len, struct target_list *ret,
                struct diags *d)
{
    struct target_list list = {0};
    int r = yaml_file_use(name, text, len, false, read_groups, &list, d);

    if (r == 0)
        *ret = list;
    else
        target_list_done(&list);
    return r;
}

int filesd_load_json(const char *name, const char *text, size_t len, struct target_list *ret,
                     struct diags *d)
{
    struct buf joined;
    int r;

    buf_init(&joined, YAML_FILE_MAX);
    r = join_surrogates(text, len, &joined);
    if (r == 0)
        r = load(name, buf_str(&joined), joined.len, ret, d);
    else
        diags_add(d, name, 0, 0, NULL,
                  r == -ENOMEM ? "out of memory" : "the file is larger than 4MiB");
    buf_done(&joined);
    return r;
}

int filesd_load_text(const char *name, const char *text, size_t len, struct target_list *ret,
                     struct diags *d)
{
    size_t suffix = strlen(name) < 5 ? 0 : strlen(name) - 5;

    if (strcmp(name + suffix, ".json") != 0)
        return load(name, text, len, ret, d);
    return filesd_load_json(name, text, len, ret, d);
}

int filesd_load(const char *path, struct target_list *ret, struct diags *d)
{
    struct buf text;
    int r;

    r = yaml_file_read(path, &text, d);
    if (r == 0)
        r = filesd_load_text(path, buf_str(&text), text.len, ret, d);
    buf_done(&text);
    return r;
}
