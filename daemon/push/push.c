/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/push/push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/parse.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/capture/incident_tag.h"
#include "daemon/capture/intake.h"
#include "daemon/order/allowance.h"

/* Room that is asked for at first, where the length is not announced. */
#define FIRST_ROOM (1u << 20)

#define BUSY_WAIT USEC_PER_SEC /* until one of the same service has come */
#define CROWDED_WAIT (5 * USEC_PER_SEC)

struct push {
    struct pushes *pushes;
    struct push *next;
    const struct push_handlers *handlers; /* NULL: nobody waits for it any more */
    void *userdata;
    char *service, *host, *job, *reason, *from;
    struct record_label *labels;
    size_t n_labels;
    uint32_t pid;
    uint64_t limit, room;
    usec start; /* real time */
    struct spool_file *file;
    struct intake intake;
    bool taking; /* the intake has begun: the file has its first room */
    int error;   /* why it cannot be kept, as a negative errno; 0: nothing is known against it */
    bool publishing;
    bool judged; /* `result` is known */
    struct capture_result result;
    struct incident *begins;
    char incident[NAME_KEY_MAX]; /* "": none */
    char none[PUSH_WHY_SIZE];    /* why; "": nobody wants one */
};

struct pushes {
    sd_event *event;
    struct spool *spool;
    struct counters *counters;
    push_kept_fn fn;
    void *userdata;
    struct allowance allowance; /* by service */
    struct push *first;
    unsigned n;
    bool drained;
    char text[CAPTURE_TEXT_MAX]; /* of the last that was refused */
};

int pushes_new(sd_event *event, struct spool *spool, struct counters *counters, push_kept_fn fn,
               void *userdata, struct pushes **ret)
{
    struct pushes *ps = calloc(1, sizeof(*ps));

    if (!ps)
        return -ENOMEM;
    ps->event = event;
    ps->spool = spool;
    ps->counters = counters;
    ps->fn = fn;
    ps->userdata = userdata;
    allowance_init(&ps->allowance);
    *ret = ps;
    return 0;
}

void pushes_free(struct pushes *ps)
{
    if (!ps)
        return;
    allowance_done(&ps->allowance);
    free(ps);
}

void pushes_drain(struct pushes *ps)
{
    ps->drained = true;
}

static void labels_free(struct record_label *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free((char *)(uintptr_t)labels[i].name);
        free((char *)(uintptr_t)labels[i].value);
    }
    free(labels);
}

static void push_free(struct push *p)
{
    if (p->taking)
        intake_done(&p->intake);
    labels_free(p->labels, p->n_labels);
    free(p->service);
    free(p->host);
    free(p->job);
    free(p->reason);
    free(p->from);
    free(p);
}

/* Ends it: gives the file back unless it was published, and counts. */
static void leave(struct push *p, enum reception reception)
{
    struct pushes *ps = p->pushes;
    struct push **at = &ps->first;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    ps->n--;
    ps->counters->pushes[reception]++;
    spool_file_discard(p->file);
    push_free(p);
}

static void tell(const struct push *p, const struct push_end *end)
{
    if (p->handlers)
        p->handlers->ended(p->userdata, end);
}

void pushes_cut(struct pushes *ps)
{
    const struct push_end end = {.reception = RECEPTION_REFUSED, .text = "contraced is stopping"};
    struct push *next;

    ps->drained = true;
    for (struct push *p = ps->first; p; p = next) {
        next = p->next;
        if (p->publishing)
            continue;
        tell(p, &end);
        leave(p, end.reception);
    }
}

bool pushes_idle(const struct pushes *ps)
{
    return ps->n == 0;
}

void pushes_refused(struct pushes *ps, enum reception why)
{
    ps->counters->pushes[why]++;
}

static int copy_labels(struct push *p, const struct push_offer *offer)
{
    p->labels = calloc(offer->n_labels + 1, sizeof(*p->labels));
    if (!p->labels)
        return -ENOMEM;
    for (; p->n_labels < offer->n_labels; p->n_labels++) {
        struct record_label *l = &p->labels[p->n_labels];

        l->name = strdup(offer->labels[p->n_labels].name);
        l->value = strdup(offer->labels[p->n_labels].value);
        if (!l->name || !l->value) {
            p->n_labels++;
            return -ENOMEM;
        }
    }
    return 0;
}

static struct push *push_new(struct pushes *ps, const struct push_offer *offer)
{
    struct push *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    *p = (struct push){
        .pushes = ps,
        .service = strdup(offer->service),
        .host = strdup(offer->host),
        .job = strdup(offer->job),
        .reason = strdup(offer->reason),
        .from = strdup(offer->from),
        .pid = offer->pid,
        .limit = offer->limit,
        .room = offer->length > 0 ? offer->length : FIRST_ROOM,
        .start = loop_now(ps->event, CLOCK_REALTIME),
    };
    if (p->room > p->limit)
        p->room = p->limit;
    if (!p->service || !p->host || !p->job || !p->reason || !p->from || copy_labels(p, offer) < 0) {
        push_free(p);
        return NULL;
    }
    return p;
}

static int on_grow(void *userdata, uint64_t bytes)
{
    struct push *p = userdata;

    p->room = bytes;
    return spool_file_grow(p->file, bytes);
}

static int begin_taking(struct push *p)
{
    int r = intake_init(&p->intake, artifacts_of_kind(KIND_FLIGHT), spool_file_fd(p->file),
                        p->limit, p->room, on_grow, p);

    p->taking = r == 0;
    return r;
}

/* The spool's answer to the first reservation, or to a later one. */
static void on_room(struct spool_file *file, int r, void *userdata)
{
    struct push *p = userdata;

    (void)file;
    if (p->taking)
        intake_room(&p->intake, p->room, r);
    else
        p->error = r < 0 ? r : begin_taking(p);
    if (p->handlers)
        p->handlers->resume(p->userdata);
}

static enum reception reception_of_errno(int r)
{
    return outcome_of_errno(r) == OUTCOME_NO_SPACE ? RECEPTION_REFUSED : RECEPTION_FAILED;
}

/* Why the service may not push now; RECEPTION_KEPT: it may. */
static enum reception check(struct pushes *ps, const struct push_offer *offer, uint64_t id,
                            usec now, usec *ret_wait)
{
    *ret_wait = 0;
    if (ps->drained)
        return RECEPTION_REFUSED;
    *ret_wait = BUSY_WAIT;
    for (const struct push *p = ps->first; p; p = p->next) {
        if (strcmp(p->service, offer->service) == 0)
            return RECEPTION_BUSY;
    }
    *ret_wait = allowance_wait(&ps->allowance, id, PUSH_COST, now);
    if (*ret_wait > 0)
        return RECEPTION_LIMITED;
    if (offer->length > offer->limit)
        return RECEPTION_TOO_LARGE;
    *ret_wait = CROWDED_WAIT;
    return ps->n >= PUSHES_MAX ? RECEPTION_REFUSED : RECEPTION_KEPT;
}

enum reception push_begin(struct pushes *ps, const struct push_offer *offer,
                          const struct push_handlers *handlers, void *userdata, struct push **ret,
                          usec *ret_wait)
{
    uint64_t id = allowance_id("push", offer->service);
    usec now = loop_now(ps->event, CLOCK_BOOTTIME);
    enum reception reception = check(ps, offer, id, now, ret_wait);
    struct push *p;
    int r;

    if (reception != RECEPTION_KEPT) {
        pushes_refused(ps, reception);
        return reception;
    }
    p = push_new(ps, offer);
    r = p ? spool_file_new(ps->spool, p->room, on_room, p, &p->file) : -ENOMEM;
    if (r > 0) {
        r = begin_taking(p);
        if (r < 0)
            spool_file_discard(p->file);
    }
    if (r < 0) {
        if (p)
            push_free(p);
        pushes_refused(ps, reception_of_errno(r));
        return reception_of_errno(r);
    }
    (void)allowance_take(&ps->allowance, id, PUSH_COST, now);
    p->handlers = handlers;
    p->userdata = userdata;
    p->next = ps->first;
    ps->first = p;
    ps->n++;
    *ret = p;
    return RECEPTION_KEPT;
}

int push_take(struct push *p, const void *data, size_t n)
{
    int r = p->error;

    if (r == 0 && p->taking)
        r = intake_take(&p->intake, data, n);
    if (r < 0 && p->error == 0)
        p->error = r;
    return r;
}

/* Judges what has come. `whole`: all of it has. */
static void judge(struct push *p, bool whole)
{
    const struct http_result came = {
        .error = whole ? HTTP_OK : HTTP_ABORTED, .status = 200, .delimited = whole};

    intake_judge(&p->intake, &(struct evidence){.http = &came, .sent = true}, &p->result);
    p->judged = true;
    if (p->result.error == -ENOSPC || p->result.error == -EDQUOT)
        spool_found_full(p->pushes->spool);
}

static enum reception reception_of(const struct push *p)
{
    const char *cut = p->taking ? p->intake.cut_by : NULL;

    if (cut && strcmp(cut, "size_limit") == 0)
        return RECEPTION_TOO_LARGE;
    if (cut)
        return RECEPTION_REFUSED; /* no room */
    if (p->error < 0 && !p->taking)
        return reception_of_errno(p->error);
    if (p->result.error < 0)
        return reception_of_errno(p->result.error);
    return p->result.outcome == OUTCOME_RESOURCES ? RECEPTION_FAILED : RECEPTION_NOT_A_TRACE;
}

/* A sender in a loop is no reason for a line each: its allowance is. */
static void say_lost(const struct push *p, enum reception reception, const char *text)
{
    log_write(LOG_LEVEL_WARN,
              &(struct log_fields){
                  .service = p->service, .target = p->from, .result = reception_name(reception)},
              "a flight recording that %s pushed is not kept: %s%s%s", p->service,
              reception_name(reception), *text ? ": " : "", text);
}

void push_refuse(struct push *p, struct push_end *ret)
{
    struct pushes *ps = p->pushes;
    char size[PARSE_TEXT_SIZE];

    if (p->taking && !p->judged)
        judge(p, false);
    *ret = (struct push_end){.reception = reception_of(p), .outcome = p->result.outcome};
    if (ret->reception == RECEPTION_TOO_LARGE)
        (void)snprintf(ps->text, sizeof(ps->text), "it is longer than body_size_limit, %s",
                       format_size(p->limit, size));
    else if (ret->reception == RECEPTION_REFUSED)
        (void)snprintf(ps->text, sizeof(ps->text), "there is no room for it in the spool");
    else if (!p->taking)
        (void)snprintf(ps->text, sizeof(ps->text), "%s",
                       p->error < 0 ? strerror(-p->error) : "an empty body");
    else
        (void)snprintf(ps->text, sizeof(ps->text), "%s", p->result.text);
    ret->text = ps->text;
    say_lost(p, ret->reception, ret->text);
    leave(p, ret->reception);
}

static void say_kept(const struct push *p, const char *key)
{
    char size[PARSE_TEXT_SIZE];
    const struct artifact_facts *facts = &p->result.facts;

    log_write(LOG_LEVEL_INFO,
              &(struct log_fields){.service = p->service,
                                   .target = p->from,
                                   .key = key,
                                   .result = outcome_name(p->result.outcome),
                                   .message_id = MESSAGE_ID_CAPTURED},
              "received a flight recording of %s (%s): %s, go 1.%u, %s%s%s%s%s", p->service,
              p->reason, format_size(p->result.bytes, size), facts->go_minor, key,
              p->result.text[0] ? "; " : "", p->result.text, p->none[0] ? "; no incident: " : "",
              p->none);
}

static void on_published(int r, const char *key, void *userdata)
{
    struct push *p = userdata;
    struct push_end end = {
        .reception = r < 0 ? reception_of_errno(r) : RECEPTION_KEPT,
        .outcome = p->result.outcome,
        .text = r < 0 ? strerror(-r) : p->result.text,
        .key = key,
        .bytes = p->result.bytes,
        .sha256 = p->result.sha256,
        .incident = p->incident[0] ? p->incident : NULL,
        .none = p->none[0] ? p->none : NULL,
    };

    if (r < 0) {
        say_lost(p, end.reception, end.text);
    } else {
        p->pushes->counters->pushed_bytes += end.bytes;
        say_kept(p, key);
        p->pushes->fn(p->pushes->userdata, p->job, key);
    }
    if (p->begins)
        incident_evidence_ended(p->begins, r < 0 ? outcome_of_errno(r) : end.outcome, end.text,
                                key);
    tell(p, &end);
    leave(p, end.reception);
}

static char *record_of(const struct push *p, const struct name *name)
{
    const struct capture_result *result = &p->result;
    const struct artifact_facts *facts = &result->facts;
    char go_version[16];

    (void)snprintf(go_version, sizeof(go_version), "1.%u", facts->go_minor);
    return record_to_json(&(struct record){
        .artifact = kind_name(name->kind),
        .service = name->service,
        .host = name->host,
        .pid = name->pid,
        .target = p->from,
        .job = p->job,
        .labels = p->labels,
        .n_labels = p->n_labels,
        .reason = p->reason,
        .incident = p->incident[0] ? p->incident : NULL,
        .start = p->start,
        .span = facts->span,
        .bytes = result->bytes,
        .sha256 = result->sha256,
        .go_version = facts->go_minor > 0 ? go_version : NULL,
        .complete = !result->cut_by,
        .received = result->received,
        .truncated_by = result->cut_by,
        .counts = &(struct record_count){facts->counted, facts->count},
        .n_counts = 1,
    });
}

int push_judge(struct push *p)
{
    if (!p->taking)
        return p->error < 0 ? p->error : -EAGAIN;
    judge(p, true);
    return outcome_published(p->result.outcome) ? 0 : -EBADMSG;
}

/* Which incident its record names. An incident's id is the name of its first evidence, so no other
 * file may have that name. */
static void join(struct push *p, const struct push_incident *incident, struct name *name)
{
    p->begins = incident->begins;
    if (p->begins) {
        spool_file_choose_stem(p->file, name);
        (void)snprintf(p->incident, sizeof(p->incident), "%s",
                       incident_tag_propose(incident_evidence_tag(p->begins), name));
    } else if (incident->id) {
        (void)snprintf(p->incident, sizeof(p->incident), "%s", incident->id);
    } else if (incident->none) {
        (void)snprintf(p->none, sizeof(p->none), "%s", incident->none);
    }
}

int push_publish(struct push *p, const struct push_incident *incident)
{
    _cleanup_free_ char *json = NULL;
    struct name name;

    name_init(&name, p->service, p->host, p->start, p->pid);
    name.kind = KIND_FLIGHT;
    join(p, incident, &name);
    json = record_of(p, &name);
    if (!json) {
        p->result.outcome = OUTCOME_RESOURCES;
        (void)snprintf(p->result.text, sizeof(p->result.text), "not enough memory for the record");
        if (p->begins)
            incident_evidence_ended(p->begins, OUTCOME_RESOURCES, p->result.text, NULL);
        return -ENOMEM;
    }
    p->publishing = true;
    spool_file_publish(steal(&p->file), &name, p->result.bytes, json, on_published, p);
    return 0;
}

const char *push_service(const struct push *p)
{
    return p->service;
}

const char *push_host(const struct push *p)
{
    return p->host;
}

const char *push_reason(const struct push *p)
{
    return p->reason;
}

void push_drop(struct push *p)
{
    if (p->publishing) {
        p->handlers = NULL;
        return;
    }
    say_lost(p, RECEPTION_CUT, "the sender broke off, or took too long");
    leave(p, RECEPTION_CUT);
}
