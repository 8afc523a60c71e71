/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flight recordings that processes send by themselves: judged, hashed and written as they stream,
 * like captures, and then published like these. One is kept when all of it has come, or not at all.
 * One of a service is received at a time, PUSHES_MAX in all, and each service has an allowance
 * (allowance.h) of its own. One can be the first evidence of an incident, which its owner orders.
 * Knows neither HTTP nor which services there are.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/capture/judgement.h"
#include "daemon/order/incident.h"
#include "daemon/outcome/counters.h"
#include "lib/record/record.h"
#include "lib/spool/spool.h"

#define PUSHES_MAX 16 /* received at the same time */
/* In capture time: three at once, then one every 40 seconds. */
#define PUSH_COST (2 * USEC_PER_SEC)

struct pushes;
struct push;

/* What is about to come. Everything is borrowed during push_begin. */
struct push_offer {
    const char *service, *host, *job;
    const struct record_label *labels;
    size_t n_labels;
    const char *reason; /* as in the record: "push:slow GET /" */
    const char *from;   /* as the record's target: "push:unix" */
    uint32_t pid;       /* 0: not known */
    uint64_t length;    /* bytes that were announced; 0: not known */
    uint64_t limit;     /* bytes */
};

/* How one ended. Everything is borrowed during the call. */
struct push_end {
    enum reception reception;
    enum outcome outcome; /* of what is kept: ok or truncated */
    const char *text;     /* for people; "" if there is nothing to say */
    const char *key;      /* NULL: nothing is kept */
    uint64_t bytes;       /* that are kept */
    const char *sha256;   /* of these */
    const char *incident; /* the id of that to which it belongs; NULL: to none */
    const char *none;     /* as in struct push_incident */
};

#define PUSH_WHY_SIZE 320

/* To which incident one belongs. Everything is borrowed during the call. */
struct push_incident {
    struct incident *begins; /* it is the evidence with which this one was ordered; or NULL */
    const char *id;          /* of one that was under way already; or NULL */
    const char *none;        /* why there is none although the sender wants one; or NULL */
};

/* `userdata` is that of push_begin. */
struct push_handlers {
    void (*resume)(void *userdata); /* push_take may be called again */
    /* What push_publish has begun has ended. The push is gone when it returns. */
    void (*ended)(void *userdata, const struct push_end *end);
};

/* Called for each that is kept, before `ended`. */
typedef void (*push_kept_fn)(void *userdata, const char *job, const char *key);

/* All are borrowed. 0 or -ENOMEM. */
int pushes_new(sd_event *event, struct spool *spool, struct counters *counters, push_kept_fn fn,
               void *userdata, struct pushes **ret);
void pushes_free(struct pushes *ps); /* nothing may be under way */

/* No new ones; those under way go on. */
void pushes_drain(struct pushes *ps);

/* The same, and those that are still coming end without being kept, which `ended` tells. */
void pushes_cut(struct pushes *ps);

/* None is under way. */
bool pushes_idle(const struct pushes *ps);

/*
 * Begins to receive. RECEPTION_KEPT: *ret is the caller's until push_drop, push_refuse or
 * push_publish. Anything else is why it is refused, and was counted; *ret_wait is how long until it
 * may be tried again, 0: nobody knows.
 */
enum reception push_begin(struct pushes *ps, const struct push_offer *offer,
                          const struct push_handlers *handlers, void *userdata, struct push **ret,
                          usec *ret_wait);

/* Counts one that is refused for a reason of the caller's. */
void pushes_refused(struct pushes *ps, enum reception why);

/* Takes the next bytes. 1: all. 0: none yet; handlers->resume tells when. A negative errno: it
 * cannot be kept, and push_refuse says why. */
int push_take(struct push *p, const void *data, size_t n);

/* All has come. 0: it is worth keeping, and push_publish follows. A negative errno: it cannot be
 * kept, and push_refuse says why. */
int push_judge(struct push *p);

/* 0: it is being published, and handlers->ended will be called. A negative errno: it cannot be kept,
 * and push_refuse says why. `begins` hears of its evidence in either case. */
int push_publish(struct push *p, const struct push_incident *incident);

/* What was offered. */
const char *push_service(const struct push *p);
const char *push_host(const struct push *p);
const char *push_reason(const struct push *p);

/* Ends one that cannot be kept. `ret` has texts that are valid until the next call for a push. */
void push_refuse(struct push *p, struct push_end *ret);

/* The sender has gone. One that is being published is kept all the same; the handlers are not called
 * any more. */
void push_drop(struct push *p);
