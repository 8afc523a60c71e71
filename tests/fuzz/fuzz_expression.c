/* SPDX-License-Identifier: Apache-2.0 */

/* Any text is a condition or refused with a place in it; a condition is judged on any JSON, which
 * may follow the text behind a zero byte. */

#include <string.h>

#include "base/jsontext.h"
#include "lib/value/expression.h"
#include "tests/fuzz/fuzz.h"

static void judge(const struct expression *e, const json_t *document)
{
    struct expression_seen seen[EXPRESSION_COMPARISONS_MAX];
    size_t n = expression_comparisons(e);
    char near[PATH_NEAR][PATH_SIZE];

    CHECK(n >= 1 && n <= EXPRESSION_COMPARISONS_MAX);
    CHECK((unsigned)expression_judge(e, document, seen) <= EXPRESSION_ABSENT);
    for (size_t i = 0; i < n; i++) {
        struct path again;

        CHECK((seen[i].met == EXPRESSION_COMPARED) == (seen[i].truth != EXPRESSION_ABSENT));
        CHECK(path_parse(expression_path(e, i)->text, &again) == 0);
        CHECK(path_near(again.text, document, near) <= PATH_NEAR);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    struct expression_error error;
    struct expression *e;
    size_t n;

    if (!text)
        return 0;
    memcpy(text, data, size);
    n = strlen(text);
    if (expression_parse(text, &error, &e) == 0) {
        json_t *json = NULL;

        if (n >= size || jsontext_parse(text + n + 1, size - n - 1, 0, NULL, &json) < 0)
            json = json_object();
        if (json)
            judge(e, json);
        json_decref(json);
        expression_free(e);
    } else {
        CHECK(error.at <= n);
    }
    free(text);
    return 0;
}
