/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials as JSON and as XML: a whole set or a text that says why not, never both. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon/upload/creddoc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int (*const parsers[])(const char *, size_t, struct secret_set *, char *, size_t) = {
        creddoc_parse_json,
        creddoc_parse_xml,
    };

    for (size_t i = 0; i < 2; i++) {
        struct secret_set s;
        char why[512] = "";
        int r;

        secret_init(&s);
        r = parsers[i]((const char *)data, size, &s, why, sizeof(why));
        if ((r < 0) != (why[0] != '\0') || !s.access_key != (r < 0) || !s.secret_key != (r < 0))
            abort();
        secret_done(&s);
    }
    return 0;
}
