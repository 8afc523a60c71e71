/* SPDX-License-Identifier: Apache-2.0 */

/* Any text is a regular expression or refused with a reason; it is matched, within its bounds,
 * against what follows the text behind a zero byte. Its own text is the template, too. */

#include <errno.h>
#include <string.h>

#include "lib/relabel/regex.h"
#include "lib/relabel/relabel.h"
#include "tests/fuzz/fuzz.h"

static void match(struct regex *re, const char *pattern, const char *text)
{
    int r = regex_match(re, text);
    struct buf out;

    CHECK(r == 0 || r == 1 || r == -ELOOP || r == -ENOMEM);
    buf_init(&out, RELABEL_VALUE_MAX);
    if (r == 1)
        r = regex_expand(re, pattern, &out);
    CHECK(r >= 0 || r == -E2BIG || r == -ELOOP || r == -ENOMEM);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1), why[REGEX_WHY_MAX] = "";
    struct regex *re;
    size_t n;

    if (!text)
        return 0;
    memcpy(text, data, size);
    n = strlen(text);
    if (regex_new(text, &re, why) == 0) {
        match(re, text, n < size ? text + n + 1 : "");
        regex_free(re);
    } else {
        CHECK(why[0] != '\0');
    }
    free(text);
    return 0;
}
