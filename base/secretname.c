/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secretname.h"

#include <string.h>
#include <strings.h>

/* Where in a name or a text the word tells of a secret. */
enum {
    NAME = 1,    /* anywhere in the name of a parameter or a key */
    SECTION = 2, /* anywhere in the name of a section */
    WORD = 4,    /* at the end of a text */
};

static const struct {
    const char *text;
    unsigned where;
} words[] = {
    {"auth", NAME | WORD},
    {"authorization", WORD},
    {"bearer", NAME},
    {"cookie", NAME | WORD},
    {"credential", NAME | WORD},
    {"credentials", WORD},
    {"header", SECTION},
    {"key", NAME | WORD},
    {"param", SECTION},
    {"pass", NAME},
    {"passphrase", WORD},
    {"passwd", WORD},
    {"password", WORD},
    {"pwd", NAME | WORD},
    {"sas", NAME},
    {"secret", NAME | WORD},
    {"sig", NAME},
    {"token", NAME | WORD},
};

static bool has_word(const char *name, size_t n, unsigned where)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].text);

        for (size_t at = 0; (words[i].where & where) && at + len <= n; at++) {
            if (strncasecmp(name + at, words[i].text, len) == 0)
                return true;
        }
    }
    return false;
}

bool secretname_is(const char *name, size_t n)
{
    return has_word(name, n, NAME);
}

bool secretname_is_section(const char *name, size_t n)
{
    return has_word(name, n, NAME | SECTION);
}

bool secretname_ends(const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].text);

        if ((words[i].where & WORD) && n >= len &&
            strncasecmp(text + n - len, words[i].text, len) == 0)
            return true;
    }
    return false;
}
