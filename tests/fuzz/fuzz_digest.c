/* SPDX-License-Identifier: Apache-2.0 */
/* What a child that was taken over may print: a digest within its bounds, which a record takes, or
 * none. */
#include <string.h>

#include "daemon/label/digest.h"
#include "lib/record/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest d;
    char *record = NULL;

    if (digest_parse((const char *)data, size, &d) < 0)
        return 0;
    if (strlen(d.summary) > DIGEST_MAX ||
        strspn(d.label, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(d.label) ||
        d.label[0] == '\0')
        abort();
    if (record_amend("{}", 2, &(struct record_amendment){.label = d.label, .summary = d.summary},
                     RECORD_MAX, &record) < 0)
        abort();
    free(record);
    digest_done(&d);
    return 0;
}
