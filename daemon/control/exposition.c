/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define NUMBER_SIZE 32

static void put(struct exposition *e, const void *data, size_t n)
{
    if (e->error == 0)
        e->error = buf_add(e->out, data, n);
}

static void puts_to(struct exposition *e, const char *text)
{
    put(e, text, strlen(text));
}

/* Escapes line feeds and backslashes; with `quoted`, for the value of a label, also quotes. */
static void put_escaped(struct exposition *e, const char *text, bool quoted)
{
    while (*text) {
        size_t plain = strcspn(text, "\\\n\""), n = 0;

        while (n < plain) {
            size_t length = utf8_length(text + n, UTF8_MAX);

            if (length == 0)
                break;
            n += length;
        }
        put(e, text, n);
        text += n;
        if (n < plain)
            puts_to(e, UTF8_REPLACEMENT);
        else if (*text == '\n')
            puts_to(e, "\\n");
        else if (*text == '\\')
            puts_to(e, "\\\\");
        else if (*text == '"')
            puts_to(e, quoted ? "\\\"" : "\"");
        else
            break;
        text++;
    }
}

/* Formats with 15, 16 or 17 digits: the fewest that read back as the same double. */
static const char *number(double value, char out[static NUMBER_SIZE])
{
    if (isnan(value))
        return "NaN";
    if (isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    return out;
}

static void put_label(struct exposition *e, const char *before, const char *name, const char *value)
{
    puts_to(e, before);
    puts_to(e, name);
    puts_to(e, "=\"");
    put_escaped(e, value, true);
    puts_to(e, "\"");
}

/* Writes a series' name and labels. `le`: a bucket's bound as one more label; NULL: it is no
 * bucket. */
static void put_series(struct exposition *e, const char *suffix,
                       const struct exposition_label *labels, size_t n, const char *le)
{
    puts_to(e, e->family);
    puts_to(e, suffix);
    for (size_t i = 0; i < n; i++)
        put_label(e, i == 0 ? "{" : ",", labels[i].name, labels[i].value);
    if (le)
        put_label(e, n == 0 ? "{" : ",", "le", le);
    puts_to(e, n > 0 || le ? "} " : " ");
}

static void put_count(struct exposition *e, uint64_t value)
{
    char text[NUMBER_SIZE];

    (void)snprintf(text, sizeof(text), "%" PRIu64 "\n", value);
    puts_to(e, text);
}

static void put_value(struct exposition *e, double value)
{
    char text[NUMBER_SIZE];

    puts_to(e, number(value, text));
    puts_to(e, "\n");
}

void exposition_sample(struct exposition *e, const struct exposition_label *labels, size_t n,
                       double value)
{
    put_series(e, "", labels, n, NULL);
    put_value(e, value);
}

void exposition_count(struct exposition *e, const struct exposition_label *labels, size_t n,
                      uint64_t value)
{
    put_series(e, "", labels, n, NULL);
    put_count(e, value);
}

void exposition_histogram(struct exposition *e, const struct exposition_label *labels, size_t n,
                          const struct exposition_histogram *h)
{
    uint64_t total = 0;

    for (size_t i = 0; i <= h->n; i++) {
        char text[NUMBER_SIZE];

        total += h->counts[i];
        put_series(e, "_bucket", labels, n, i < h->n ? number(h->bounds[i], text) : "+Inf");
        put_count(e, total);
    }
    put_series(e, "_sum", labels, n, NULL);
    put_value(e, h->sum);
    put_series(e, "_count", labels, n, NULL);
    put_count(e, total);
}

void exposition_init(struct exposition *e, struct buf *out)
{
    *e = (struct exposition){.out = out};
}

void exposition_family(struct exposition *e, const char *name, enum exposition_type type,
                       const char *help)
{
    static const char *const types[] = {
        [EXPOSITION_COUNTER] = " counter\n",
        [EXPOSITION_GAUGE] = " gauge\n",
        [EXPOSITION_HISTOGRAM] = " histogram\n",
    };

    e->family = name;
    puts_to(e, "# HELP ");
    puts_to(e, name);
    puts_to(e, " ");
    put_escaped(e, help, false);
    puts_to(e, "\n# TYPE ");
    puts_to(e, name);
    puts_to(e, types[type]);
}

int exposition_end(const struct exposition *e)
{
    return e->error;
}
