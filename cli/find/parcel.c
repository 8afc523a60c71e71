/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/parcel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/common/screen.h"

#define COPY_SIZE (256u << 10)

void parcel_init(struct parcel *p, const char *key, int out, bool flat, bool replace)
{
    *p = (struct parcel){
        .key = key, .out = out, .replace = replace, .arrival.landing = {.dir = -1, .fd = -1}};
    (void)snprintf(p->path, sizeof(p->path), "%s", key);
    for (char *c = p->path; flat && *c; c++) {
        if (*c == '/')
            *c = '_';
    }
    buf_init(&p->record, FACTS_RECORD_MAX);
}

void parcel_done(struct parcel *p)
{
    arrival_done(&p->arrival);
    buf_done(&p->record);
}

int parcel_use_record(struct parcel *p)
{
    struct facts facts;
    int r = facts_parse(buf_str(&p->record), p->record.len, false, &facts);

    if (r < 0)
        return r == -ENOMEM ? r : 0;
    if (facts.sha256)
        memcpy(p->sha256, facts.sha256, sizeof(p->sha256));
    if (facts.has_bytes)
        p->most = facts.bytes;
    facts_done(&facts);
    return 0;
}

static enum parcel_end no_place(struct parcel *p, int r)
{
    p->error = r;
    return PARCEL_NO_PLACE;
}

static int write_record(struct parcel *p, struct arrival *a)
{
    char old[ARRIVAL_SHA256_SIZE], new[ARRIVAL_SHA256_SIZE];
    int there, r = arrival_begin(a);

    if (r == 0)
        r = arrival_write(a, p->record.data, p->record.len);
    if (r == 0)
        r = arrival_sha256(a, new);
    if (r < 0)
        return r;
    there = arrival_existing(a, old);
    if (there < 0)
        return there;
    return there > 0 && strcmp(old, new) == 0 ? 0 : landing_finish(&a->landing, true);
}

/* The record belongs to the trace that is or will be there, so an older record may be replaced. */
static int place_record(struct parcel *p)
{
    char path[NAME_KEY_MAX];
    struct arrival a;
    int r;

    if (p->record.len == 0)
        return 0;
    r = arrival_init(&a, p->out, name_record_key(p->path, path));
    if (r < 0)
        return r;
    r = write_record(p, &a);
    arrival_done(&a);
    return r;
}

static enum parcel_end there_already(struct parcel *p)
{
    int r = place_record(p);

    return r < 0 ? no_place(p, r) : PARCEL_THERE;
}

/* Compares the file that has the name with the expected bytes. */
static enum parcel_end compare(struct parcel *p, const char *sha256)
{
    char existing[ARRIVAL_SHA256_SIZE];
    int r = arrival_existing(&p->arrival, existing);

    if (r < 0)
        return no_place(p, r);
    if (r > 0 && strcmp(existing, sha256) == 0)
        return there_already(p);
    return r > 0 && !p->replace ? PARCEL_DIFFERENT : PARCEL_GOES_ON;
}

enum parcel_end parcel_prepare(struct parcel *p)
{
    enum parcel_end end = PARCEL_GOES_ON;
    int r = arrival_init(&p->arrival, p->out, p->path);

    if (r < 0)
        return no_place(p, r);
    if (*p->sha256)
        end = compare(p, p->sha256);
    if (end == PARCEL_GOES_ON)
        r = arrival_begin(&p->arrival);
    return r < 0 ? no_place(p, r) : end;
}

enum parcel_end parcel_settle(struct parcel *p)
{
    char sha256[ARRIVAL_SHA256_SIZE];
    enum parcel_end end;
    int r = arrival_sha256(&p->arrival, sha256);

    if (r < 0)
        return no_place(p, r);
    if (*p->sha256 && strcmp(p->sha256, sha256) != 0)
        return PARCEL_DAMAGED;
    end = compare(p, sha256);
    if (end != PARCEL_GOES_ON)
        return end;
    r = place_record(p);
    if (r == 0)
        r = landing_finish(&p->arrival.landing, p->replace);
    if (r == -EEXIST)
        return PARCEL_DIFFERENT;
    return r < 0 ? no_place(p, r) : PARCEL_PULLED;
}

static enum parcel_end copy_bytes(struct parcel *p, int fd)
{
    _cleanup_free_ char *buffer = malloc(COPY_SIZE);
    ssize_t n = 0;
    int r = buffer ? 0 : -ENOMEM;

    while (r == 0 && (n = read(fd, buffer, COPY_SIZE)) != 0) {
        if (atomic_load(&p->cancelled))
            return PARCEL_CANCELLED;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            p->error = -errno;
            return PARCEL_NO_SOURCE;
        }
        r = arrival_write(&p->arrival, buffer, (size_t)n);
        (void)atomic_fetch_add(&p->bytes, (uint64_t)n);
    }
    return r < 0 ? no_place(p, r) : PARCEL_GOES_ON;
}

enum parcel_end parcel_copy(struct parcel *p, const struct local *l)
{
    _cleanup_close_ int fd = -1;
    enum parcel_end end;
    int r = local_trace(l, p->key, &fd, &p->where);

    if (r == -ENOENT)
        return PARCEL_MISSING;
    if (r == 0)
        r = local_record(l, p->key, &p->record);
    if (r < 0 && r != -ENOENT && r != -E2BIG) {
        p->error = r;
        return PARCEL_NO_SOURCE;
    }
    if (r < 0) /* missing or too long: the trace is pulled without it */
        buf_clear(&p->record);
    r = parcel_use_record(p);
    if (r < 0) {
        p->error = r;
        return PARCEL_NO_SOURCE;
    }
    end = parcel_prepare(p);
    if (end == PARCEL_GOES_ON)
        end = copy_bytes(p, fd);
    return end == PARCEL_GOES_ON ? parcel_settle(p) : end;
}

static const char *place_error(int error)
{
    switch (error) {
    case EBUSY: return "another pull is writing it";
    case EISDIR: return "what stands in its place is no regular file";
    case ELOOP:
    case ENOTDIR: return "what stands in the place of a directory is none";
    default: return strerror(error);
    }
}

static const char *asked(const struct parcel_story *s)
{
    if (s->asked_spool)
        return s->asked_store ? " in the spool, nor in the store" : " in the spool";
    return s->asked_store ? " in the store" : "";
}

void parcel_say_success(const struct parcel *p, enum parcel_end end, bool from_store, bool brief)
{
    char size[PARSE_TEXT_SIZE];

    if (!*p->sha256)
        complain("%s: neither record nor store tells its hash; it is not verified", p->key);
    if (brief)
        return;
    if (end == PARCEL_THERE)
        (void)fprintf(stderr, "%s: already here\n", p->key);
    else
        (void)fprintf(stderr, "%s: %s from the %s\n", p->key,
                      format_size(p->arrival.landing.size, size), from_store ? "store" : "spool");
}

void parcel_say(const struct parcel_story *s)
{
    const char *key = s->parcel->key;

    if (s->text)
        complain("%s: %s", key, s->text);
    else if (s->end == PARCEL_MISSING)
        complain("%s: there is no such trace%s", key, asked(s));
    else if (s->end == PARCEL_DIFFERENT)
        complain("%s: another file is at %s/%s; --force replaces it", key, s->directory,
                 s->parcel->path);
    else if (s->end == PARCEL_DAMAGED)
        complain("%s: the bytes from the %s do not have the hash that they should; nothing of them "
                 "is kept",
                 key, s->asked_store ? "store" : "spool");
    else if (s->end == PARCEL_NO_SOURCE)
        complain("%s: cannot be read: %s", key, strerror(-s->parcel->error));
    else
        complain("%s: cannot be written below %s: %s", key, s->directory,
                 place_error(-s->parcel->error));
}
