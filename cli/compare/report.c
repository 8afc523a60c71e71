/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static char *copy(const char *text)
{
    char *all = strdup(text);

    for (char *p = all; p && *p;) {
        size_t n = utf8_length(p, UTF8_MAX);

        if (n == 0)
            *p = '?';
        p += n > 0 ? n : 1;
    }
    return all;
}

int report_add(struct report *r, const char *file, const char *expression, enum report_kind kind,
               const char *text, json_t *values)
{
    struct report_line *line, *list;

    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 16;

        list = reallocarray(r->list, cap, sizeof(*list));
        if (!list) {
            json_decref(values);
            return -ENOMEM;
        }
        r->list = list;
        r->cap = cap;
    }
    line = &r->list[r->n++];
    *line = (struct report_line){
        .file = copy(file),
        .expression = expression ? copy(expression) : NULL,
        .text = copy(text),
        .values = values,
        .kind = kind,
    };
    return line->file && line->text && !line->expression == !expression ? 0 : -ENOMEM;
}

size_t report_count(const struct report *r, enum report_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += r->list[i].kind == kind;
    return n;
}

bool report_failed(const struct report *r)
{
    return report_count(r, REPORT_FAILED) > 0 || (r->require && report_count(r, REPORT_ABSENT) > 0);
}

void report_done(struct report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->list[i].file);
        free(r->list[i].expression);
        free(r->list[i].text);
        json_decref(r->list[i].values);
    }
    free(r->list);
}

json_t *report_json(const struct report *r)
{
    static const char *const results[] = {
        [REPORT_PASSED] = "false",
        [REPORT_FAILED] = "true",
        [REPORT_ABSENT] = "absent",
        [REPORT_UNREADABLE] = "unreadable",
    };
    json_t *list = json_array();
    int failed = 0;

    for (size_t i = 0; list && i < r->n; i++) {
        const struct report_line *line = &r->list[i];
        json_t *item = json_pack("{s:s, s:s, s:s?, s:O?, s:s}", "file", line->file, "result",
                                 results[line->kind], "expression", line->expression, "values",
                                 line->values, "text", line->text);

        failed += json_array_append_new(list, item) < 0;
    }
    if (failed) {
        json_decref(list);
        list = NULL;
    }
    return list;
}
