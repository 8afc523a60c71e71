/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials as JSON and as XML: a whole set or a text that says why not, never both. */
#include <stdbool.h>

#include "lib/store/credential/creddoc.h"
#include "tests/fuzz/fuzz.h"

static int parse_token(const char *text, size_t n, struct secret_set *ret, char *why,
                       size_t why_size)
{
    return creddoc_parse_token(text, n, 1000 * USEC_PER_SEC, ret, why, why_size);
}

static const struct {
    int (*parse)(const char *text, size_t n, struct secret_set *ret, char *why, size_t why_size);
    bool token; /* which is all that there is in the set */
} parsers[] = {
    {creddoc_parse_json, false}, {creddoc_parse_xml, false}, {creddoc_parse_process, false},
    {creddoc_parse_sso, false},  {parse_token, true},        {creddoc_parse_impersonated, true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        struct secret_set s;
        char why[512] = "";
        bool keys, good;
        int r;

        secret_init(&s);
        r = parsers[i].parse((const char *)data, size, &s, why, sizeof(why));
        good = r == 0;
        keys = good && !parsers[i].token;
        if (good != (why[0] == '\0') || (s.access_key != NULL) != keys ||
            (s.secret_key != NULL) != keys || (good && !keys && !s.session_token))
            abort();
        secret_done(&s);
    }
    return 0;
}
