/* SPDX-License-Identifier: Apache-2.0 */
/* A rule of relabel.h, from what is written to what is applied. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/relabel/letters.h"
#include "lib/relabel/relabel.h"
#include "lib/relabel/relabel_state.h"

#define DEFAULT_SEPARATOR ";"
#define DEFAULT_REGEX "(.*)"
#define DEFAULT_REPLACEMENT "$1"

/* Which keys an action has. */
enum {
    SOURCE = 1 << 0,
    SEPARATOR = 1 << 1,
    REGEX = 1 << 2,
    MODULUS = 1 << 3,
    TARGET = 1 << 4,
    REPLACEMENT = 1 << 5,
    ANY = SOURCE | SEPARATOR | REGEX | MODULUS | TARGET | REPLACEMENT,
};

/* Prometheus accepts keys that an action does not use, but of these actions. */
static const struct {
    const char *name;
    unsigned keys;     /* that may be given */
    bool needs_target; /* it writes or compares target_label */
    bool template;     /* target_label may have $1 in it */
} actions[RELABEL_ACTIONS] = {
    [RELABEL_REPLACE] = {"replace", ANY, true, true},
    [RELABEL_KEEP] = {"keep", ANY, false, false},
    [RELABEL_DROP] = {"drop", ANY, false, false},
    [RELABEL_KEEPEQUAL] = {"keepequal", SOURCE | TARGET, true, false},
    [RELABEL_DROPEQUAL] = {"dropequal", SOURCE | TARGET, true, false},
    [RELABEL_HASHMOD] = {"hashmod", ANY, true, false},
    [RELABEL_LABELMAP] = {"labelmap", ANY, false, false},
    [RELABEL_LABELDROP] = {"labeldrop", REGEX, false, false},
    [RELABEL_LABELKEEP] = {"labelkeep", REGEX, false, false},
    [RELABEL_LOWERCASE] = {"lowercase", ANY & ~REPLACEMENT, true, false},
    [RELABEL_UPPERCASE] = {"uppercase", ANY & ~REPLACEMENT, true, false},
};

const char *relabel_action_name(enum relabel_action action)
{
    return action < RELABEL_ACTIONS ? actions[action].name : NULL;
}

enum relabel_action relabel_rule_action(const struct relabel_rule *rule)
{
    return rule->action;
}

static int fail(struct relabel_fault *fault, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct relabel_fault *fault, const char *key, const char *fmt, ...)
{
    va_list ap;

    fault->key = key;
    va_start(ap, fmt);
    (void)vsnprintf(fault->why, sizeof(fault->why), fmt, ap);
    va_end(ap);
    return -EINVAL;
}

static int check_keys(const struct relabel_spec *s, struct relabel_fault *fault)
{
    const struct {
        unsigned key;
        const char *name;
        bool given;
    } keys[] = {
        {SOURCE, "source_labels", s->source_labels != NULL},
        {SEPARATOR, "separator", s->separator && strcmp(s->separator, DEFAULT_SEPARATOR) != 0},
        {REGEX, "regex", s->regex && strcmp(s->regex, DEFAULT_REGEX) != 0},
        {MODULUS, "modulus", s->modulus > 0},
        {TARGET, "target_label", s->target_label != NULL},
        {REPLACEMENT, "replacement",
         s->replacement && strcmp(s->replacement, DEFAULT_REPLACEMENT) != 0},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].given && !(actions[s->action].keys & keys[i].key))
            return fail(fault, keys[i].name, "the action %s has no %s", actions[s->action].name,
                        keys[i].name);
    }
    return 0;
}

/* A label's name, in which $1, ${1} and ${name} may stand for letters of it. */
static bool is_template(const char *text)
{
    bool first = true;

    for (; *text; first = false) {
        static const char word[] =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
        bool braces = text[0] == '$' && text[1] == '{';
        size_t n;

        if (*text != '$') {
            if (!strchr(word, *text) || (first && *text >= '0' && *text <= '9'))
                return false;
            text++;
            continue;
        }
        text += braces ? 2 : 1;
        n = strspn(text, word);
        if (n == 0 || (braces && text[n] != '}'))
            return false;
        text += n + braces;
    }
    return !first;
}

static int check_names(const struct relabel_spec *s, struct relabel_fault *fault)
{
    const char *target = s->target_label;

    for (size_t i = 0; i < s->n_source_labels; i++) {
        if (!labelset_is_name(s->source_labels[i]))
            return fail(fault, "source_labels", "`%.60s` is not a label's name",
                        s->source_labels[i]);
    }
    if (actions[s->action].needs_target && !target)
        return fail(fault, NULL, "the action %s needs `target_label`", actions[s->action].name);
    if (target && actions[s->action].needs_target &&
        !(actions[s->action].template ? is_template(target) : labelset_is_name(target)))
        return fail(fault, "target_label", "`%.60s` is not a label's name", target);
    if (s->action == RELABEL_LABELMAP && s->replacement && !is_template(s->replacement))
        return fail(fault, "replacement", "`%.60s` makes no label's name", s->replacement);
    if (target && strcmp(target, "__metrics_path__") == 0)
        return fail(fault, "target_label", "the path of the trace is `__path__`");
    return 0;
}

static int check_rest(const struct relabel_spec *s, struct relabel_fault *fault)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    bool letters = s->action == RELABEL_LOWERCASE || s->action == RELABEL_UPPERCASE;

    if (s->action == RELABEL_HASHMOD && s->modulus == 0)
        return fail(fault, NULL, "the action hashmod needs a `modulus` of at least 1");
    if (s->action == RELABEL_HASHMOD && EVP_Digest("", 0, hash, NULL, EVP_md5(), NULL) != 1)
        return fail(fault, "action", "hashmod needs MD5, which OpenSSL is forbidden to use here");
    if (letters && !letters_known())
        return fail(fault, "action", "%s needs the locale C.UTF-8, which is not installed",
                    actions[s->action].name);
    return 0;
}

static char *copy(const char *text, const char *usual, bool *failed)
{
    char *c = strdup(text ? text : usual);

    *failed = *failed || !c;
    return c;
}

static int copy_sources(struct relabel_rule *rule, const struct relabel_spec *s)
{
    bool failed = false;

    rule->source_labels = calloc(s->n_source_labels + 1, sizeof(char *));
    if (!rule->source_labels)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_source_labels; i++)
        rule->source_labels[rule->n_source_labels++] = copy(s->source_labels[i], "", &failed);
    return failed ? -ENOMEM : 0;
}

static int fill(struct relabel_rule *rule, const struct relabel_spec *s,
                struct relabel_fault *fault)
{
    const char *regex = s->regex ? s->regex : DEFAULT_REGEX;
    bool failed = false;
    int r;

    *rule = (struct relabel_rule){
        .action = s->action,
        .separator = copy(s->separator, DEFAULT_SEPARATOR, &failed),
        .target_label = copy(s->target_label, "", &failed),
        .replacement = copy(s->replacement, DEFAULT_REPLACEMENT, &failed),
        .modulus = s->modulus,
    };
    if (failed || copy_sources(rule, s) < 0)
        return -ENOMEM;
    rule->plain = !s->regex && !strchr(rule->target_label, '$') && !strchr(rule->replacement, '$');
    r = regex_new(regex, &rule->regex, fault->why);
    fault->key = "regex";
    return r;
}

int relabel_rule_new(const struct relabel_spec *spec, struct relabel_rule **ret,
                     struct relabel_fault *fault)
{
    struct relabel_rule *rule;
    int r = check_keys(spec, fault);

    if (r == 0)
        r = check_names(spec, fault);
    if (r == 0)
        r = check_rest(spec, fault);
    if (r < 0)
        return r;
    rule = calloc(1, sizeof(*rule));
    r = rule ? fill(rule, spec, fault) : -ENOMEM;
    if (r < 0)
        relabel_rule_free(rule);
    else
        *ret = rule;
    return r;
}

void relabel_rule_free(struct relabel_rule *rule)
{
    if (!rule)
        return;
    for (size_t i = 0; i < rule->n_source_labels; i++)
        free(rule->source_labels[i]);
    free(rule->source_labels);
    free(rule->separator);
    free(rule->target_label);
    free(rule->replacement);
    regex_free(rule->regex);
    free(rule);
}
