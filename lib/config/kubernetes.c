/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/kubernetes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config/keys/access_keys.h"
#include "lib/config/keys/scalar.h"
#include "lib/config/keys/table.h"
#include "lib/net/origin.h"

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define AT(type, field) .offset = offsetof(struct type, field)

#define NAME_MAX_BYTES 63
#define SELECTOR_MAX 2048
#define SELECTORS_MAX 16

enum role {
    ROLE_NONE,
    ROLE_POD,
    ROLE_OTHER,
};

static const struct table_choice roles[] = {{"pod", ROLE_POD}, {NULL, 0}};

/* Prometheus takes selectors of all roles in one list; those of others mean nothing here. */
static const struct table_choice selector_roles[] = {
    {"pod", ROLE_POD},
    {"service", ROLE_OTHER},
    {"endpoints", ROLE_OTHER},
    {"node", ROLE_OTHER},
    {"endpointslice", ROLE_OTHER},
    {"ingress", ROLE_OTHER},
    {NULL, 0},
};

/* An item of kubernetes_sd_configs as it is written. */
struct item {
    enum role role;
    struct kubernetes_sd sd;
};

struct selector {
    enum role role;
    char *label, *field;
};

static const char *check_server(const char *url)
{
    struct origin o;
    int n = origin_parse(url, &o);

    if (n < 0)
        return "must be a URL of http or https, without user and password";
    return strpbrk(url, "?#") ? "must be a URL without a query" : NULL;
}

static const char *check_namespace(const char *name)
{
    size_t n = strlen(name);

    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n || name[0] == '-' ||
        name[n - 1] == '-')
        return "must have small letters, digits and hyphens only";
    return NULL;
}

static int read_name(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    static const struct table_key row = {
        .name = "a name in namespaces",
        .type = TABLE_STRING,
        .max = NAME_MAX_BYTES,
        .check = check_namespace,
    };
    struct kubernetes_sd *sd = base;
    char *name = NULL;
    int r;

    if (!sd->namespaces) {
        sd->namespaces = calloc(count, sizeof(*sd->namespaces));
        if (!sd->namespaces)
            return yaml_file_oom(f);
    }
    r = scalar_read(f, node, &row, &name);
    for (size_t i = 0; r == 0 && i < sd->n_namespaces; i++) {
        if (strcmp(sd->namespaces[i], name) == 0)
            r = yaml_file_error(f, node, "namespaces: %s is given twice", name);
    }
    if (r == 0)
        sd->namespaces[sd->n_namespaces++] = name;
    else
        free(name);
    return r;
}

static const struct table_key namespaces_keys[] = {
    {.name = "names",
     .type = TABLE_LIST,
     .flags = TABLE_NONEMPTY,
     AT(kubernetes_sd, namespaces),
     .max = KUBERNETES_NAMESPACES_MAX,
     .item = read_name},
    {.name = "own_namespace", .type = TABLE_BOOL, AT(kubernetes_sd, own_namespace)},
};

static const struct table namespaces_table = {.where = "in namespaces", KEYS(namespaces_keys)};

static const struct table_key selector_keys[] = {
    {.name = "role",
     .type = TABLE_CHOICE,
     .flags = TABLE_REQUIRED,
     AT(selector, role),
     .choices = selector_roles},
    {.name = "label", .type = TABLE_STRING, AT(selector, label), .max = SELECTOR_MAX},
    {.name = "field", .type = TABLE_STRING, AT(selector, field), .max = SELECTOR_MAX},
};

static const struct table selector_table = {.where = "in selectors", KEYS(selector_keys)};

static int take_selector(struct yaml_file *f, const yaml_node_t *node, struct kubernetes_sd *sd,
                         struct selector *s)
{
    if (s->role == ROLE_POD && !s->label && !s->field)
        return yaml_file_error(f, node, "selectors: one with the role pod needs label or field");
    if (s->role != ROLE_POD)
        return 0;
    if (sd->label || sd->field)
        return yaml_file_error(f, node, "selectors: more than one has the role pod");
    sd->label = s->label;
    sd->field = s->field;
    s->label = s->field = NULL;
    return 0;
}

static int read_selector(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct selector s = {0};
    struct item *item = base;
    int r = table_read(f, node, &selector_table, &s);

    (void)count;
    if (r == 0)
        r = take_selector(f, node, &item->sd, &s);
    free(s.label);
    free(s.field);
    return r;
}

static const struct table_key item_keys[] = {
    {.name = "role",
     .type = TABLE_CHOICE,
     .flags = TABLE_REQUIRED,
     AT(item, role),
     .choices = roles},
    {.name = "api_server",
     .type = TABLE_STRING,
     AT(item, sd.api_server),
     .max = SELECTOR_MAX,
     .check = check_server},
    {.name = "namespaces", .type = TABLE_MAPPING, AT(item, sd), .table = &namespaces_table},
    {.name = "selectors",
     .type = TABLE_LIST,
     AT(item, sd.label),
     .max = SELECTORS_MAX,
     .item = read_selector},
    {.name = "basic_auth",
     .type = TABLE_MAPPING,
     AT(item, sd.access.auth),
     .table = &access_keys_basic_auth},
    {.name = "authorization",
     .type = TABLE_MAPPING,
     AT(item, sd.access.auth),
     .table = &access_keys_authorization},
    {.name = "tls_config",
     .type = TABLE_MAPPING,
     .flags = TABLE_NULLABLE,
     AT(item, sd.access.tls),
     .table = &access_keys_tls},
    {.name = "proxy_url",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(item, sd.access.proxy.url),
     .max = ACCESS_PROXY_MAX},
    {.name = "no_proxy",
     .type = TABLE_STRING,
     .flags = TABLE_NULLABLE,
     AT(item, sd.access.proxy.no_proxy),
     .max = ACCESS_PROXY_MAX},
    {.name = "proxy_from_environment",
     .type = TABLE_BOOL,
     AT(item, sd.access.proxy.from_environment)},
    {.name = "kubeconfig_file",
     .type = TABLE_REFUSED,
     .hint = "give `api_server`, `authorization` and `tls_config`"},
    {.name = "attach_metadata",
     .type = TABLE_REFUSED,
     .hint = "labels of nodes and namespaces would need further rights"},
};

static const struct table item_table = {.where = "in kubernetes_sd_configs", KEYS(item_keys)};

void kubernetes_sd_done(struct kubernetes_sd *k)
{
    free(k->api_server);
    for (size_t i = 0; i < k->n_namespaces; i++)
        free(k->namespaces[i]);
    free(k->namespaces);
    free(k->label);
    free(k->field);
    access_done(&k->access);
    *k = (struct kubernetes_sd){0};
}

static bool has_access(const struct access *a)
{
    return a->auth.basic_username || a->auth.credentials_file || a->tls.ca_file ||
           a->tls.cert_file || a->tls.key_file || a->tls.server_name ||
           a->tls.insecure_skip_verify || a->proxy.url || a->proxy.no_proxy ||
           a->proxy.from_environment;
}

/* As every program in a pod finds the API server. */
static int fill_in_cluster(struct yaml_file *f, const yaml_node_t *node, struct kubernetes_sd *sd)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    bool v6 = host && strchr(host, ':');

    if (!host || !host[0] || !port || !port[0])
        return yaml_file_error(f, node,
                               "needs api_server: this is no pod of Kubernetes, as "
                               "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
    if (has_access(&sd->access))
        return yaml_file_error(f, node,
                               "needs api_server beside its own authorization, basic_auth, "
                               "tls_config or proxy: in the cluster these are known");
    if (asprintf(&sd->api_server, "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port) <
        0) {
        sd->api_server = NULL;
        return yaml_file_oom(f);
    }
    if (check_server(sd->api_server))
        return yaml_file_error(
            f, node, "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are no address");
    sd->access.auth.credentials_file = strdup(KUBERNETES_SECRETS "token");
    sd->access.tls.ca_file = strdup(KUBERNETES_SECRETS "ca.crt");
    return sd->access.auth.credentials_file && sd->access.tls.ca_file ? 0 : yaml_file_oom(f);
}

/* Without any bound every daemon of a DaemonSet would capture all pods of the cluster. */
static int fill_node(struct yaml_file *f, const yaml_node_t *node, struct kubernetes_sd *sd)
{
    const char *name = getenv("NODE_NAME");

    if (sd->field)
        return 0;
    if (name && name[0]) {
        if (asprintf(&sd->field, "spec.nodeName=%s", name) >= 0)
            return 0;
        sd->field = NULL;
        return yaml_file_oom(f);
    }
    if (sd->n_namespaces > 0 || sd->own_namespace || sd->label)
        return 0;
    return yaml_file_error(f, node,
                           "needs NODE_NAME in the environment (by the downward API, from "
                           "spec.nodeName), or namespaces, or a selector of pods: else each "
                           "contraced would capture all pods of the cluster");
}

static int fill(struct yaml_file *f, const yaml_node_t *node, struct kubernetes_sd *sd)
{
    size_t n = sd->api_server ? strlen(sd->api_server) : 0;
    int r = 0;

    if (!sd->api_server)
        r = fill_in_cluster(f, node, sd);
    else if (sd->api_server[n - 1] == '/')
        sd->api_server[n - 1] = '\0';
    if (r == 0 && access_keys_fill(&sd->access.auth) < 0)
        r = yaml_file_oom(f);
    return r < 0 ? r : fill_node(f, node, sd);
}

int kubernetes_sd_read(struct yaml_file *f, const yaml_node_t *node, void *base, size_t count)
{
    struct job_config *job = base;
    struct item item = {0};
    int r = yaml_file_spend(f, node, sizeof(item.sd));

    if (r < 0)
        return r;
    if (!job->kubernetes) {
        job->kubernetes = calloc(count, sizeof(*job->kubernetes));
        if (!job->kubernetes)
            return yaml_file_oom(f);
    }
    r = table_read(f, node, &item_table, &item);
    if (r == 0)
        r = fill(f, node, &item.sd);
    job->kubernetes[job->n_kubernetes++] = item.sd;
    return r;
}
