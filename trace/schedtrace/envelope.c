/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/schedtrace/envelope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trace/schedtrace/jsonfields.h"
#include "trace/schedtrace/scan.h"

/* Docker writes a longer line as several, of which only the last one ends with "\n". */
#define DOCKER_PART 16384

void envelope_init(struct envelope *e)
{
    *e = (struct envelope){0};
    buf_init(&e->message, LOGLINES_MAX);
    buf_init(&e->plain, LOGLINES_MAX);
    buf_init(&e->whole, LOGLINES_MAX);
    for (size_t i = 0; i < ENVELOPE_PARTS_MAX; i++)
        buf_init(&e->parts[i].text, LOGLINES_MAX);
}

void envelope_done(struct envelope *e)
{
    buf_done(&e->message);
    buf_done(&e->plain);
    buf_done(&e->whole);
    for (size_t i = 0; i < ENVELOPE_PARTS_MAX; i++)
        buf_done(&e->parts[i].text);
}

static void append(char source[static ENVELOPE_SOURCE_MAX], const char *text, size_t n)
{
    size_t used = strlen(source), room = ENVELOPE_SOURCE_MAX - 1 - used;

    if (used > 0 && room > 0) {
        source[used++] = ' ';
        room--;
    }
    if (n > room)
        n = room;
    for (size_t i = 0; i < n; i++)
        source[used + i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    source[used + n] = '\0';
}

/* The part of this source, an empty one, or the oldest, which is given up. */
static struct envelope_part *part_of(struct envelope *e, const char *source)
{
    struct envelope_part *part = &e->parts[0];

    for (size_t i = 0; i < ENVELOPE_PARTS_MAX; i++)
        if (e->parts[i].text.len > 0 && strcmp(e->parts[i].source, source) == 0)
            return &e->parts[i];
    for (size_t i = 1; i < ENVELOPE_PARTS_MAX && part->text.len > 0; i++)
        if (e->parts[i].text.len == 0 || e->parts[i].number < part->number)
            part = &e->parts[i];
    buf_clear(&part->text);
    return part;
}

/* As much of it as fits. */
static int add(struct buf *text, const char *data, size_t n)
{
    size_t room = text->max - text->len;
    int r = n > 0 && room > 0 ? buf_add(text, data, n < room ? n : room) : 0;

    return r == -E2BIG ? 0 : r;
}

/* Puts the message behind those parts of it that came before. */
static int join(struct envelope *e, bool more, struct envelope_message *m)
{
    struct envelope_part *part = part_of(e, m->source);
    bool first = part->text.len == 0;
    int r;

    if (first && !more)
        return 1;
    if (first) {
        (void)strcpy(part->source, m->source);
        part->number = m->number;
    }
    r = add(&part->text, m->text, m->n);
    if (r < 0 || more)
        return r;
    buf_clear(&e->whole);
    r = add(&e->whole, part->text.data, part->text.len);
    buf_clear(&part->text);
    if (r < 0)
        return r;
    m->text = buf_str(&e->whole);
    m->n = e->whole.len;
    m->number = part->number;
    return 1;
}

/* "2026-11-29T22:11:06.005123456Z stderr F message" */
static bool open_cri(const char *text, struct envelope_message *m, bool *ret_more)
{
    const char *p = text, *blank = strchr(text, ' ');
    uint64_t year;

    if (!blank || !scan_number(&p, 9999, &year) || *p != '-' ||
        !memchr(p, 'T', (size_t)(blank - p)))
        return false;
    p = blank + 1;
    if (!scan_text(&p, "stderr ") && !scan_text(&p, "stdout "))
        return false;
    *ret_more = *p == 'P';
    if ((*p != 'P' && *p != 'F') || (p[1] != ' ' && p[1] != ':' && p[1] != '\0'))
        return false;
    append(m->source, blank + 1, 6);
    p = strchr(p, ' ');
    m->n -= p ? (size_t)(p + 1 - text) : m->n;
    m->text = p ? p + 1 : "";
    return true;
}

/* The members that JSON of journald, Docker and shippers of logs have. Those that name the source
 * are put together in this order, whatever theirs is. */
enum { MESSAGE, LOG, MESSAGE_SMALL, MSG, STREAM, WHO };
static const char *const names[] = {
    "MESSAGE",        "log",       "message",        "msg",          "stream",
    "_HOSTNAME",      "host",      "hostname",       "pod",          "pod_name",
    "CONTAINER_NAME", "container", "container_name", "container_id", "SYSLOG_IDENTIFIER",
    "_PID",           "pid",
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static int name_source(struct envelope *e, const struct jsonfield *fields,
                       struct envelope_message *m)
{
    int r = 0;

    for (size_t i = WHO; r == 0 && i < N_NAMES; i++) {
        if (!fields[i].value)
            continue;
        buf_clear(&e->message);
        r = jsonfields_text(&fields[i], &e->message);
        if (r == 0 && e->message.len > 0)
            append(m->source, e->message.data, e->message.len);
        if (r == -EINVAL || r == -E2BIG)
            r = 0; /* no text: it says nothing */
    }
    return r;
}

/* 1: the message is taken out; 0: it is none of these; a negative errno. */
static int open_json(struct envelope *e, const struct logline *line, struct envelope_message *m,
                     bool *ret_more)
{
    struct jsonfield fields[N_NAMES] = {0};
    const struct jsonfield *message = NULL;
    int r;

    for (size_t i = 0; i < N_NAMES; i++)
        fields[i].name = names[i];
    if (!jsonfields_find(line->text, line->n, fields, N_NAMES))
        return 0;
    for (size_t i = MESSAGE; i <= MSG && !message; i++)
        if (fields[i].value && fields[i].depth == 1)
            message = &fields[i];
    if (!message)
        return 0;
    r = name_source(e, fields, m);
    if (r < 0)
        return r;
    buf_clear(&e->message);
    r = jsonfields_text(message, &e->message);
    if (r < 0 && r != -E2BIG)
        return r == -EINVAL ? 0 : r;
    m->text = buf_str(&e->message);
    m->n = e->message.len;
    *ret_more = message == &fields[LOG] && fields[STREAM].value && m->n >= DOCKER_PART &&
                m->text[m->n - 1] != '\n';
    return 1;
}

/* ESC [ … and a letter. */
static int without_colours(struct envelope *e, struct envelope_message *m)
{
    const char *p = m->text, *end = p + m->n;
    int r = 0;

    if (!memchr(p, '\033', m->n))
        return 0;
    buf_clear(&e->plain);
    while (r == 0 && p < end) {
        const char *escape = memchr(p, '\033', (size_t)(end - p));
        const char *part = escape ? escape : end;

        r = add(&e->plain, p, (size_t)(part - p));
        for (p = part; p < end && !((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')); p++)
            ;
        p += p < end;
    }
    m->text = buf_str(&e->plain);
    m->n = e->plain.len;
    return r;
}

int envelope_open(struct envelope *e, const struct logline *line, struct envelope_message *ret)
{
    bool more = false;
    int r = 0;

    *ret = (struct envelope_message){.text = line->text, .n = line->n, .number = line->number};
    if (!open_cri(line->text, ret, &more)) {
        r = open_json(e, line, ret, &more);
        if (r < 0)
            return r;
    }
    r = without_colours(e, ret);
    return r < 0 ? r : join(e, more, ret);
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether a word is a time, or a part of one: digits with only what stands between them in times. */
static bool is_time(const char *word, size_t n)
{
    bool digits = false;

    for (size_t i = 0; i < n; i++) {
        digits |= digit(word[i]);
        if (!digit(word[i]) && !strchr("[](){}-+:./,TZ", word[i]))
            return false;
    }
    return digits || n == 1;
}

static bool is_month(const char *word, size_t n)
{
    return n == 3 && strstr("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
                            (char[4]){word[0], word[1], word[2], '\0'});
}

/* "ts=2026-11-29T22:11:06Z", or a counter; a process id stays. */
static bool is_named_time(const char *word, size_t n)
{
    const char *value = memchr(word, '=', n);
    size_t name = value ? (size_t)(value - word) : 0;

    if (!value || n - name < 2 || (name == 3 && memcmp(word, "pid", 3) == 0))
        return false;
    value++;
    n -= name + 1;
    if (n > 2 && *value == '"' && value[n - 1] == '"') {
        value++;
        n -= 2;
    }
    return is_time(value, n);
}

static bool changes(const char *word, size_t n)
{
    return is_time(word, n) || is_named_time(word, n) || is_month(word, n);
}

void envelope_prefix(const char *text, size_t n, char source[static ENVELOPE_SOURCE_MAX])
{
    size_t at = 0;

    while (at < n) {
        size_t begin;

        while (at < n && (text[at] == ' ' || text[at] == '\t'))
            at++;
        for (begin = at; at < n && text[at] != ' ' && text[at] != '\t'; at++)
            ;
        if (at > begin && !changes(text + begin, at - begin))
            append(source, text + begin, at - begin);
    }
}
