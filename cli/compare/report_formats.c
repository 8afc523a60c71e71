/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/compare/report.h"

static const char *word(const struct report *r, const struct report_line *line)
{
    static const char *const words[] = {
        [REPORT_PASSED] = "fine",
        [REPORT_FAILED] = "failed",
        [REPORT_ABSENT] = "absent",
        [REPORT_UNREADABLE] = "unreadable",
    };

    return line->kind == REPORT_ABSENT && r->require ? "failed" : words[line->kind];
}

void report_print_text(FILE *out, const struct report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct report_line *line = &r->list[i];

        if (line->kind != REPORT_FAILED && line->kind != REPORT_ABSENT)
            continue;
        print_name(out, line->file);
        (void)fprintf(out, ": %s: ", word(r, line));
        print_name(out, line->expression);
        (void)fputs(": ", out);
        print_name(out, line->text);
        (void)fputc('\n', out);
    }
}

static int print_text(FILE *out, const struct report *r)
{
    size_t fine = report_count(r, REPORT_PASSED), absent = report_count(r, REPORT_ABSENT);
    size_t failed = report_count(r, REPORT_FAILED);

    report_print_text(out, r);
    (void)fprintf(out, "%zu condition%s true, %zu not, %zu absent\n", failed,
                  quantity_plural(failed), fine, absent);
    return 0;
}

/* https://github.com/actions/toolkit, command.ts: what ends a command or a property is escaped. */
static void github_text(FILE *out, const char *text, const char *more)
{
    for (; *text; text++) {
        if (*text == '%' || *text == '\r' || *text == '\n' || strchr(more, *text))
            (void)fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            (void)fputc(*text, out);
    }
}

static int print_github(FILE *out, const struct report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct report_line *line = &r->list[i];
        bool notice = line->kind == REPORT_ABSENT && !r->require;

        if (line->kind == REPORT_PASSED)
            continue;
        (void)fprintf(out, "::%s file=", notice ? "notice" : "error");
        github_text(out, line->file, ":,");
        (void)fputs(",title=", out);
        github_text(out, line->expression ? line->expression : "unreadable", ":,");
        (void)fputs("::", out);
        github_text(out, line->text, "");
        (void)fputc('\n', out);
    }
    return 0;
}

/* What XML 1.0 has no form for becomes a question mark. */
static void xml_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '<')
            (void)fputs("&lt;", out);
        else if (c == '>')
            (void)fputs("&gt;", out);
        else if (c == '&')
            (void)fputs("&amp;", out);
        else if (c == '"')
            (void)fputs("&quot;", out);
        else
            (void)fputc(c < 0x20 ? '?' : c, out);
    }
}

static void junit_case(FILE *out, const struct report *r, const struct report_line *line)
{
    bool skipped = line->kind == REPORT_ABSENT && !r->require;

    (void)fputs("  <testcase classname=\"", out);
    xml_text(out, line->file);
    (void)fputs("\" name=\"", out);
    xml_text(out, line->expression ? line->expression : "the trace can be read");
    if (line->kind == REPORT_PASSED) {
        (void)fputs("\"/>\n", out);
        return;
    }
    (void)fprintf(out, "\">\n    <%s message=\"",
                  line->kind == REPORT_UNREADABLE ? "error"
                  : skipped                       ? "skipped"
                                                  : "failure");
    xml_text(out, line->text);
    (void)fputs("\"/>\n  </testcase>\n", out);
}

static int print_junit(FILE *out, const struct report *r)
{
    size_t absent = report_count(r, REPORT_ABSENT);
    size_t failures = report_count(r, REPORT_FAILED) + (r->require ? absent : 0);

    (void)fprintf(out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<testsuite name=\"contrace\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
                  "skipped=\"%zu\">\n",
                  r->n, failures, report_count(r, REPORT_UNREADABLE), r->require ? 0 : absent);
    for (size_t i = 0; i < r->n; i++)
        junit_case(out, r, &r->list[i]);
    (void)fputs("</testsuite>\n", out);
    return 0;
}

static int print_json(FILE *out, const struct report *r)
{
    _cleanup_json_ json_t *json = json_pack("{s:i, s:b, s:o}", "schema", 1, "failed",
                                            report_failed(r), "checks", report_json(r));
    char *text = json ? jsontext_print(json, JSON_COMPACT) : NULL;

    if (!text)
        return -ENOMEM;
    (void)fprintf(out, "%s\n", text);
    free(text);
    return 0;
}

static const struct report_format formats[] = {
    {"text", print_text},
    {"github", print_github},
    {"junit", print_junit},
    {"json", print_json},
};

const char *report_format_argument(void *field, const char *value)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(value, formats[i].name) == 0) {
            *(const struct report_format **)field = &formats[i];
            return NULL;
        }
    }
    return "text, github, junit or json";
}

const struct report_format *report_format_text(void)
{
    return &formats[0];
}
