/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/pod.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/source/kube/annotation_name.h"

/* `text` has the facts one after the other, each with its zero, and then the entries: a byte for
 * the tag and its texts. */
struct pod {
    uint16_t size; /* of `text` */
    uint16_t left_out;
    uint16_t facts[POD_FACTS];
    uint16_t entries;
    char text[];
};

#define TEXT_MAX (POD_BYTES_MAX - sizeof(struct pod))

/* A pod while it is read. */
struct maker {
    char text[TEXT_MAX];
    size_t size;
    unsigned left_out;
};

static const unsigned texts_of[] = {
    [POD_LABEL] = 2,
    [POD_ANNOTATION] = 2,
    [POD_CONTAINER] = 4,
    [POD_PORT] = 3,
};

static const char *text_or(const json_t *object, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : otherwise;
}

static bool put(struct maker *m, const char *text)
{
    size_t n = strlen(text) + 1;

    if (n > sizeof(m->text) - m->size)
        return false;
    memcpy(m->text + m->size, text, n);
    m->size += n;
    return true;
}

/* All of an entry or nothing. */
static void put_entry(struct maker *m, enum pod_tag tag, const char *const texts[])
{
    size_t start = m->size;
    bool fits = m->size < sizeof(m->text);

    if (fits)
        m->text[m->size++] = (char)tag;
    for (unsigned i = 0; fits && i < texts_of[tag]; i++)
        fits = put(m, texts[i]);
    if (fits)
        return;
    m->size = start;
    m->left_out++;
}

/* The owner that made it and removes it. */
static const json_t *controller_of(const json_t *metadata)
{
    const json_t *owner;
    size_t i;

    json_array_foreach(json_object_get(metadata, "ownerReferences"), i, owner) {
        if (json_is_true(json_object_get(owner, "controller")))
            return owner;
    }
    return NULL;
}

static const char *readiness(const json_t *status)
{
    const json_t *condition;
    size_t i;

    json_array_foreach(json_object_get(status, "conditions"), i, condition) {
        const char *is = text_or(condition, "status", "");

        if (strcmp(text_or(condition, "type", ""), "Ready") == 0)
            return strcasecmp(is, "True") == 0  ? "true"
                 : strcasecmp(is, "False") == 0 ? "false"
                                                : "unknown";
    }
    return "unknown";
}

static int put_facts(struct maker *m, const json_t *json, uint16_t facts[POD_FACTS])
{
    const json_t *metadata = json_object_get(json, "metadata");
    const json_t *spec = json_object_get(json, "spec"), *status = json_object_get(json, "status");
    const json_t *controller = controller_of(metadata);
    const char *const texts[POD_FACTS] = {
        [POD_NAMESPACE] = text_or(metadata, "namespace", ""),
        [POD_NAME] = text_or(metadata, "name", ""),
        [POD_UID] = text_or(metadata, "uid", ""),
        [POD_IP] = text_or(status, "podIP", ""),
        [POD_HOST_IP] = text_or(status, "hostIP", ""),
        [POD_NODE] = text_or(spec, "nodeName", ""),
        [POD_PHASE] = text_or(status, "phase", ""),
        [POD_READY] = readiness(status),
        [POD_CONTROLLER_KIND] = text_or(controller, "kind", ""),
        [POD_CONTROLLER_NAME] = text_or(controller, "name", ""),
    };

    if (!texts[POD_NAMESPACE][0] || !texts[POD_NAME][0])
        return -EBADMSG;
    for (size_t i = 0; i < POD_FACTS; i++) {
        facts[i] = (uint16_t)m->size;
        if (!put(m, texts[i]))
            return -EBADMSG;
    }
    return 0;
}

static void put_pairs(struct maker *m, enum pod_tag tag, const json_t *pairs,
                      bool (*wanted)(const char *name, const char *value))
{
    const char *name;
    const json_t *value;

    json_object_foreach((json_t *)pairs, name, value) {
        const char *const texts[] = {name, json_string_value(value)};

        if (texts[1] && wanted(name, texts[1]))
            put_entry(m, tag, texts);
    }
}

static bool any(const char *name, const char *value)
{
    (void)name;
    (void)value;
    return true;
}

static bool is_ours(const char *name, const char *value)
{
    (void)value;
    return annotation_name_is_known(name);
}

static bool is_other(const char *name, const char *value)
{
    return !annotation_name_is_known(name) && strlen(value) <= POD_ANNOTATION_VALUE_MAX;
}

static const char *container_id(const json_t *statuses, const char *name)
{
    const json_t *status;
    size_t i;

    json_array_foreach(statuses, i, status) {
        if (strcmp(text_or(status, "name", ""), name) == 0)
            return text_or(status, "containerID", "");
    }
    return "";
}

static void put_container(struct maker *m, const json_t *container, const json_t *statuses,
                          const char *init)
{
    const char *name = text_or(container, "name", "");
    const char *const texts[] = {name, text_or(container, "image", ""),
                                 container_id(statuses, name), init};
    unsigned before = m->left_out;
    const json_t *port;
    size_t i;

    put_entry(m, POD_CONTAINER, texts);
    if (m->left_out != before)
        return;
    json_array_foreach(json_object_get(container, "ports"), i, port) {
        char number[24];
        const char *const of_port[] = {number, text_or(port, "name", ""),
                                       text_or(port, "protocol", "TCP")};

        (void)snprintf(number, sizeof(number), "%lld",
                       (long long)json_integer_value(json_object_get(port, "containerPort")));
        put_entry(m, POD_PORT, of_port);
    }
}

static void put_containers(struct maker *m, const json_t *json, const char *list,
                           const char *statuses, const char *init)
{
    const json_t *found = json_object_get(json_object_get(json, "status"), statuses);
    const json_t *container;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(json, "spec"), list), i, container)
        put_container(m, container, found, init);
}

int pod_read(const json_t *json, struct pod **ret)
{
    const json_t *metadata = json_object_get(json, "metadata");
    const json_t *annotations = json_object_get(metadata, "annotations");
    struct maker m = {0};
    struct pod head = {0}, *p;
    int r = put_facts(&m, json, head.facts);

    if (r < 0)
        return r;
    head.entries = (uint16_t)m.size;
    put_pairs(&m, POD_ANNOTATION, annotations, is_ours);
    put_containers(&m, json, "containers", "containerStatuses", "false");
    put_containers(&m, json, "initContainers", "initContainerStatuses", "true");
    put_pairs(&m, POD_LABEL, json_object_get(metadata, "labels"), any);
    put_pairs(&m, POD_ANNOTATION, annotations, is_other);
    head.size = (uint16_t)m.size;
    head.left_out = (uint16_t)(m.left_out < UINT16_MAX ? m.left_out : UINT16_MAX);
    p = malloc(sizeof(*p) + m.size);
    if (!p)
        return -ENOMEM;
    *p = head;
    memcpy(p->text, m.text, m.size);
    *ret = p;
    return 0;
}

void pod_free(struct pod *p)
{
    free(p);
}

const char *pod_fact(const struct pod *p, enum pod_fact fact)
{
    return p->text + p->facts[fact];
}

bool pod_next(const struct pod *p, struct pod_entry *e)
{
    size_t at = e->next ? e->next : p->entries;

    if (at >= p->size)
        return false;
    e->tag = (enum pod_tag)p->text[at++];
    for (unsigned i = 0; i < POD_ENTRY_TEXTS; i++) {
        e->text[i] = NULL;
        if (i >= texts_of[e->tag])
            continue;
        e->text[i] = p->text + at;
        at += strlen(p->text + at) + 1;
    }
    e->next = at;
    return true;
}

const char *pod_find(const struct pod *p, enum pod_tag tag, const char *name)
{
    struct pod_entry e = {0};

    while (pod_next(p, &e)) {
        if (e.tag == tag && strcmp(e.text[0], name) == 0)
            return e.text[1];
    }
    return NULL;
}

bool pod_is_up(const struct pod *p)
{
    const char *phase = pod_fact(p, POD_PHASE);

    return pod_fact(p, POD_IP)[0] && strcmp(phase, "Succeeded") != 0 &&
           strcmp(phase, "Failed") != 0;
}

bool pod_equal(const struct pod *a, const struct pod *b)
{
    return a->size == b->size && a->entries == b->entries && memcmp(a->text, b->text, a->size) == 0;
}

unsigned pod_left_out(const struct pod *p)
{
    return p->left_out;
}

int pod_compare(const struct pod *a, const struct pod *b)
{
    int r = strcmp(pod_fact(a, POD_NAMESPACE), pod_fact(b, POD_NAMESPACE));

    return r != 0 ? r : strcmp(pod_fact(a, POD_NAME), pod_fact(b, POD_NAME));
}
