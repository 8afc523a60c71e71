/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/scrape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/trigger/rule/expvar.h"
#include "daemon/trigger/rule/scrapeline.h"
#include "daemon/trigger/rule/series.h"

#define FAMILY_MAX 256 /* bytes of the name in a TYPE line; a longer one has no type */
#define HEAD_MAX 4096  /* bytes within which a page shows what it is */
#define SHOWN 40       /* bytes of a line in an error */

enum format {
    FORMAT_UNKNOWN, /* too little came */
    FORMAT_TEXT,
    FORMAT_EXPVAR,
};

struct scrape {
    const struct names *wanted;
    scrape_fn sample;
    void *userdata;
    enum format format;
    bool expect_eof, eof;
    bool skipping;   /* the rest of an overlong line */
    int error;       /* the first */
    struct buf kept; /* the head, the part of a line that came, or the JSON document */
    struct buf line; /* a wanted line, to be written over */
    char family[FAMILY_MAX];
    size_t family_length; /* 0: no TYPE yet */
    enum scrape_type type;
    struct series series;
    struct scrape_verdict verdict;
    struct scrape_label labels[SCRAPE_LABELS_MAX];
};

int scrape_new(const struct names *wanted, scrape_fn sample, void *userdata, struct scrape **ret)
{
    struct scrape *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->wanted = wanted;
    s->sample = sample;
    s->userdata = userdata;
    buf_init(&s->kept, SCRAPE_EXPVAR_MAX);
    buf_init(&s->line, SCRAPE_LINE_MAX);
    *ret = s;
    return 0;
}

void scrape_free(struct scrape *s)
{
    if (!s)
        return;
    buf_done(&s->kept);
    buf_done(&s->line);
    series_done(&s->series);
    free(s);
}

void scrape_expect_eof(struct scrape *s)
{
    s->expect_eof = true;
}

/* Ends the reading; what is shown of the line is made harmless. */
static int refuse(struct scrape *s, uint64_t line, const char *why, const char *text, size_t n)
{
    struct buf shown;

    buf_init(&shown, 4 * SHOWN + 1);
    if (text)
        buf_add_escaped(&shown, text, n < SHOWN ? n : SHOWN);
    (void)snprintf(s->verdict.error, sizeof(s->verdict.error), text ? "%s: %s%s" : "%s", why,
                   buf_str(&shown), n > SHOWN ? "…" : "");
    buf_done(&shown);
    s->verdict.bad_line = line;
    s->error = -EBADMSG;
    return s->error;
}

static size_t word(const char *text, size_t n, size_t *at)
{
    size_t from;

    while (*at < n && (text[*at] == ' ' || text[*at] == '\t'))
        ++*at;
    from = *at;
    while (*at < n && text[*at] != ' ' && text[*at] != '\t')
        ++*at;
    return from;
}

static enum scrape_type type_of(const char *text, size_t n)
{
    static const struct {
        const char *name;
        enum scrape_type type;
    } types[] = {
        {"counter", SCRAPE_COUNTER},     {"gauge", SCRAPE_GAUGE},
        {"histogram", SCRAPE_HISTOGRAM}, {"gaugehistogram", SCRAPE_HISTOGRAM},
        {"summary", SCRAPE_SUMMARY},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strlen(types[i].name) == n && memcmp(types[i].name, text, n) == 0)
            return types[i].type;
    }
    return SCRAPE_UNTYPED;
}

/* "# TYPE name word", "# EOF"; HELP, UNIT and what people write say nothing of use. */
static void comment(struct scrape *s, const char *text, size_t n)
{
    size_t at = 1, from = word(text, n, &at), length = at - from;

    if (length == 3 && memcmp(text + from, "EOF", 3) == 0) {
        s->eof = true;
        return;
    }
    if (length != 4 || memcmp(text + from, "TYPE", 4) != 0)
        return;
    from = word(text, n, &at);
    length = at - from;
    if (length > 2 && text[from] == '"' && text[at - 1] == '"') {
        from++;
        length -= 2;
    }
    s->family_length = length < FAMILY_MAX ? length : 0;
    memcpy(s->family, text + from, s->family_length);
    from = word(text, n, &at);
    s->type = type_of(text + from, at - from);
}

/* The type of the family, if the sample belongs to it. */
static enum scrape_type type_for(const struct scrape *s, const char *name, size_t n)
{
    static const char *const ends[] = {"",     "_total",  "_bucket", "_count",
                                       "_sum", "_gcount", "_gsum"};
    size_t f = s->family_length;

    if (f == 0 || n < f || memcmp(name, s->family, f) != 0)
        return SCRAPE_UNTYPED;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strlen(ends[i]) == n - f && memcmp(name + f, ends[i], n - f) == 0)
            return s->type;
    }
    return SCRAPE_UNTYPED;
}

static int wanted(struct scrape *s, const struct scrapeline_name *name, int number,
                  const char *text, size_t n)
{
    struct scrape_sample sample = {.name = number};
    const char *wrong;
    int r;

    buf_clear(&s->line);
    r = buf_add(&s->line, text, n);
    if (r < 0)
        return r;
    wrong = scrapeline_sample(s->line.data + name->rest, name->in_braces, s->labels, &sample);
    if (wrong == scrapeline_too_many) {
        s->verdict.overlong++;
        return 0;
    }
    if (wrong)
        return refuse(s, s->verdict.lines, wrong, text, n);
    sample.type = type_for(s, name->text, name->length);
    r = series_add(&s->series, &sample);
    if (r < 0)
        return r;
    if (r == 0) {
        s->verdict.duplicates++;
        return 0;
    }
    s->verdict.wanted++;
    s->verdict.native += sample.native;
    s->sample(s->userdata, &sample);
    return 0;
}

static int take_sample(struct scrape *s, const char *text, size_t n)
{
    struct scrapeline_name name;
    const char *wrong = scrapeline_name(text, n, &name);
    int number;

    if (text[0] == '<' && s->verdict.samples == 0)
        return refuse(s, s->verdict.lines, "a web page or XML, not metrics", NULL, 0);
    if (wrong)
        return refuse(s, s->verdict.lines, wrong, text, n);
    number = names_find(s->wanted, name.text, name.length);
    if (number < 0 && !scrapeline_plausible(text + name.rest, n - name.rest))
        return refuse(s, s->verdict.lines, "expected labels or a number after the metric's name",
                      text, n);
    if (number >= 0 && memchr(text, '\0', n))
        return refuse(s, s->verdict.lines, "a zero byte", text, n);
    s->verdict.samples++;
    return number >= 0 ? wanted(s, &name, number, text, n) : 0;
}

/* One line, whole and without its end. */
static int take_line(struct scrape *s, const char *text, size_t n)
{
    s->verdict.lines++;
    while (n > 0 && text[n - 1] == '\r')
        n--;
    while (n > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        n--;
    }
    if (n == 0)
        return 0;
    if (s->eof)
        return refuse(s, s->verdict.lines, "something follows # EOF", text, n);
    if (*text != '#')
        return take_sample(s, text, n);
    comment(s, text, n);
    return 0;
}

/* The end of a line that began in an earlier piece. */
static int end_line(struct scrape *s)
{
    int r = 0;

    if (s->skipping) {
        s->verdict.lines++;
        s->verdict.overlong++;
    } else {
        r = take_line(s, buf_str(&s->kept), s->kept.len);
    }
    s->skipping = false;
    buf_clear(&s->kept);
    return r;
}

/* Keeps a part of a line, unless it is too long. */
static int keep(struct scrape *s, const char *text, size_t n)
{
    s->skipping = s->skipping || s->kept.len + n > SCRAPE_LINE_MAX;
    return s->skipping ? 0 : buf_add(&s->kept, text, n);
}

static int feed_text(struct scrape *s, const char *text, size_t n)
{
    int r = 0;

    while (n > 0 && r == 0) {
        const char *end = memchr(text, '\n', n);
        size_t length = end ? (size_t)(end - text) : n;

        if (!end)
            return keep(s, text, n);
        if (s->kept.len == 0 && !s->skipping && length <= SCRAPE_LINE_MAX) {
            r = take_line(s, text, length);
        } else {
            r = keep(s, text, length);
            if (r == 0)
                r = end_line(s);
        }
        text += length + 1;
        n -= length + 1;
    }
    return r;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A JSON object's first key is followed by a colon, a quoted metric's name is not. */
static enum format brace(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    if (p == end)
        return FORMAT_UNKNOWN;
    if (*p != '"')
        return *p == '}' ? FORMAT_EXPVAR : FORMAT_TEXT;
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    for (p++; p < end && is_space(*p); p++)
        ;
    if (p >= end)
        return FORMAT_UNKNOWN;
    return *p == ':' ? FORMAT_EXPVAR : FORMAT_TEXT;
}

/* What the page is by its first bytes. *ret_skip: those of a byte order mark. */
static enum format find_format(const char *text, size_t n, bool last, size_t *ret_skip)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *p = text, *end = text + n;
    enum format format;

    *ret_skip = 0;
    if (n < 3 && memcmp(text, mark, n) == 0)
        return last ? FORMAT_TEXT : FORMAT_UNKNOWN;
    if (n >= 3 && memcmp(text, mark, 3) == 0) {
        *ret_skip = 3;
        p += 3;
    }
    while (p < end && is_space(*p))
        p++;
    format = p == end ? FORMAT_UNKNOWN : *p == '{' ? brace(p + 1, end) : FORMAT_TEXT;
    return format == FORMAT_UNKNOWN && (last || n >= HEAD_MAX) ? FORMAT_TEXT : format;
}

static int feed_as(struct scrape *s, const char *text, size_t n)
{
    if (s->format == FORMAT_TEXT)
        return feed_text(s, text, n);
    if (s->kept.len + n > SCRAPE_EXPVAR_MAX) {
        (void)refuse(s, 0, "expvar's JSON is longer than 512 KiB", NULL, 0);
        s->error = -EFBIG;
        return s->error;
    }
    return buf_add(&s->kept, text, n);
}

/* Keeps the head until it shows what it is. */
static int feed_head(struct scrape *s, const char *text, size_t n, bool last)
{
    struct buf head = s->kept;
    size_t skip, part = n < HEAD_MAX ? n : HEAD_MAX;
    int r = buf_add(&head, text, part);

    s->kept = head;
    if (r < 0)
        return r;
    s->format = find_format(buf_str(&head), head.len, last, &skip);
    if (s->format == FORMAT_UNKNOWN)
        return 0;
    buf_init(&s->kept, SCRAPE_EXPVAR_MAX);
    s->verdict.expvar = s->format == FORMAT_EXPVAR;
    r = feed_as(s, buf_str(&head) + skip, head.len - skip);
    if (r == 0 && n > part)
        r = feed_as(s, text + part, n - part);
    buf_done(&head);
    return r;
}

int scrape_feed(struct scrape *s, const void *data, size_t n)
{
    int r;

    if (s->error < 0 || n == 0)
        return s->error;
    r = s->format == FORMAT_UNKNOWN ? feed_head(s, data, n, false) : feed_as(s, data, n);
    if (r < 0)
        s->error = r;
    return s->error;
}

/* What a page is in which nothing was read: a line that is too long may be anything. */
static const char *nothing(const struct scrape_verdict *v)
{
    if (v->overlong > 0)
        return "no metrics, but a line that is too long for one";
    return v->lines > 0 ? "no metrics" : "nothing";
}

static int finish(struct scrape *s)
{
    int r = 0;

    if (s->format == FORMAT_UNKNOWN)
        r = feed_head(s, "", 0, true);
    if (r == 0 && s->format == FORMAT_EXPVAR)
        return expvar_read(buf_str(&s->kept), s->kept.len, s->wanted, s->sample, s->userdata,
                           &s->verdict);
    if (r == 0 && (s->kept.len > 0 || s->skipping))
        r = end_line(s);
    if (r == 0 && s->expect_eof && !s->eof)
        return refuse(s, s->verdict.lines, "cut off: OpenMetrics ends with # EOF", NULL, 0);
    if (r == 0 && s->verdict.samples == 0)
        return refuse(s, 0, nothing(&s->verdict), NULL, 0);
    return r;
}

int scrape_finish(struct scrape *s, struct scrape_verdict *ret)
{
    if (s->error == 0)
        s->error = finish(s);
    *ret = s->verdict;
    return s->error;
}
