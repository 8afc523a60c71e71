/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/workload.h"

#include <stdlib.h>
#include <string.h>

/* Letters and digits of names that Kubernetes makes: no vowels, and nothing that looks like one
 * (k8s.io/apimachinery, util/rand). */
#define GENERATED "bcdfghjklmnpqrstvwxz2456789"
#define HASH_MAX 10 /* of a 32 bit number */

/* A CronJob's Jobs are called after the minute that they are for, since the epoch. */
#define MINUTE_MIN 8

/* The length of `name` without its last part, if that has only these bytes, `least` to `most`. */
static size_t without_last(const char *name, const char *of, size_t least, size_t most)
{
    const char *dash = strrchr(name, '-');
    size_t n = dash ? strlen(dash + 1) : 0;

    if (!dash || dash == name || n < least || n > most || strspn(dash + 1, of) != n)
        return strlen(name);
    return (size_t)(dash - name);
}

/* The ReplicaSet is called after its Deployment and the template's hash, which is a label of the
 * pod. */
static size_t deployment_length(const struct pod *p, const char *name)
{
    const char *hash = pod_find(p, POD_LABEL, "pod-template-hash");
    size_t n = strlen(name), of_hash = hash ? strlen(hash) : 0;

    if (!hash)
        return without_last(name, GENERATED, 1, HASH_MAX);
    if (of_hash > 0 && n > of_hash + 1 && name[n - of_hash - 1] == '-' &&
        strcmp(name + n - of_hash, hash) == 0)
        return n - of_hash - 1;
    return n;
}

static const char *said_by_labels(const struct pod *p)
{
    static const char *const labels[] = {"app.kubernetes.io/name", "k8s-app", "app"};

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        const char *value = pod_find(p, POD_LABEL, labels[i]);

        if (value && value[0])
            return value;
    }
    return pod_fact(p, POD_NAME);
}

char *workload_name(const struct pod *p)
{
    const char *kind = pod_fact(p, POD_CONTROLLER_KIND), *name = pod_fact(p, POD_CONTROLLER_NAME);

    /* The kubelet's own pods belong to their node. */
    if (!name[0] || strcmp(kind, "Node") == 0)
        return strdup(said_by_labels(p));
    if (strcmp(kind, "ReplicaSet") == 0)
        return strndup(name, deployment_length(p, name));
    if (strcmp(kind, "Job") == 0)
        return strndup(name, without_last(name, "0123456789", MINUTE_MIN, MINUTE_MIN));
    return strdup(name);
}
