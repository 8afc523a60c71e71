/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: no file may crash it, make it slow, or be taken for good with an error in it.
 * What is accepted must pass the rules a second time, as it does after options were laid over it.
 */

#include "lib/config/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct config *c = NULL;
    struct diags d = {0};
    int r = config_load_text("etc/fuzz.yaml", (const char *)data, size, &c, &d);

    if ((r < 0) != (diags_count(&d) > 0) || (r < 0) != (c == NULL))
        abort();
    if (r == 0 && c->n_jobs > 0 && config_check(c, false, &d) < 0)
        abort();
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    if (nowhere)
        diags_print(&d, nowhere);
    diags_done(&d);
    config_free(c);
    return 0;
}
