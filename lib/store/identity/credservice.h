/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Internals of credremote.h, for credremote.c and the files that know one service each: how it is
 * asked and what its answer means.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "lib/net/http.h"
#include "lib/net/redact.h"
#include "lib/store/identity/credroute.h"
#include "lib/store/identity/fetch.h"

#define CREDSERVICE_TEXT_SIZE 256
#define CREDSERVICE_TOKEN_MAX (32u << 10) /* bytes of a token's file */
#define CREDSERVICE_ROLE_SIZE 129
#define CREDSERVICE_URL_SIZE 4096
#define CREDSERVICE_FORM_MAX (128u << 10)

/* A metadata service is one hop away, so it answers fast or does not exist. */
#define CREDSERVICE_NEAR .connect_timeout = 2 * USEC_PER_SEC, .timeout = 10 * USEC_PER_SEC
#define CREDSERVICE_FAR .connect_timeout = 10 * USEC_PER_SEC, .timeout = 30 * USEC_PER_SEC

struct credremote {
    sd_event *event;
    struct http *http;
    const struct reach *reach;
    struct credroute route;
    size_t at;             /* the step under way */
    struct secret_set set; /* what the step before gave */
    /* the end, as credremote_fn */
    void (*fn)(void *userdata, int r, struct secret_set *secrets, const char *text);
    void *userdata;
    /* continues after an answer or after a step without HTTP; may free everything */
    void (*on_reply)(void *userdata, const struct fetch_reply *reply);
    void (*ended)(struct credremote *c, int r, struct secret_set *set);

    /* of the step under way */
    const struct credservice *service;
    struct fetch *fetch;
    struct child *child;
    unsigned part;                    /* progress within a service that is asked several times */
    char role[CREDSERVICE_ROLE_SIZE]; /* IMDS */
    struct buf token;                 /* a token or a header line of this step */
    struct redact secrets;            /* secrets in the request: no message may contain them */

    char why[CREDROUTE_WHY_SIZE];
};

struct credservice {
    const char *name;
    /* Starts to ask; on_reply or ended follows. 0 or a negative errno with c->why, as for take. */
    int (*ask)(struct credremote *c);
    /* Handles an answer with status 200. 1: ask again; 0: credentials are complete. NULL: parse
     * does it. */
    int (*take)(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret);
    /* Reads the document; if the status is not 200, the error in it. */
    int (*parse)(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                 char *why, size_t why_size);
    /* Optional: what another status than 200 means, for people, or NULL. Status 0: no answer. */
    const char *(*hint)(const struct credremote *c, long status);
};

/* The services, in the order of enum credservice_name. */
extern const struct credservice credservice_container, credservice_imds;
extern const struct credservice credservice_web_identity, credservice_role;
extern const struct credservice credservice_sso, credservice_process;
extern const struct credservice credservice_gce, credservice_jwt, credservice_refresh;
extern const struct credservice credservice_subject, credservice_exchange, credservice_impersonate;
extern const struct credservice credservice_entra, credservice_managed;

/* The step's text, or NULL. */
const char *credservice_text(const struct credremote *c, enum credstep_text which);

/* Sets c->why and returns `error`. */
int credservice_refuse(struct credremote *c, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads the document into `ret`: 0, or a negative errno and why, without the secrets in use. */
int credservice_parse(struct credremote *c, const struct fetch_reply *reply, struct secret_set *ret,
                      char why[static CREDSERVICE_TEXT_SIZE]);

int credservice_send(struct credremote *c, const struct http_options *options);

/* POSTs a form to the step's URL, with `headers` (at most 8) and the line in c->token. */
int credservice_send_form(struct credremote *c, const struct buf *form,
                          const struct http_header *headers, size_t n_headers);

/*
 * Appends the content of the step's token file, without the line break at its end, or the JSON
 * member that the step names. The caller wipes `b`.
 */
int credservice_read_token(struct credremote *c, struct buf *b);

/* The member `field` of a JSON document; NULL: the whole text. */
int credservice_pick(struct credremote *c, const char *text, size_t n, const char *field,
                     struct buf *b);

/* Appends "name=value", encoded. */
int credservice_add(struct buf *form, const char *name, const char *value);
