/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/rows/rowfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BETWEEN '+' /* in no service and no host */

static struct tm utc(usec time)
{
    time_t seconds = (time_t)(time / USEC_PER_SEC);
    struct tm tm = {0};

    (void)gmtime_r(&seconds, &tm);
    return tm;
}

const char *rowfile_day(usec time, char out[static ROWFILE_DAY_SIZE])
{
    struct tm tm = utc(time);

    if (strftime(out, ROWFILE_DAY_SIZE, "%Y-%m-%d", &tm) == 0)
        (void)strcpy(out, "1970-01-01");
    return out;
}

const char *rowfile_stem(const char *day, const char *service, char out[static ROWFILE_NAME_MAX])
{
    (void)snprintf(out, ROWFILE_NAME_MAX, "%s%c%s%c", day, BETWEEN, service, BETWEEN);
    return out;
}

const char *rowfile_new(const char *day, const char *service, const char *host, usec now,
                        uint32_t random, char out[static ROWFILE_NAME_MAX])
{
    struct tm tm = utc(now);
    size_t n = strlen(rowfile_stem(day, service, out));

    (void)snprintf(out + n, ROWFILE_NAME_MAX - n, "%s-%02d%02d%02d-%08" PRIx32 ROWFILE_OPEN, host,
                   tm.tm_hour, tm.tm_min, tm.tm_sec, random);
    return out;
}

static bool is_day(const char *text)
{
    static const char form[] = "dddd-dd-dd";

    for (size_t i = 0; form[i]; i++) {
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    }
    return text[sizeof(form) - 1] == '\0';
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n > m && strcmp(text + n - m, suffix) == 0;
}

/* A name of letters, digits, '.', '_' and '-' that does not begin with a point. */
static bool is_leaf(const char *text)
{
    return text[0] != '.' &&
           text[strspn(
               text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

/* The three parts of a text, the last of which may hold no separator. */
static int split(const char *text, char between, struct rowfile *ret)
{
    const char *service = strchr(text, between);
    const char *leaf = service ? strchr(service + 1, between) : NULL;
    int n;

    if (!leaf || service - text != ROWFILE_DAY_SIZE - 1)
        return -EINVAL;
    (void)snprintf(ret->day, sizeof(ret->day), "%s", text);
    n = snprintf(ret->service, sizeof(ret->service), "%.*s", (int)(leaf - service - 1),
                 service + 1);
    if (n < 0 || (size_t)n >= sizeof(ret->service))
        return -EINVAL;
    n = snprintf(ret->leaf, sizeof(ret->leaf), "%s", leaf + 1);
    if (n < 0 || (size_t)n >= sizeof(ret->leaf))
        return -EINVAL;
    return is_day(ret->day) && name_part_ok(ret->service) && is_leaf(ret->leaf) ? 0 : -EINVAL;
}

bool rowfile_is(const char *name, const char *suffix)
{
    struct rowfile f;

    return has_suffix(name, suffix) && split(name, BETWEEN, &f) == 0;
}

const char *rowfile_path(const struct rowfile *f, char out[static ROWFILE_KEY_MAX])
{
    (void)snprintf(out, ROWFILE_KEY_MAX, "dt=%s/service=%s/%s", f->day, f->service, f->leaf);
    return out;
}

int rowfile_key(const char *name, char ret[static ROWFILE_KEY_MAX])
{
    char path[ROWFILE_KEY_MAX];
    struct rowfile f;

    if (!has_suffix(name, ROWFILE_READY) || split(name, BETWEEN, &f) < 0)
        return -EINVAL;
    (void)snprintf(ret, ROWFILE_KEY_MAX, ROWFILE_PREFIX "%.*s",
                   ROWFILE_KEY_MAX - (int)sizeof(ROWFILE_PREFIX), rowfile_path(&f, path));
    return 0;
}

int rowfile_parse(const char *key, struct rowfile *ret)
{
    static const char day[] = ROWFILE_PREFIX "dt=", service[] = "service=";
    char text[ROWFILE_KEY_MAX];
    int n;

    if (strncmp(key, day, sizeof(day) - 1) != 0 || !has_suffix(key, ROWFILE_READY))
        return -EINVAL;
    key += sizeof(day) - 1;
    if (strlen(key) < ROWFILE_DAY_SIZE ||
        strncmp(key + ROWFILE_DAY_SIZE, service, sizeof(service) - 1) != 0)
        return -EINVAL;
    n = snprintf(text, sizeof(text), "%.*s%s", ROWFILE_DAY_SIZE, key,
                 key + ROWFILE_DAY_SIZE + sizeof(service) - 1);
    return n < 0 || (size_t)n >= sizeof(text) ? -EINVAL : split(text, '/', ret);
}
