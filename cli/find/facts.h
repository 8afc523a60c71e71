/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The fields of a record (`.json`) that the commands show or check. Records come from a store, so
 * they may contain anything.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record/kind.h"

#define FACTS_RECORD_MAX (256u << 10) /* bytes of a record */

/* A field that is missing or of the wrong type is NULL or 0. */
struct facts {
    char *reason, *go_version, *truncated_by, *label;
    char *incident;           /* the id that all evidence of an incident shares */
    char *rule, *unit, *text; /* of the trigger */
    char *joined;             /* reasons of those that joined the incident: "trigger:a, alert:b" */
    unsigned takes;           /* a bit for each kind that the incident takes */
    char *without[KINDS];     /* why it had none of the kind when this was kept */
    char *findings;           /* the codes of what was found: "lock-contention, gc-pressure" */
    double value, threshold;  /* of the trigger */
    char *sha256;             /* 64 lower-case hex digits */
    double seconds, requested_seconds;
    double covered; /* the share of the trace that label and numbers rest on */
    uint64_t bytes, samples;
    json_t *record; /* all of it, if it is to be kept */
    bool has_bytes, has_complete, complete, has_covered, has_samples, has_value;
};

/* `keep`: the whole record, too. 0, -ENOMEM, or -EINVAL when it is no JSON object. */
int facts_parse(const char *json, size_t n, bool keep, struct facts *ret);
void facts_done(struct facts *f);
