/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RECORD_SUFFIX ".json"
/* The last second whose year has four digits. */
#define TIME_MAX ((usec)253402300799 * USEC_PER_SEC)

static bool part_byte_ok(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static void part_init(char out[static NAME_PART_MAX + 1], const char *text)
{
    size_t n = 0;

    for (; text && text[n] && n < NAME_PART_MAX; n++)
        out[n] = part_byte_ok(text[n]) ? text[n] : '_';
    out[n] = '\0';
    if (n == 0 || strcmp(out, ".") == 0)
        strcpy(out, "_");
    else if (strcmp(out, "..") == 0)
        strcpy(out, "__");
}

void name_init(struct name *n, const char *service, const char *host, usec time, uint32_t pid)
{
    part_init(n->service, service);
    part_init(n->host, host);
    n->time = time < TIME_MAX ? time : TIME_MAX;
    n->pid = pid;
    n->sequence = 0;
    n->kind = KIND_TRACE;
}

bool name_part_ok(const char *text)
{
    char safe[NAME_PART_MAX + 1];

    part_init(safe, text);
    return strcmp(safe, text) == 0;
}

/* "yyyymmdd/hhmmss" in UTC. */
static const char *format_time(usec time, char out[static 32])
{
    time_t seconds = (time_t)((time < TIME_MAX ? time : TIME_MAX) / USEC_PER_SEC);
    struct tm tm = {0};

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(out, 32, "%Y%m%d/%H%M%S", &tm);
    return out;
}

const char *name_stem(const struct name *n, char out[static NAME_KEY_MAX])
{
    char when[32], id[32] = "";

    if (n->sequence)
        (void)snprintf(id, sizeof(id), "-%" PRIu32 "-%" PRIu32, n->pid, n->sequence);
    else if (n->pid)
        (void)snprintf(id, sizeof(id), "-%" PRIu32, n->pid);
    (void)snprintf(out, NAME_KEY_MAX, "%s/%s/%s%s", n->service, n->host, format_time(n->time, when),
                   id);
    return out;
}

const char *name_key(const struct name *n, char out[static NAME_KEY_MAX])
{
    size_t stem = strlen(name_stem(n, out));

    (void)snprintf(out + stem, NAME_KEY_MAX - stem, "%s", kind_suffix(n->kind));
    return out;
}

bool name_is_stem(const char *text)
{
    char key[NAME_KEY_MAX];
    struct name name;
    int n = snprintf(key, sizeof(key), "%s%s", text, kind_suffix(KIND_TRACE));

    return n < NAME_KEY_MAX && name_parse(key, &name) == 0 && name.kind == KIND_TRACE;
}

/* Finds the kind whose suffix the text ends with. If two fit, the longer one counts:
 * ".flight.trace" also ends with ".trace". */
static bool find_suffix(const char *text, enum kind *ret)
{
    size_t n = strlen(text), longest = 0;

    for (unsigned i = 0; i < KINDS; i++) {
        const char *suffix = kind_suffix((enum kind)i);
        size_t m = strlen(suffix);

        if (m > longest && n >= m && strcmp(text + n - m, suffix) == 0) {
            longest = m;
            *ret = (enum kind)i;
        }
    }
    return longest > 0;
}

enum kind name_kind(const char *key)
{
    enum kind kind = KIND_TRACE;

    (void)find_suffix(key, &kind);
    return kind;
}

const char *name_record_key(const char *key, char out[static NAME_KEY_MAX])
{
    size_t stem = strlen(key);
    enum kind kind;

    if (find_suffix(key, &kind) && kind == KIND_TRACE)
        stem -= strlen(kind_suffix(KIND_TRACE));

    (void)snprintf(out, NAME_KEY_MAX, "%.*s" RECORD_SUFFIX, (int)stem, key);
    return out;
}

/* Parses a part and the '/' after it. */
static int parse_part(const char **p, char out[static NAME_PART_MAX + 1])
{
    size_t n = 0;

    while (part_byte_ok((*p)[n]))
        n++;
    if (n == 0 || n > NAME_PART_MAX || (*p)[n] != '/')
        return -EINVAL;
    memcpy(out, *p, n);
    out[n] = '\0';
    *p += n + 1;
    return strcmp(out, ".") == 0 || strcmp(out, "..") == 0 ? -EINVAL : 0;
}

/* Parses exactly `digits` digits. */
static int parse_fixed(const char **p, unsigned digits, int *ret)
{
    int value = 0;

    for (unsigned i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -EINVAL;
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return 0;
}

/* Parses "-" and a number. */
static int parse_id(const char **p, uint32_t *ret)
{
    uint64_t value = 0;
    const char *start = ++*p;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        value = value * 10 + (uint64_t)(**p - '0');
        if (value > UINT32_MAX)
            return -EINVAL;
    }
    if (*p == start)
        return -EINVAL;
    *ret = (uint32_t)value;
    return 0;
}

static int parse_time(const char **p, usec *ret)
{
    struct tm tm = {0};
    time_t seconds;

    if (parse_fixed(p, 4, &tm.tm_year) < 0 || parse_fixed(p, 2, &tm.tm_mon) < 0 ||
        parse_fixed(p, 2, &tm.tm_mday) < 0 || *(*p)++ != '/' ||
        parse_fixed(p, 2, &tm.tm_hour) < 0 || parse_fixed(p, 2, &tm.tm_min) < 0 ||
        parse_fixed(p, 2, &tm.tm_sec) < 0)
        return -EINVAL;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    seconds = timegm(&tm);
    if (seconds < 0)
        return -EINVAL;
    *ret = (usec)seconds * USEC_PER_SEC;
    return 0;
}

int name_parse(const char *key, struct name *ret)
{
    char again[NAME_KEY_MAX];
    struct name n = {0};
    const char *p = key;

    if (parse_part(&p, n.service) < 0 || parse_part(&p, n.host) < 0 || parse_time(&p, &n.time) < 0)
        return -EINVAL;
    if (*p == '-' && parse_id(&p, &n.pid) < 0)
        return -EINVAL;
    if (*p == '-' && parse_id(&p, &n.sequence) < 0)
        return -EINVAL;
    /* Refuses every other spelling of the same name (the 31st of February, leading zeros, "-0"). */
    if (!kind_of_suffix(p, &n.kind) || strcmp(name_key(&n, again), key) != 0)
        return -EINVAL;
    *ret = n;
    return 0;
}

int name_of_record(const char *record, char ret_key[static NAME_KEY_MAX])
{
    size_t n = strlen(record), end = strlen(RECORD_SUFFIX);
    char key[NAME_KEY_MAX], again[NAME_KEY_MAX];
    struct name name;
    enum kind kind;

    if (n <= end || n >= sizeof(key) || strcmp(record + n - end, RECORD_SUFFIX) != 0)
        return -EINVAL;
    (void)snprintf(key, sizeof(key), "%.*s", (int)(n - end), record);
    if (!find_suffix(key, &kind) && n - end + strlen(kind_suffix(KIND_TRACE)) < sizeof(key))
        (void)strcat(key, kind_suffix(KIND_TRACE));
    if (name_parse(key, &name) < 0 || strcmp(name_record_key(key, again), record) != 0)
        return -EINVAL;
    (void)strcpy(ret_key, key);
    return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int name_compare(const struct name *a, const struct name *b)
{
    int r = compare_numbers(a->time / USEC_PER_SEC, b->time / USEC_PER_SEC);

    if (r == 0)
        r = strcmp(a->service, b->service);
    if (r == 0)
        r = strcmp(a->host, b->host);
    if (r == 0)
        r = compare_numbers(a->pid, b->pid);
    if (r == 0)
        r = compare_numbers(a->sequence, b->sequence);
    return r ? r : compare_numbers(a->kind, b->kind);
}

const char *name_prefix(const char *service, const char *host, usec day,
                        char out[static NAME_KEY_MAX])
{
    char when[32];

    if (!host)
        (void)snprintf(out, NAME_KEY_MAX, "%s/", service);
    else if (day == USEC_NEVER)
        (void)snprintf(out, NAME_KEY_MAX, "%s/%s/", service, host);
    else
        (void)snprintf(out, NAME_KEY_MAX, "%s/%s/%.8s/", service, host, format_time(day, when));
    return out;
}

const char *name_position(const struct name *n, char out[static NAME_KEY_MAX])
{
    char when[32];

    (void)snprintf(out, NAME_KEY_MAX, "%s/%s/%s", n->service, n->host, format_time(n->time, when));
    return out;
}

/* '0' is the byte that follows '/' in ASCII. */
const char *name_behind(const char *service, const char *host, char out[static NAME_KEY_MAX])
{
    if (host)
        (void)snprintf(out, NAME_KEY_MAX, "%s/%s0", service, host);
    else
        (void)snprintf(out, NAME_KEY_MAX, "%s0", service);
    return out;
}
