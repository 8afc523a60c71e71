/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is kept of a pod: some facts, its labels, annotations, containers and ports, in one block of
 * at most POD_BYTES_MAX. Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POD_BYTES_MAX 2000u          /* of a pod in memory, all of it */
#define POD_ANNOTATION_VALUE_MAX 512 /* bytes; longer ones of others are left out */

/* Texts that each pod has; "" for what is not known yet. */
enum pod_fact {
    POD_NAMESPACE,
    POD_NAME,
    POD_UID,
    POD_IP,
    POD_HOST_IP,
    POD_NODE,
    POD_PHASE,
    POD_READY, /* true, false or unknown */
    POD_CONTROLLER_KIND,
    POD_CONTROLLER_NAME,
    POD_FACTS,
};

enum pod_tag {
    POD_LABEL = 1,  /* name, value */
    POD_ANNOTATION, /* name, value */
    POD_CONTAINER,  /* name, image, id or "", whether it is an init container: true or false */
    POD_PORT,       /* of the container before it: number, name or "", protocol */
};

#define POD_ENTRY_TEXTS 4

struct pod;

struct pod_entry {
    enum pod_tag tag;
    const char *text[POD_ENTRY_TEXTS];
    size_t next; /* for pod_next; 0 to begin with */
};

/*
 * Reads a Pod of the API's version v1. What does not fit is left out: annotations of other programs
 * first, then labels. 0, -ENOMEM, or -EBADMSG for what is no pod.
 */
int pod_read(const json_t *json, struct pod **ret);
void pod_free(struct pod *p);

const char *pod_fact(const struct pod *p, enum pod_fact fact);

/* The next entry; false: there is none. Ports follow their container. */
bool pod_next(const struct pod *p, struct pod_entry *e);

/* The value of an annotation or label; NULL: there is none. */
const char *pod_find(const struct pod *p, enum pod_tag tag, const char *name);

/* It runs or will, and has an address: something in it may answer. */
bool pod_is_up(const struct pod *p);

/* Both are the same in all that is kept. */
bool pod_equal(const struct pod *a, const struct pod *b);

/* How many labels, annotations, containers and ports were left out. */
unsigned pod_left_out(const struct pod *p);

/* Orders by namespace and name. */
int pod_compare(const struct pod *a, const struct pod *b);
