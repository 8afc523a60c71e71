/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/identity/credgoogle.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/jsontext.h"
#include "base/secretfile.h"
#include "lib/store/identity/credplan.h"

#define FILE_MAX (64u << 10)
#define GCE_PATH "/computeMetadata/v1/instance/service-accounts/default/token"
#define TOKEN_URI "https://oauth2.googleapis.com/token"
#define UNIVERSE "googleapis.com"
#define SCOPE_STORAGE "https://www.googleapis.com/auth/devstorage.read_write"
#define SCOPE_ALL "https://www.googleapis.com/auth/cloud-platform" /* of what impersonates */
#define LIFETIME 3600

struct google {
    const char *path;
    struct credroute *route;
    char *why;
    size_t why_size;
};

static int __attribute__((format(printf, 3, 4))) refuse(const struct google *g, int error,
                                                        const char *fmt, ...)
{
    size_t n;
    va_list ap;

    (void)snprintf(g->why, g->why_size, "%s: ", g->path);
    n = strlen(g->why);
    va_start(ap, fmt);
    (void)vsnprintf(g->why + n, g->why_size - n, fmt, ap);
    va_end(ap);
    return error;
}

static const char *text_of(const json_t *root, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));

    return text && *text ? text : NULL;
}

/* Copies a member into the step; it is an error if a `needed` one is missing. */
static int take(const struct google *g, const json_t *root, const char *name, bool needed,
                struct credstep *s, enum credstep_text which)
{
    const char *text = text_of(root, name);

    if (!text && (needed || json_object_get(root, name)))
        return refuse(g, -EINVAL, "it has no string `%s`", name);
    return credstep_set(s, which, text) < 0 ? refuse(g, -ENOMEM, "%s", strerror(ENOMEM)) : 0;
}

static bool is_googles(const char *url)
{
    size_t n = strcspn(url + strlen("https://"), "/");
    const char *end = url + strlen("https://") + n, suffix[] = "." UNIVERSE;

    return n >= sizeof(suffix) - 1 &&
           strncmp(end - sizeof(suffix) + 1, suffix, sizeof(suffix) - 1) == 0;
}

static int take_url(const struct google *g, const json_t *root, const char *name,
                    const char *otherwise, bool near, struct credstep *s)
{
    const char *url = text_of(root, name);
    char what[64], why[160] = "";

    if (!url)
        url = otherwise;
    (void)snprintf(what, sizeof(what), "`%s`", name);
    if (!url)
        return refuse(g, -EINVAL, "it has no string %s", what);
    if (credplan_secret_url(url, near, what, why, sizeof(why)) < 0)
        return refuse(g, -EINVAL, "%s", why);
    s->peer = near ? REACH_NEAR : is_googles(url) ? REACH_PUBLIC : REACH_NAMED;
    return credstep_set(s, CREDSTEP_URL, url) < 0 ? refuse(g, -ENOMEM, "%s", strerror(ENOMEM)) : 0;
}

static struct credstep *add(const struct google *g, enum credservice_name service,
                            const char *scope)
{
    struct credstep *s = credroute_add(g->route, service, REACH_PUBLIC);

    return s && credstep_set(s, CREDSTEP_SCOPE, scope) == 0 ? s : NULL;
}

static int no_memory(const struct google *g)
{
    return refuse(g, -ENOMEM, "%s", strerror(ENOMEM));
}

static int add_service_account(const struct google *g, const json_t *root, const char *scope)
{
    struct credstep *s = add(g, CREDSERVICE_JWT, scope);
    int r = s ? take(g, root, "client_email", true, s, CREDSTEP_ACCOUNT) : no_memory(g);

    if (r == 0)
        r = take(g, root, "private_key", true, s, CREDSTEP_SECRET);
    if (r == 0)
        r = take(g, root, "private_key_id", false, s, CREDSTEP_KEY_ID);
    if (r == 0)
        r = take_url(g, root, "token_uri", TOKEN_URI, false, s);
    if (r == 0)
        (void)snprintf(g->route->label, sizeof(g->route->label),
                       "the service account %.100s (%.180s)", s->texts[CREDSTEP_ACCOUNT], g->path);
    return r;
}

static int add_person(const struct google *g, const json_t *root, const char *scope)
{
    struct credstep *s = add(g, CREDSERVICE_REFRESH, scope);
    int r = s ? take(g, root, "client_id", true, s, CREDSTEP_CLIENT) : no_memory(g);

    if (r == 0)
        r = take(g, root, "client_secret", true, s, CREDSTEP_SECRET);
    if (r == 0)
        r = take(g, root, "refresh_token", true, s, CREDSTEP_TOKEN);
    if (r == 0)
        r = take_url(g, root, "token_uri", TOKEN_URI, false, s);
    (void)snprintf(g->route->label, sizeof(g->route->label), "the person who ran gcloud (%.250s)",
                   g->path);
    return r;
}

static int take_headers(const struct google *g, json_t *headers, struct credstep *s)
{
    struct buf lines;
    const char *name;
    json_t *value;
    int r = 0;

    buf_init(&lines, 4096);
    json_object_foreach(headers, name, value) {
        const char *text = json_string_value(value);

        r = !text || strpbrk(text, "\r\n") || strpbrk(name, ":\r\n") ? -EINVAL : 0;
        if (r == 0 && (buf_adds(&lines, name) < 0 || buf_adds(&lines, ":") < 0 ||
                       buf_adds(&lines, text) < 0 || buf_adds(&lines, "\n") < 0))
            r = -E2BIG;
        if (r < 0)
            break;
    }
    if (r == 0)
        r = credstep_set(s, CREDSTEP_HEADERS, buf_str(&lines));
    buf_wipe(&lines);
    return r < 0 ? refuse(g, r, "the `headers` of credential_source cannot be sent") : 0;
}

static int take_format(const struct google *g, const json_t *source, struct credstep *s)
{
    const json_t *format = json_object_get(source, "format");
    const char *type = text_of(format, "type");

    if (!type || strcmp(type, "text") == 0)
        return 0;
    if (strcmp(type, "json") != 0)
        return refuse(g, -ENOTSUP, "the format of credential_source is neither text nor json");
    return take(g, format, "subject_token_field_name", true, s, CREDSTEP_FIELD);
}

/* A token that comes from a URL takes a step of its own. */
static int add_subject(const struct google *g, const json_t *source)
{
    struct credstep *s = add(g, CREDSERVICE_SUBJECT, NULL);
    int r = s ? take_url(g, source, "url", NULL, true, s) : no_memory(g);

    if (r == 0)
        r = take_headers(g, json_object_get(source, "headers"), s);
    return r < 0 ? r : take_format(g, source, s);
}

/* Kinds of credential_source that are not supported. */
static int check_source(const struct google *g, const json_t *source)
{
    static const struct {
        const char *member, *what;
    } rows[] = {
        {"environment_id", "a source at AWS (`environment_id`)"},
        {"executable", "a program as source (`executable`)"},
        {"certificate", "a certificate as source (`certificate`)"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (json_object_get(source, rows[i].member))
            return refuse(g, -ENOTSUP,
                          "%s is not supported: use a token's file or URL, or a service account",
                          rows[i].what);
    }
    if (!text_of(source, "file") == !text_of(source, "url"))
        return refuse(g, -EINVAL, "credential_source has neither `file` nor `url`, or both");
    return 0;
}

/* Asks for a token of the service account that the URL names. */
static int add_impersonation(const struct google *g, const json_t *root, const char *scope)
{
    const json_t *options = json_object_get(root, "service_account_impersonation");
    json_int_t life = json_integer_value(json_object_get(options, "token_lifetime_seconds"));
    struct credstep *s = add(g, CREDSERVICE_IMPERSONATE, NULL);
    json_t *delegates = json_object_get(root, "delegates");
    char lifetime[32], *body;
    json_t *wanted;
    int r =
        s ? take_url(g, root, "service_account_impersonation_url", NULL, false, s) : no_memory(g);

    if (r < 0)
        return r;
    (void)snprintf(lifetime, sizeof(lifetime), "%llds",
                   life > 0 && life <= 43200 ? (long long)life : LIFETIME);
    wanted = json_pack("{s:[s],s:s}", "scope", scope, "lifetime", lifetime);
    r = json_is_array(delegates) ? json_object_set(wanted, "delegates", delegates) : 0;
    body = r == 0 ? jsontext_print(wanted, JSON_COMPACT) : NULL;
    r = body && credstep_set(s, CREDSTEP_BODY, body) == 0 ? 0 : no_memory(g);
    secret_free(body);
    json_decref(wanted);
    return r;
}

/* ".../serviceAccounts/NAME:generateAccessToken" */
static void say_impersonated(const struct google *g, const json_t *root)
{
    const char *url = text_of(root, "service_account_impersonation_url");
    const char *slash = url ? strrchr(url, '/') : NULL;
    char name[100];

    if (!slash)
        return;
    (void)snprintf(name, sizeof(name), "%s", slash + 1);
    name[strcspn(name, ":")] = '\0';
    (void)snprintf(g->route->label, sizeof(g->route->label),
                   "the service account %s, impersonated (%.160s)", name, g->path);
}

static int add_exchange(const struct google *g, const json_t *root, const json_t *source,
                        const char *scope)
{
    const char *file = text_of(source, "file");
    struct credstep *s = add(g, CREDSERVICE_EXCHANGE, scope);
    int r = s ? take(g, root, "audience", true, s, CREDSTEP_AUDIENCE) : no_memory(g);

    if (r == 0)
        r = take(g, root, "subject_token_type", true, s, CREDSTEP_TYPE);
    if (r == 0)
        r = take_url(g, root, "token_url", NULL, false, s);
    if (r == 0)
        r = take(g, root, "client_id", false, s, CREDSTEP_CLIENT);
    if (r == 0)
        r = take(g, root, "client_secret", false, s, CREDSTEP_SECRET);
    if (r == 0 && file &&
        (credstep_set(s, CREDSTEP_FILE, file) < 0 ||
         credstep_set(s, CREDSTEP_ORIGIN, "credential_source") < 0))
        r = no_memory(g);
    return r < 0 || !file ? r : take_format(g, source, s);
}

static int add_federation(const struct google *g, const json_t *root, const char *scope)
{
    const json_t *source = json_object_get(root, "credential_source");
    bool impersonates = json_object_get(root, "service_account_impersonation_url");
    int r = check_source(g, source);

    if (r == 0 && json_object_get(root, "workforce_pool_user_project"))
        r = refuse(g, -ENOTSUP, "`workforce_pool_user_project` is not supported");
    if (r == 0 && text_of(source, "url"))
        r = add_subject(g, source);
    if (r == 0)
        r = add_exchange(g, root, source, impersonates ? SCOPE_ALL : scope);
    (void)snprintf(g->route->label, sizeof(g->route->label),
                   "workload identity federation (%.250s)", g->path);
    if (r < 0 || !impersonates)
        return r;
    say_impersonated(g, root);
    return add_impersonation(g, root, scope);
}

static int add_type(const struct google *g, const json_t *root, const char *scope, bool nested);

static int add_impersonated(const struct google *g, const json_t *root, const char *scope)
{
    int r = add_type(g, json_object_get(root, "source_credentials"), SCOPE_ALL, true);

    if (r < 0)
        return r;
    say_impersonated(g, root);
    return add_impersonation(g, root, scope);
}

static const struct {
    const char *type;
    int (*add)(const struct google *g, const json_t *root, const char *scope);
} types[] = {
    {"service_account", add_service_account},
    {"authorized_user", add_person},
    {"external_account", add_federation},
    {"impersonated_service_account", add_impersonated},
};

static int add_type(const struct google *g, const json_t *root, const char *scope, bool nested)
{
    const char *type = text_of(root, "type"), *universe = text_of(root, "universe_domain");

    if (universe && strcmp(universe, UNIVERSE) != 0)
        return refuse(g, -ENOTSUP, "`universe_domain` is not " UNIVERSE ": not supported");
    for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(type, types[i].type) == 0 && !(nested && types[i].add == add_impersonated))
            return types[i].add(g, root, scope);
    }
    return refuse(g, -ENOTSUP,
                  "credentials of type %.60s are not supported: use service_account, "
                  "external_account, authorized_user or impersonated_service_account",
                  type ? type : "(none)");
}

static bool has_secret(const json_t *root)
{
    static const char *const secrets[] = {"private_key", "refresh_token", "client_secret"};
    const json_t *source = json_object_get(root, "source_credentials");
    bool found = source && has_secret(source);

    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
        found = found || json_object_get(root, secrets[i]);
    return found || json_object_get(json_object_get(root, "credential_source"), "headers");
}

/* Errors such as -ENOENT come without a text, as the caller may go on to the next source. */
static int read_file(const struct google *g, struct buf *text, bool *ret_loose)
{
    _cleanup_close_ int fd = secretfile_open(g->path);
    int r = fd < 0 ? fd : secretfile_check(fd);

    *ret_loose = r == -EPERM && fd >= 0;
    if (*ret_loose)
        r = 0;
    if (r == 0)
        r = buf_read_fd(text, fd);
    return r;
}

static int use_text(const struct google *g, const struct buf *text, bool loose)
{
    json_t *root = NULL;
    int r = jsontext_parse(buf_str(text), text->len, JSON_REJECT_DUPLICATES, NULL, &root);

    if (r == -ENOMEM)
        r = refuse(g, r, "%s", strerror(ENOMEM));
    else if (!json_is_object(root))
        r = refuse(g, -EINVAL, "it is not a JSON object");
    else if (loose && has_secret(root))
        r = refuse(g, -EPERM, "%s", secretfile_explain(-EPERM));
    else
        r = add_type(g, root, SCOPE_STORAGE, false);
    json_decref(root);
    return r;
}

/* 1: the file is used; 0: it does not exist or cannot be reached, an error if it is `named`. */
static int use_file(const struct google *g, bool named)
{
    struct buf text;
    bool loose;
    int r;

    buf_init(&text, FILE_MAX);
    r = read_file(g, &text, &loose);
    if (!named && (r == -ENOENT || r == -ENOTDIR || r == -EACCES)) {
        buf_wipe(&text);
        return 0;
    }
    if (r < 0)
        r = refuse(g, r, "cannot use this file: %s", secretfile_explain(r));
    else
        r = use_text(g, &text, loose);
    buf_wipe(&text);
    return r < 0 ? r : 1;
}

/* The file that `gcloud auth application-default login` writes. */
static bool well_known(char path[static PATH_MAX])
{
    const char *config = credroute_env("CLOUDSDK_CONFIG"), *home = credroute_env("HOME");

    if (!config && !home)
        return false;
    return snprintf(path, PATH_MAX, "%s%s/application_default_credentials.json",
                    config ? config : home, config ? "" : "/.config/gcloud") < PATH_MAX;
}

static int use_metadata(struct credroute *route, char *why, size_t why_size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   ".-_:[]";
    const char *host = credroute_env("GCE_METADATA_HOST");
    struct credstep *s = credroute_add(route, CREDSERVICE_GCE, REACH_NEAR);
    char url[512];
    int r;

    if (host && (host[strspn(host, alphabet)] != '\0' || strlen(host) > 255)) {
        (void)snprintf(why, why_size, "GCE_METADATA_HOST is not a host");
        return -EINVAL;
    }
    (void)snprintf(url, sizeof(url), "http://%s" GCE_PATH,
                   host ? host : "metadata.google.internal");
    /* The metadata server's name, the same on all machines of Google Cloud. */
    r = !host || strcasecmp(host, "metadata.google.internal") == 0
          ? 0
          : credplan_secret_url(url, true, "GCE_METADATA_HOST", why, why_size);
    if (r < 0) {
        (void)snprintf(why, why_size,
                       "GCE_METADATA_HOST is neither this machine, nor a link-local address, nor "
                       "metadata.google.internal: a token would come from there without TLS");
        return r;
    }
    (void)snprintf(route->label, sizeof(route->label), "Google's metadata server");
    return s ? credstep_set(s, CREDSTEP_URL, url) : -ENOMEM;
}

static int find(const char *file, struct credroute *route, char *why, size_t why_size)
{
    char path[PATH_MAX];
    struct google g = {.path = file, .route = route, .why = why, .why_size = why_size};
    int r = 0;

    if (!g.path)
        g.path = credroute_env("GOOGLE_APPLICATION_CREDENTIALS");
    if (g.path) {
        r = use_file(&g, true);
    } else if (well_known(path)) {
        g.path = path;
        r = use_file(&g, false);
    }
    return r != 0 ? r : use_metadata(route, why, why_size);
}

int credgoogle_find(const char *file, struct credroute *ret, char *why, size_t why_size)
{
    struct credroute route;
    int r;

    credroute_init(&route);
    route.source = "google";
    r = find(file, &route, why, why_size);
    if (r < 0)
        credroute_done(&route);
    else
        *ret = route;
    return r < 0 ? r : 0;
}
