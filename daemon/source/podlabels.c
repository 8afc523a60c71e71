/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/podlabels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/source/kube/choice.h"
#include "daemon/source/kube/workload.h"

#define META "__meta_kubernetes_"
#define NAME_SIZE 512
#define ADDRESS_SIZE 128
#define PATH_SIZE 1024

static const char *const fact_labels[POD_FACTS] = {
    [POD_NAMESPACE] = META "namespace",
    [POD_NAME] = META "pod_name",
    [POD_UID] = META "pod_uid",
    [POD_IP] = META "pod_ip",
    [POD_HOST_IP] = META "pod_host_ip",
    [POD_NODE] = META "pod_node_name",
    [POD_PHASE] = META "pod_phase",
    [POD_READY] = META "pod_ready",
    [POD_CONTROLLER_KIND] = META "pod_controller_kind",
    [POD_CONTROLLER_NAME] = META "pod_controller_name",
};

/* What goes into the target's records, and its place in keys. Relabelling may change it. */
static void set_own(struct labelset *ls, const struct pod *p, const char *service)
{
    labelset_set(ls, "service", service);
    labelset_set(ls, "namespace", pod_fact(p, POD_NAMESPACE));
    labelset_set(ls, "pod", pod_fact(p, POD_NAME));
    labelset_set(ls, "node", pod_fact(p, POD_NODE));
    labelset_set(ls, "__host__", pod_fact(p, POD_NAME));
}

/* A name as Prometheus makes it fit into a label's. */
static void set_named(struct labelset *ls, const char *prefix, const char *name, const char *value)
{
    char label[NAME_SIZE];
    size_t n = (size_t)snprintf(label, sizeof(label), META "%s%s", prefix, name);

    for (size_t i = 0; i < n && i < sizeof(label) - 1; i++) {
        char c = label[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            label[i] = '_';
    }
    labelset_set(ls, label, value);
}

static void set_meta(struct labelset *ls, const struct pod *p)
{
    struct pod_entry e = {0};

    for (size_t i = 0; i < POD_FACTS; i++)
        labelset_set(ls, fact_labels[i], pod_fact(p, (enum pod_fact)i));
    while (pod_next(p, &e)) {
        if (e.tag == POD_LABEL) {
            set_named(ls, "pod_label_", e.text[0], e.text[1]);
            set_named(ls, "pod_labelpresent_", e.text[0], "true");
        } else if (e.tag == POD_ANNOTATION) {
            set_named(ls, "pod_annotation_", e.text[0], e.text[1]);
            set_named(ls, "pod_annotationpresent_", e.text[0], "true");
        }
    }
}

/* "10.1.2.3:6060" or "[fd00::1]:6060"; without a port as Prometheus has it. */
static const char *address_of(const struct pod *p, const char *port, char out[static ADDRESS_SIZE])
{
    const char *ip = pod_fact(p, POD_IP);
    bool v6 = strchr(ip, ':') != NULL;

    (void)snprintf(out, ADDRESS_SIZE, "%s%s%s%s%s", v6 ? "[" : "", ip, v6 ? "]" : "",
                   port ? ":" : "", port ? port : "");
    return out;
}

/* `port` is an entry, or NULL for a container without any. */
static int put_port(const struct pod *p, const struct pod_entry *container,
                    const struct pod_entry *port, const char *service, struct target_sink *to)
{
    struct labelset *ls = target_sink_begin(to);
    char address[ADDRESS_SIZE];

    set_own(ls, p, service);
    set_meta(ls, p);
    labelset_set(ls, "__address__", address_of(p, port ? port->text[0] : NULL, address));
    labelset_set(ls, "container", container->text[0]);
    labelset_set(ls, META "pod_container_name", container->text[0]);
    labelset_set(ls, META "pod_container_image", container->text[1]);
    labelset_set(ls, META "pod_container_id", container->text[2]);
    labelset_set(ls, META "pod_container_init", container->text[3]);
    if (port) {
        labelset_set(ls, META "pod_container_port_number", port->text[0]);
        labelset_set(ls, META "pod_container_port_name", port->text[1]);
        labelset_set(ls, META "pod_container_port_protocol", port->text[2]);
    }
    return target_sink_put(to);
}

static int put_all(const struct pod *p, const char *service, struct target_sink *to)
{
    struct pod_entry e = {0}, container = {0};
    bool bare = false; /* a container came, and no port of it yet */
    int r = 0;

    while (r == 0 && pod_next(p, &e)) {
        if (e.tag == POD_PORT) {
            r = put_port(p, &container, &e, service, to);
            bare = false;
            continue;
        }
        if (bare)
            r = put_port(p, &container, NULL, service, to);
        bare = e.tag == POD_CONTAINER;
        if (bare)
            container = e;
    }
    return r == 0 && bare ? put_port(p, &container, NULL, service, to) : r;
}

/* Traces are beside CPU profiles, if those are where net/http/pprof would have them. */
static void set_path(struct labelset *ls, const struct annotation *says)
{
    static const char last[] = "/profile";
    size_t n = says->cpu_path ? strlen(says->cpu_path) : 0, of_last = sizeof(last) - 1;
    char path[PATH_SIZE];

    if (says->path) {
        labelset_set(ls, "__path__", says->path);
    } else if (n >= of_last && n < sizeof(path) &&
               strcmp(says->cpu_path + n - of_last, last) == 0) {
        (void)snprintf(path, sizeof(path), "%.*s/trace", (int)(n - of_last), says->cpu_path);
        labelset_set(ls, "__path__", path);
    }
}

static int put_chosen(const struct pod *p, const char *service, struct target_sink *to)
{
    char address[ADDRESS_SIZE], port[8];
    struct labelset *ls;
    struct choice c;

    if (choice_of(p, &c) != CHOICE_ONE)
        return 0;
    ls = target_sink_begin(to);
    (void)snprintf(port, sizeof(port), "%u", c.port);
    set_own(ls, p, service);
    labelset_set(ls, "__address__", address_of(p, port, address));
    labelset_set(ls, "container", c.container ? c.container : "");
    if (c.says.scheme)
        labelset_set(ls, "__scheme__", c.says.scheme);
    if (c.says.artifacts)
        labelset_set(ls, "__artifacts__", c.says.artifacts);
    set_path(ls, &c.says);
    return target_sink_put(to);
}

int podlabels_put(const struct pod *p, bool relabelled, struct target_sink *to)
{
    _cleanup_free_ char *workload = NULL;
    struct annotation says;

    if (!pod_is_up(p))
        return 0;
    annotation_read(p, &says);
    workload = workload_name(p);
    if (!workload)
        return -ENOMEM;
    if (!says.service)
        says.service = workload;
    return relabelled ? put_all(p, says.service, to) : put_chosen(p, says.service, to);
}
