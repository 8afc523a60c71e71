/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/relabel/relabel.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lib/relabel/letters.h"
#include "lib/relabel/relabel_state.h"

#define DROPPED 0
#define KEPT 1

/* What an action works on: the joined values of the source labels, and room for its results. */
struct work {
    struct labelset *ls;
    struct labelset_item *items; /* all labels, for actions that go through them; of LABELSET_MAX */
    struct buf value, name, result;
};

typedef int (*action_fn)(const struct relabel_rule *rule, struct work *w);

static int join(const struct relabel_rule *rule, struct work *w)
{
    int r = 0;

    buf_clear(&w->value);
    for (size_t i = 0; r == 0 && i < rule->n_source_labels; i++) {
        if (i > 0)
            r = buf_adds(&w->value, rule->separator);
        if (r == 0)
            r = buf_adds(&w->value, labelset_get(w->ls, rule->source_labels[i]));
    }
    return r;
}

static int do_replace(const struct relabel_rule *rule, struct work *w)
{
    const char *value = buf_str(&w->value);
    int r;

    if (*value == '\0' && rule->plain) {
        labelset_set(w->ls, rule->target_label, rule->replacement);
        return KEPT;
    }
    r = regex_match(rule->regex, value);
    if (r <= 0)
        return r < 0 ? r : KEPT;
    buf_clear(&w->name);
    buf_clear(&w->result);
    r = regex_expand(rule->regex, rule->target_label, &w->name);
    if (r == 0)
        r = regex_expand(rule->regex, rule->replacement, &w->result);
    if (r < 0)
        return r;
    if (labelset_is_name(buf_str(&w->name)))
        labelset_set(w->ls, buf_str(&w->name), buf_str(&w->result));
    return KEPT;
}

static int do_keep(const struct relabel_rule *rule, struct work *w)
{
    return regex_match(rule->regex, buf_str(&w->value));
}

static int do_drop(const struct relabel_rule *rule, struct work *w)
{
    int r = regex_match(rule->regex, buf_str(&w->value));

    return r < 0 ? r : r == 0;
}

static int do_keepequal(const struct relabel_rule *rule, struct work *w)
{
    return strcmp(labelset_get(w->ls, rule->target_label), buf_str(&w->value)) == 0;
}

static int do_dropequal(const struct relabel_rule *rule, struct work *w)
{
    return !do_keepequal(rule, w);
}

/* The last eight bytes of the MD5 hash, as a number in network order. */
static int do_hashmod(const struct relabel_rule *rule, struct work *w)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    uint64_t number = 0;
    int r;

    if (EVP_Digest(buf_str(&w->value), w->value.len, hash, NULL, EVP_md5(), NULL) != 1)
        return -ENOMEM;
    for (size_t i = 8; i < 16; i++)
        number = number << 8 | hash[i];
    buf_clear(&w->result);
    r = buf_addf(&w->result, "%" PRIu64, number % rule->modulus);
    if (r == 0)
        labelset_set(w->ls, rule->target_label, buf_str(&w->result));
    return r < 0 ? r : KEPT;
}

static int do_labelmap(const struct relabel_rule *rule, struct work *w)
{
    size_t n = labelset_snapshot(w->ls, w->items);

    for (size_t i = 0; i < n; i++) {
        int r = regex_match(rule->regex, w->items[i].name);

        if (r == 0)
            continue;
        buf_clear(&w->name);
        if (r > 0)
            r = regex_expand(rule->regex, rule->replacement, &w->name);
        if (r < 0)
            return r;
        labelset_set(w->ls, buf_str(&w->name), w->items[i].value);
    }
    return KEPT;
}

/* Removes the labels whose names match, or those whose names do not. */
static int remove_named(const struct relabel_rule *rule, struct work *w, bool matching)
{
    size_t n = labelset_snapshot(w->ls, w->items);

    for (size_t i = 0; i < n; i++) {
        int r = regex_match(rule->regex, w->items[i].name);

        if (r < 0)
            return r;
        if ((r > 0) == matching)
            labelset_remove(w->ls, w->items[i].name);
    }
    return KEPT;
}

static int do_labeldrop(const struct relabel_rule *rule, struct work *w)
{
    return remove_named(rule, w, true);
}

static int do_labelkeep(const struct relabel_rule *rule, struct work *w)
{
    return remove_named(rule, w, false);
}

static int set_result(const struct relabel_rule *rule, struct work *w, int r)
{
    if (r == 0)
        labelset_set(w->ls, rule->target_label, buf_str(&w->result));
    return r < 0 ? r : KEPT;
}

static int do_lowercase(const struct relabel_rule *rule, struct work *w)
{
    buf_clear(&w->result);
    return set_result(rule, w, letters_lower(buf_str(&w->value), &w->result));
}

static int do_uppercase(const struct relabel_rule *rule, struct work *w)
{
    buf_clear(&w->result);
    return set_result(rule, w, letters_upper(buf_str(&w->value), &w->result));
}

static const action_fn actions[RELABEL_ACTIONS] = {
    [RELABEL_REPLACE] = do_replace,     [RELABEL_KEEP] = do_keep,
    [RELABEL_DROP] = do_drop,           [RELABEL_KEEPEQUAL] = do_keepequal,
    [RELABEL_DROPEQUAL] = do_dropequal, [RELABEL_HASHMOD] = do_hashmod,
    [RELABEL_LABELMAP] = do_labelmap,   [RELABEL_LABELDROP] = do_labeldrop,
    [RELABEL_LABELKEEP] = do_labelkeep, [RELABEL_LOWERCASE] = do_lowercase,
    [RELABEL_UPPERCASE] = do_uppercase,
};

static int apply_one(const struct relabel_rule *rule, struct work *w)
{
    int r = join(rule, w);

    return r < 0 ? r : actions[rule->action](rule, w);
}

int relabel_apply(struct relabel_rule *const *rules, size_t n, struct labelset *ls,
                  size_t *ret_rule)
{
    struct work w = {.ls = ls};
    int r = KEPT;

    if (n == 0)
        return labelset_error(ls) < 0 ? labelset_error(ls) : KEPT;
    w.items = calloc(LABELSET_MAX, sizeof(*w.items));
    if (!w.items)
        return -ENOMEM;
    buf_init(&w.value, RELABEL_VALUE_MAX);
    buf_init(&w.name, RELABEL_VALUE_MAX);
    buf_init(&w.result, RELABEL_VALUE_MAX);
    labelset_sort(ls);
    for (size_t i = 0; r == KEPT && i < n; i++) {
        *ret_rule = i;
        r = apply_one(rules[i], &w);
        if (r == KEPT && labelset_error(ls) < 0)
            r = labelset_error(ls);
    }
    buf_done(&w.value);
    buf_done(&w.name);
    buf_done(&w.result);
    free(w.items);
    return r;
}
