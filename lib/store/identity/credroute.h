/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The route to credentials: what is known at the start, and which services are asked one after the
 * other. A role that is assumed with the keys of another role takes two steps. It is plain data:
 * credaws.h, credgoogle.h and credazure.h make it from the environment and files, credremote.h
 * follows it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/store/credential/secret.h"
#include "lib/store/identity/reach.h"

#define CREDROUTE_STEPS_MAX 8
#define CREDROUTE_LABEL_SIZE 320
#define CREDROUTE_WHY_SIZE 480

/* Who can be asked. */
enum credservice_name {
    CREDSERVICE_CONTAINER,    /* ECS's or EKS's endpoint */
    CREDSERVICE_IMDS,         /* the instance's role */
    CREDSERVICE_WEB_IDENTITY, /* STS: AssumeRoleWithWebIdentity */
    CREDSERVICE_ROLE,         /* STS: AssumeRole, signed with the keys of the step before */
    CREDSERVICE_SSO,          /* IAM Identity Center's portal */
    CREDSERVICE_PROCESS,      /* credential_process */
    CREDSERVICE_GCE,          /* Google's metadata server */
    CREDSERVICE_JWT,          /* a service account's key */
    CREDSERVICE_REFRESH,      /* a person's refresh token */
    CREDSERVICE_SUBJECT,      /* another cloud's token, from a URL */
    CREDSERVICE_EXCHANGE,     /* Google's STS: exchanges that token for one of Google's */
    CREDSERVICE_IMPERSONATE,  /* exchanges Google's token for a service account's */
    CREDSERVICE_ENTRA,   /* Entra: exchanges a secret or a Kubernetes token for one of Azure's */
    CREDSERVICE_MANAGED, /* Azure's metadata service, or App Service's */
};

/* Parameters of a step; each service uses some of them. */
enum credstep_text {
    CREDSTEP_URL,    /* the whole URL; for IMDS without the path */
    CREDSTEP_REGION, /* that is signed for */
    CREDSTEP_ROLE,
    CREDSTEP_SESSION,
    CREDSTEP_EXTERNAL_ID,
    CREDSTEP_DURATION,
    CREDSTEP_FILE,    /* a token's */
    CREDSTEP_ORIGIN,  /* the variable or key that named the file, for messages */
    CREDSTEP_FIELD,   /* the JSON member with the token; NULL: the whole text is the token */
    CREDSTEP_HEADERS, /* "Name: value\n" each */
    CREDSTEP_TOKEN,
    CREDSTEP_COMMAND,
    CREDSTEP_ACCOUNT, /* SSO's account, a service account's address */
    CREDSTEP_CLIENT,
    CREDSTEP_SECRET, /* of the client, or a private key */
    CREDSTEP_KEY_ID,
    CREDSTEP_SCOPE,
    CREDSTEP_AUDIENCE,
    CREDSTEP_TYPE, /* of a subject's token */
    CREDSTEP_BODY,
    CREDSTEP_TEXTS
};

struct credstep {
    enum credservice_name service;
    enum reach_peer peer;        /* whose host it is */
    char *texts[CREDSTEP_TEXTS]; /* owned and wiped; NULL: there is none */
};

struct credroute {
    const char *source;        /* one word, such as "environment" */
    bool from_files;           /* long-lived keys of files, which may be rotated */
    struct secret_set secrets; /* input of the first step, or the result if there is no step */
    struct credstep steps[CREDROUTE_STEPS_MAX];
    size_t n_steps;
    char label[CREDROUTE_LABEL_SIZE];  /* for people; no secret */
    char remark[CREDROUTE_LABEL_SIZE]; /* a warning for the user; "": none */
};

void credroute_init(struct credroute *r);

/* Wipes and releases. */
void credroute_done(struct credroute *r);

/* Moves the route; `from` is empty afterwards. */
void credroute_move(struct credroute *from, struct credroute *to);

/* Adds a step for the caller to fill in. NULL if there are too many. */
struct credstep *credroute_add(struct credroute *r, enum credservice_name service,
                               enum reach_peer peer);

/* Copies a text; NULL for NULL and "". 0 or -ENOMEM. */
int credstep_set(struct credstep *s, enum credstep_text which, const char *text);

/* The value of an environment variable that is set and not empty, or NULL. */
const char *credroute_env(const char *name);
