/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The way to a set of credentials: what is there to begin with, and who is asked one after the
 * other. A role that is assumed with the keys of another role is a way of two steps. It is plain
 * data, made by those who look at the environment and at files (credaws.h, credgoogle.h,
 * credazure.h) and walked by credremote.h.
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
    CREDSERVICE_ROLE,         /* STS: AssumeRole, signed with what the step before gave */
    CREDSERVICE_SSO,          /* IAM Identity Center's portal */
    CREDSERVICE_PROCESS,      /* credential_process */
    CREDSERVICE_GCE,          /* Google's metadata server */
    CREDSERVICE_JWT,          /* a service account's key */
    CREDSERVICE_REFRESH,      /* a person's refresh token */
    CREDSERVICE_SUBJECT,      /* a token of another cloud, by URL */
    CREDSERVICE_EXCHANGE,     /* Google's STS: for such a token, one of Google's */
    CREDSERVICE_IMPERSONATE,  /* for one of Google's, a service account's */
    CREDSERVICE_ENTRA,        /* Azure: a secret or a token of Kubernetes for one of Azure's */
    CREDSERVICE_MANAGED,      /* Azure's metadata service, or that of App Service */
};

/* What a step has to know; which of these is each service's affair. */
enum credstep_text {
    CREDSTEP_URL,    /* whole, but for IMDS: what stands before the path */
    CREDSTEP_REGION, /* that is signed for */
    CREDSTEP_ROLE,
    CREDSTEP_SESSION,
    CREDSTEP_EXTERNAL_ID,
    CREDSTEP_DURATION,
    CREDSTEP_FILE,    /* a token's */
    CREDSTEP_ORIGIN,  /* what named that file, for messages: a variable or a key */
    CREDSTEP_FIELD,   /* the member of a JSON document that is the token; NULL: it is all text */
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
    const char *source;        /* in one word: "environment" */
    bool from_files;           /* long-lived keys of files, which may be rotated */
    struct secret_set secrets; /* what the first step begins with, or all, if there is no step */
    struct credstep steps[CREDROUTE_STEPS_MAX];
    size_t n_steps;
    char label[CREDROUTE_LABEL_SIZE];  /* for people; no secret */
    char remark[CREDROUTE_LABEL_SIZE]; /* what may not be as it was meant; "": nothing */
};

void credroute_init(struct credroute *r);

/* Wipes and releases. */
void credroute_done(struct credroute *r);

/* `from` is empty afterwards. */
void credroute_move(struct credroute *from, struct credroute *to);

/* Adds a step, to be filled in. NULL if there are too many. */
struct credstep *credroute_add(struct credroute *r, enum credservice_name service,
                               enum reach_peer peer);

/* Copies; NULL and "" are nothing. 0 or -ENOMEM. */
int credstep_set(struct credstep *s, enum credstep_text which, const char *text);

/* The value of a variable that is set and not empty, or NULL. */
const char *credroute_env(const char *name);
