/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/print.h"

#include <string.h>

size_t print_width(const char *text, size_t n)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

void print_cell(FILE *out, const char *text, size_t width)
{
    size_t n = print_width(text, strlen(text));

    (void)fprintf(out, "%*s%s", n < width ? (int)(width - n) : 0, "", text);
}

size_t print_plain(FILE *out, const char *text, size_t max)
{
    size_t n = 0;

    for (; text[n] && n < max; n++)
        (void)putc(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?', out);
    return n;
}

/* Those of ISO 8859-1, too, which in UTF-8 are two bytes. */
static size_t control(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    if (c[0] < ' ' || c[0] == 0x7f)
        return 1;
    return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

void print_whole(FILE *out, const char *text, size_t n)
{
    (void)fwrite(text, 1, n, out);
    (void)putc('\n', out);
}

size_t print_lines(const char *text)
{
    size_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

void print_name(FILE *out, const char *name)
{
    while (*name) {
        size_t n = control(name);

        (void)putc(n > 0 ? '?' : *name, out);
        name += n > 0 ? n : 1;
    }
}

bool print_flow_piece(struct print_flow *flow, const char *text, size_t n)
{
    const char *between = flow->between ? flow->between : "";
    size_t columns = print_width(text, n), more = strlen(between);
    bool begun = flow->column > flow->indent;

    if (begun && flow->column + more + 1 + columns + more > flow->width) {
        if (flow->most > 0 && flow->lines + 1 >= flow->most)
            return false;
        (void)fprintf(flow->out, "%s\n", between);
        flow->lines++;
        flow->column = 0;
        begun = false;
    }
    if (begun) {
        (void)fprintf(flow->out, "%s ", between);
        flow->column += more + 1;
    } else if (flow->column == 0) {
        (void)fprintf(flow->out, "%*s", (int)flow->indent, "");
        flow->column = flow->indent;
    }
    (void)fwrite(text, 1, n, flow->out);
    flow->column += columns;
    return true;
}

void print_flow_words(struct print_flow *flow, const char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, " \n");

        (void)print_flow_piece(flow, text, n);
        text += n;
        text += strspn(text, " \n");
    }
}

void print_flow_end(struct print_flow *flow)
{
    (void)fputc('\n', flow->out);
    flow->column = 0;
}
