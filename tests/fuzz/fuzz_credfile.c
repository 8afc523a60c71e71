/* SPDX-License-Identifier: Apache-2.0 */
/* Shared credentials and config files: a profile or a text that says why not, never both. */

#include "lib/store/credential/credfile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = CREDFILE_CREDENTIALS; kind <= CREDFILE_CONFIG; kind++) {
        const struct credfile_query q = {.kind = (enum credfile_kind)kind, .name = "default"};
        struct credfile_profile p = {0};
        char why[256] = "";
        int r = credfile_parse("f", &q, (const char *)data, size, &p, why, sizeof(why));

        if ((r < 0) != (why[0] != '\0') || (r < 0 && p.secrets.access_key) ||
            !p.secrets.access_key != !p.secrets.secret_key)
            abort();
        credfile_done(&p);
    }
    return 0;
}
