/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credazure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/loop.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/identity/credplan.h"
#include "lib/store/identity/credservice.h"

#define AUTHORITY "https://login.microsoftonline.com"
#define RESOURCE "https://storage.azure.com/"
#define SCOPE RESOURCE ".default"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define METADATA "http://169.254.169.254"
#define METADATA_QUERY "/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
#define APP_QUERY "?api-version=2019-08-01&resource="
#define URL_MAX 4096

struct azure {
    struct credroute *route;
    char *why;
    size_t why_size;
};

static int __attribute__((format(printf, 3, 4))) refuse(const struct azure *a, int error,
                                                        const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(a->why, a->why_size, fmt, ap);
    va_end(ap);
    return error;
}

static void __attribute__((format(printf, 2, 3))) label(const struct azure *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(a->route->label, sizeof(a->route->label), fmt, ap);
    va_end(ap);
}

static bool is_tenant(const char *tenant)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";

    return tenant[strspn(tenant, alphabet)] == '\0' && strlen(tenant) < 256;
}

/* Adds a step that asks the tenant's token endpoint with the client's id. */
static int add_entra(const struct azure *a, struct credstep **ret)
{
    const char *tenant = credroute_env("AZURE_TENANT_ID");
    const char *client = credroute_env("AZURE_CLIENT_ID");
    const char *authority = credroute_env("AZURE_AUTHORITY_HOST");
    struct credstep *s = credroute_add(a->route, CREDSERVICE_ENTRA, REACH_PUBLIC);
    char host[CREDPLAN_URL_SIZE], url[CREDPLAN_URL_SIZE + 300];
    size_t n;
    int r;

    if (!tenant || !client)
        return refuse(a, -EINVAL, "%s is not set", tenant ? "AZURE_CLIENT_ID" : "AZURE_TENANT_ID");
    if (!is_tenant(tenant))
        return refuse(a, -EINVAL, "AZURE_TENANT_ID is not the name of a tenant");
    /* As in the SDKs, a host without scheme means https. */
    if (snprintf(host, sizeof(host), "%s%s",
                 authority && !strstr(authority, "://") ? "https://" : "",
                 authority ? authority : AUTHORITY) >= (int)sizeof(host))
        return refuse(a, -EINVAL, "AZURE_AUTHORITY_HOST is too long");
    r = credplan_secret_url(host, false, "AZURE_AUTHORITY_HOST", a->why, a->why_size);
    if (r < 0)
        return r;
    n = strlen(host);
    while (n > 0 && host[n - 1] == '/')
        host[--n] = '\0';
    (void)snprintf(url, sizeof(url), "%s/%s/oauth2/v2.0/token", host, tenant);
    if (!s || credstep_set(s, CREDSTEP_URL, url) < 0 ||
        credstep_set(s, CREDSTEP_CLIENT, client) < 0)
        return refuse(a, -ENOMEM, "%s", strerror(ENOMEM));
    s->peer = authority ? REACH_NAMED : REACH_PUBLIC;
    *ret = s;
    return 0;
}

static int find_environment(const struct azure *a)
{
    static const char *const refused[] = {"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME",
                                          "AZURE_PASSWORD"};
    const char *secret = credroute_env("AZURE_CLIENT_SECRET");
    struct credstep *s;
    int r;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) && !secret; i++) {
        if (credroute_env(refused[i]))
            return refuse(a, -ENOTSUP,
                          "%s is not supported: set AZURE_CLIENT_SECRET, or use workload identity "
                          "or a managed identity",
                          refused[i]);
    }
    if (!secret)
        return 0;
    r = add_entra(a, &s);
    if (r < 0)
        return r;
    label(a, "the environment (AZURE_CLIENT_SECRET of client %.80s)", s->texts[CREDSTEP_CLIENT]);
    return credstep_set(s, CREDSTEP_SECRET, secret) < 0 ? refuse(a, -ENOMEM, "%s", strerror(ENOMEM))
                                                        : 1;
}

static int find_workload(const struct azure *a)
{
    const char *file = credroute_env("AZURE_FEDERATED_TOKEN_FILE");
    struct credstep *s;
    int r;

    if (!file)
        return 0;
    r = add_entra(a, &s);
    if (r < 0)
        return r;
    label(a, "workload identity (client %.80s, %.150s)", s->texts[CREDSTEP_CLIENT], file);
    if (credstep_set(s, CREDSTEP_FILE, file) < 0 ||
        credstep_set(s, CREDSTEP_ORIGIN, "AZURE_FEDERATED_TOKEN_FILE") < 0)
        return refuse(a, -ENOMEM, "%s", strerror(ENOMEM));
    return 1;
}

/* Kinds of managed identities that are not supported, by their variables. */
static int refuse_managed(const struct azure *a, bool app)
{
    static const struct {
        const char *variable, *what;
        bool app; /* looks like App Service */
    } rows[] = {
        {"IDENTITY_SERVER_THUMBPRINT", "Service Fabric", true},
        {"IMDS_ENDPOINT", "Azure Arc", false},
        {"MSI_ENDPOINT", "Cloud Shell and Azure ML", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].app == app && credroute_env(rows[i].variable))
            return refuse(a, -ENOTSUP, "the managed identity of %s (%s) is not supported",
                          rows[i].what, rows[i].variable);
    }
    return 0;
}

/* App Service has an endpoint of its own, with a secret in the environment; elsewhere the machine's
 * metadata server is asked. */
struct managed {
    const char *base, *query;
    const char *secret; /* NULL: the machine's metadata server; a variable may name its host */
    const char *named;  /* the variable; NULL: none */
};

static void choose_managed(struct managed *ret)
{
    const char *endpoint = credroute_env("IDENTITY_ENDPOINT");
    const char *secret = credroute_env("IDENTITY_HEADER");
    const char *host = credroute_env("AZURE_POD_IDENTITY_AUTHORITY_HOST");

    if (endpoint && secret)
        *ret = (struct managed){endpoint, APP_QUERY, secret, "IDENTITY_ENDPOINT"};
    else if (host)
        *ret = (struct managed){host, METADATA_QUERY, NULL, "AZURE_POD_IDENTITY_AUTHORITY_HOST"};
    else
        *ret = (struct managed){METADATA, METADATA_QUERY, NULL, NULL};
}

static int add_managed(const struct azure *a, const struct managed *m, const char *client)
{
    struct credstep *s = credroute_add(a->route, CREDSERVICE_MANAGED, REACH_NEAR);
    struct buf url;
    int r;

    buf_init(&url, URL_MAX);
    r = buf_addf(&url, "%s%s", m->base, m->query);
    if (r == 0)
        r = buf_adds(&url, "https%3A%2F%2Fstorage.azure.com%2F");
    if (r == 0 && client)
        r = credplan_add(&url, "client_id", client, strlen(client));
    if (r < 0 || !s || credstep_set(s, CREDSTEP_URL, buf_str(&url)) < 0 ||
        credstep_set(s, CREDSTEP_SECRET, m->secret) < 0)
        r = refuse(a, -ENOMEM, "%s", strerror(ENOMEM));
    buf_done(&url);
    return r < 0 ? r : 1;
}

static int find_managed(const struct azure *a)
{
    const char *client = credroute_env("AZURE_CLIENT_ID");
    struct managed m;
    int r;

    choose_managed(&m);
    r = refuse_managed(a, m.secret != NULL);
    if (r == 0 && m.named)
        r = credplan_secret_url(m.base, true, m.named, a->why, a->why_size);
    if (r < 0)
        return r;
    label(a, "the managed identity of %s%s%.80s", m.secret ? "App Service" : "this machine",
          client ? ", client " : "", client ? client : "");
    return add_managed(a, &m, client);
}

/* In the order of DefaultAzureCredential, with the names that AZURE_TOKEN_CREDENTIALS accepts. */
static const struct {
    const char *name, *source;
    int (*find)(const struct azure *a);
} sources[] = {
    {"EnvironmentCredential", "environment", find_environment},
    {"WorkloadIdentityCredential", "workload-identity", find_workload},
    {"ManagedIdentityCredential", "managed-identity", find_managed},
};

static int find(const struct azure *a)
{
    const char *only = credroute_env("AZURE_TOKEN_CREDENTIALS");
    bool known = !only || strcasecmp(only, "prod") == 0, all = known;
    int r = 0;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && r == 0; i++) {
        bool this = only && strcasecmp(only, sources[i].name) == 0;

        known = known || this;
        a->route->source = sources[i].source;
        if (all || this)
            r = sources[i].find(a);
    }
    if (!known)
        return refuse(a, -ENOTSUP,
                      "AZURE_TOKEN_CREDENTIALS: only prod, EnvironmentCredential, "
                      "WorkloadIdentityCredential and ManagedIdentityCredential are supported");
    return r != 0 ? r
                  : refuse(a, -ENOENT, "AZURE_TOKEN_CREDENTIALS names a source that is not there");
}

int credazure_find(struct credroute *ret, char *why, size_t why_size)
{
    struct credroute route;
    const struct azure a = {.route = &route, .why = why, .why_size = why_size};
    int r;

    credroute_init(&route);
    r = find(&a);
    if (r < 0)
        credroute_done(&route);
    else
        *ret = route;
    return r < 0 ? r : 0;
}

static int add_proof(struct credremote *c, struct buf *form)
{
    const char *secret = credservice_text(c, CREDSTEP_SECRET);
    struct buf token;
    int r;

    if (secret)
        return credservice_add(form, "client_secret", secret);
    buf_init(&token, CREDSERVICE_TOKEN_MAX);
    r = credservice_read_token(c, &token);
    if (r == 0)
        r = credservice_add(form, "client_assertion_type", ASSERTION_TYPE);
    if (r == 0)
        r = credservice_add(form, "client_assertion", buf_str(&token));
    buf_wipe(&token);
    return r;
}

static int ask_entra(struct credremote *c)
{
    struct buf form;
    int r;

    buf_init(&form, CREDSERVICE_FORM_MAX);
    r = credservice_add(&form, "grant_type", "client_credentials");
    if (r == 0)
        r = credservice_add(&form, "client_id", credservice_text(c, CREDSTEP_CLIENT));
    if (r == 0)
        r = credservice_add(&form, "scope", SCOPE);
    if (r == 0)
        r = add_proof(c, &form);
    if (r < 0 && c->why[0] == '\0')
        (void)credservice_refuse(c, r, "%s", strerror(-r));
    if (r == 0)
        r = credservice_send_form(c, &form, NULL, 0);
    buf_wipe(&form);
    return r;
}

static int parse_entra(struct credremote *c, const struct fetch_reply *reply,
                       struct secret_set *ret, char *why, size_t why_size)
{
    return creddoc_parse_token(reply->body, reply->body_len, loop_now(c->event, CLOCK_REALTIME),
                               ret, why, why_size);
}

const struct credservice credservice_entra = {
    .name = "Entra ID",
    .ask = ask_entra,
    .parse = parse_entra,
};
