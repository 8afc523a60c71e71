/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tokens of Google and Azure, programs and portals: what is found, who is asked for what, and what
 * is refused. Nothing is sent: http_start writes the request down, and the answer is handed over.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/identity/credaws.h"
#include "lib/store/identity/credazure.h"
#include "lib/store/identity/credgoogle.h"
#include "lib/store/identity/credremote.h"
#include "tests/support/allocations.h"
#include "tests/support/rfc7515.h"
#include "tests/support/scratch.h"

#define N(a) (sizeof(a) / sizeof(a)[0])
#define START_SHA1 "f9bd89c67fef27fcb5df8d2e4b64eabe5bae45a4"
#define TOKEN "{\"access_token\":\"tok\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"

struct http_request {
    const struct http_handlers *handlers;
    void *userdata;
};

static struct buf asked; /* "METHOD URL\nheader: value\nbody\n" of each request */
static const struct reach nowhere;
static struct http_request request;
static bool pending;

int __wrap_http_start(struct http *h, const struct http_options *o,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret);

int __wrap_http_start(struct http *h, const struct http_options *o,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret)
{
    (void)h;
    allocations_failing = false;
    (void)buf_addf(&asked, "%s %s\n", o->method ? o->method : "GET", o->url);
    for (size_t i = 0; i < o->n_headers; i++)
        (void)buf_addf(&asked, "%s: %s\n", o->headers[i].name, o->headers[i].value);
    if (o->authorization)
        (void)buf_addf(&asked, "%s\n", o->authorization);
    if (o->body)
        (void)buf_addf(&asked, "%s\n", (const char *)o->body->data);
    request = (struct http_request){handlers, userdata};
    pending = true;
    *ret = &request;
    return 0;
}

void __wrap_http_cancel(struct http_request *r);

void __wrap_http_cancel(struct http_request *r)
{
    if (r)
        pending = false;
}

struct world {
    char *dir;
    sd_event *event;
    struct credremote *c;
    bool ended;
    int r;
    struct secret_set set;
    char text[CREDROUTE_WHY_SIZE], label[CREDROUTE_LABEL_SIZE];
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    assert_int_equal(clearenv(), 0);
    w->dir = scratch_new(NULL);
    assert_int_equal(setenv("HOME", w->dir, 1), 0);
    assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
    assert_true(sd_event_new(&w->event) >= 0);
    secret_init(&w->set);
    buf_init(&asked, 1u << 20);
    pending = false;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    credremote_cancel(w->c);
    secret_done(&w->set);
    sd_event_unref(w->event);
    scratch_free(w->dir);
    buf_wipe(&asked);
    free(w);
    return 0;
}

static void on_end(void *userdata, int r, struct secret_set *secrets, const char *text)
{
    struct world *w = userdata;

    w->ended = true;
    w->c = NULL;
    w->r = r;
    if (r == 0)
        secret_move(secrets, &w->set);
    (void)snprintf(w->text, sizeof(w->text), "%s", text);
}

static void answer(const char *text, long status)
{
    const struct http_result result = {.error = HTTP_OK, .status = status, .sent_all = true};
    struct http_request r = request;

    assert_true(pending);
    pending = false;
    (void)r.handlers->body(r.userdata, text, strlen(text));
    r.handlers->finished(r.userdata, &result);
}

/* Finds, and begins to ask, if nothing is wrong. */
static int begin_route(struct world *w, int r, struct credroute *route)
{
    w->ended = false;
    buf_clear(&asked);
    if (r < 0)
        return r;
    (void)snprintf(w->label, sizeof(w->label), "%s", route->label);
    return credremote_start(w->event, NULL, &nowhere, route, on_end, w, &w->c, w->text,
                            sizeof(w->text));
}

static int google(struct world *w, const char *json)
{
    struct credroute route;
    const char *path = json ? scratch_write(w->dir, "g.json", json, strlen(json), 0600) : NULL;

    credroute_init(&route);
    return begin_route(w, credgoogle_find(path, &route, w->text, sizeof(w->text)), &route);
}

static int azure(struct world *w)
{
    struct credroute route;

    credroute_init(&route);
    return begin_route(w, credazure_find(&route, w->text, sizeof(w->text)), &route);
}

static int aws(struct world *w)
{
    const struct credaws_config none = {0};
    struct credroute route;

    credroute_init(&route);
    return begin_route(w, credaws_find(&none, &route, w->text, sizeof(w->text)), &route);
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" has no \"%s\"", text, part);
}

static void check_token(const struct world *w, const char *token)
{
    assert_true(w->ended);
    if (w->r < 0)
        fail_msg("%s", w->text);
    assert_string_equal(w->set.session_token, token);
    assert_null(w->set.access_key);
}

/* Line breaks as JSON has them. */
static const char *json_key(void)
{
    static char text[4096];
    size_t n = 0;

    for (const char *c = RFC7515_KEY; *c; c++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, *c == '\n' ? "\\n" : "%c", *c);
    return text;
}

static void test_service_account(void **state)
{
    struct world *w = *state;
    char json[8192];

    (void)snprintf(json, sizeof(json),
                   "{\"type\":\"service_account\",\"client_email\":\"sa@p.iam\","
                   "\"private_key_id\":\"kid1\",\"private_key\":\"%s\","
                   "\"token_uri\":\"https://token.example/t\"}",
                   json_key());
    assert_int_equal(google(w, json), 0);
    has(buf_str(&asked), "POST https://token.example/t\n");
    has(buf_str(&asked), "\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
                         "&assertion=eyJ");
    has(w->label, "the service account sa@p.iam (");
    answer(TOKEN, 200);
    check_token(w, "tok");
    assert_int_equal(google(w, json), 0);
    answer("{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}", 400);
    assert_int_equal(w->r, -EPERM);
    has(w->text, "Google's token endpoint answers with status 400: the service refused: "
                 "invalid_grant: Invalid JWT Signature.");
}

static void test_authorized_user(void **state)
{
    struct world *w = *state;

    assert_int_equal(google(w, "{\"type\":\"authorized_user\",\"client_id\":\"c\","
                               "\"client_secret\":\"s+1\",\"refresh_token\":\"r/1\"}"),
                     0);
    has(buf_str(&asked), "POST https://oauth2.googleapis.com/token\n");
    has(buf_str(&asked),
        "\ngrant_type=refresh_token&client_id=c&client_secret=s%2B1&refresh_token=r%2F1\n");
    answer(TOKEN, 200);
    check_token(w, "tok");
}

#define FEDERATION                                                     \
    "{\"type\":\"external_account\",\"audience\":\"//iam/aud\","       \
    "\"subject_token_type\":\"urn:ietf:params:oauth:token-type:jwt\"," \
    "\"token_url\":\"https://sts.googleapis.com/v1/token\","

static void test_federation_by_file(void **state)
{
    struct world *w = *state;
    char json[2048];

    (void)snprintf(json, sizeof(json), FEDERATION "\"credential_source\":{\"file\":\"%s\"}}",
                   scratch_write(w->dir, "subject", "sub.jwt\n", 8, 0600));
    assert_int_equal(google(w, json), 0);
    has(buf_str(&asked), "POST https://sts.googleapis.com/v1/token\n");
    has(buf_str(&asked), "&audience=%2F%2Fiam%2Faud&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth"
                         "%2Fdevstorage.read_write&subject_token_type=urn%3Aietf%3Aparams%3Aoauth"
                         "%3Atoken-type%3Ajwt&subject_token=sub.jwt\n");
    answer(TOKEN, 200);
    check_token(w, "tok");
    has(w->label, "workload identity federation (");
}

/* The token by URL, in JSON, and a service account in the end: three steps. */
static void test_federation_by_url(void **state)
{
    struct world *w = *state;

    assert_int_equal(google(w, FEDERATION
                            "\"service_account_impersonation_url\":"
                            "\"https://iam.example/v1/projects/-/serviceAccounts/sa@p.iam"
                            ":generateAccessToken\","
                            "\"client_id\":\"me\",\"client_secret\":\"pw\","
                            "\"credential_source\":{\"url\":\"http://169.254.169.254/x\","
                            "\"headers\":{\"Metadata\":\"True\"},"
                            "\"format\":{\"type\":\"json\","
                            "\"subject_token_field_name\":\"access_token\"}}}"),
                     0);
    has(w->label, "the service account sa@p.iam, impersonated (");
    has(buf_str(&asked), "GET http://169.254.169.254/x\nMetadata: True\n");
    answer("{\"access_token\":\"azure.jwt\"}", 200);
    has(buf_str(&asked), "cloud-platform&subject_token_type=");
    has(buf_str(&asked), "&subject_token=azure.jwt\n");
    has(buf_str(&asked), "\nAuthorization: Basic bWU6cHc=\n");
    answer(TOKEN, 200);
    has(buf_str(&asked), "POST https://iam.example/v1/projects/-/serviceAccounts/sa@p.iam"
                         ":generateAccessToken\nContent-Type: application/json\n"
                         "Authorization: Bearer tok\n"
                         "{\"scope\":[\"https://www.googleapis.com/auth/devstorage.read_write\"],"
                         "\"lifetime\":\"3600s\"}\n");
    answer("{\"accessToken\":\"final\",\"expireTime\":\"2030-01-02T03:04:05Z\"}", 200);
    check_token(w, "final");
    assert_true(w->set.expiry == (usec)1893553445 * USEC_PER_SEC);
}

static void test_impersonated(void **state)
{
    struct world *w = *state;

    assert_int_equal(
        google(w, "{\"type\":\"impersonated_service_account\",\"delegates\":[\"d\"],"
                  "\"service_account_impersonation_url\":\"https://iam.example/sa:x\","
                  "\"source_credentials\":{\"type\":\"authorized_user\",\"client_id\":\"c\","
                  "\"client_secret\":\"s\",\"refresh_token\":\"r\"}}"),
        0);
    answer(TOKEN, 200);
    has(buf_str(&asked), "\"delegates\":[\"d\"]");
    answer("{\"error\":{\"code\":403,\"message\":\"Permission denied on it\","
           "\"status\":\"PERMISSION_DENIED\"}}",
           403);
    assert_int_equal(w->r, -EPERM);
    has(w->text, "Google's IAM answers with status 403: the service refused: PERMISSION_DENIED: "
                 "Permission denied on it; roles/iam.serviceAccountTokenCreator");
    assert_null(w->set.session_token);
}

/*
 * Lets each allocation fail once. What is asked in the end is right, up to `stop`, or nothing is
 * asked for want of memory.
 */
static void check_no_memory(struct world *w, const char *json, bool steps, const char *stop)
{
    const char *path = scratch_write(w->dir, "g.json", json, strlen(json), 0600);
    char right[2048] = "";
    int r;

    allocations_fail_once = true;
    allocations_fail_at = SIZE_MAX;
    for (size_t at = 0; allocations_fail_at == SIZE_MAX || allocations_made > allocations_fail_at;
         at++) {
        struct credroute route;

        allocations_fail_at = right[0] ? at : SIZE_MAX;
        credroute_init(&route);
        buf_clear(&asked);
        allocations_made = 0;
        allocations_failing = true;
        r = begin_route(w, credgoogle_find(path, &route, w->text, sizeof(w->text)), &route);
        allocations_failing = false;
        assert_true(r == 0 || r == -ENOMEM);
        if (r == 0 && steps)
            answer(TOKEN, 200);
        if (r == 0) {
            *strstr(buf_str(&asked), stop) = '\0';
            if (!right[0])
                (void)snprintf(right, sizeof(right), "%s", buf_str(&asked));
            assert_string_equal(buf_str(&asked), right);
        }
        credremote_cancel(steal(&w->c));
    }
}

static void test_no_memory(void **state)
{
    struct world *w = *state;
    char json[8192];

    check_no_memory(w,
                    "{\"type\":\"impersonated_service_account\",\"delegates\":[\"d\"],"
                    "\"service_account_impersonation_url\":\"https://iam.example/sa:x\","
                    "\"source_credentials\":{\"type\":\"authorized_user\",\"client_id\":\"c\","
                    "\"client_secret\":\"s\",\"refresh_token\":\"r\"}}",
                    true, "}\n");
    (void)snprintf(json, sizeof(json),
                   "{\"type\":\"service_account\",\"client_email\":\"sa@p.iam\","
                   "\"private_key_id\":\"kid1\",\"private_key\":\"%s\","
                   "\"token_uri\":\"https://localhost/t\"}",
                   json_key());
    check_no_memory(w, json, false, "."); /* the claims have the time */
}

static void test_google_refuses(void **state)
{
    static const struct {
        const char *json, *why;
    } rows[] = {
        {"x", "it is not a JSON object"},
        {"[]", "it is not a JSON object"},
        {"{}", "credentials of type (none) are not supported"},
        {"{\"type\":\"gdch_service_account\"}", "type gdch_service_account are not supported"},
        {"{\"type\":\"external_account_authorized_user\"}", "external_account_authorized_user"},
        {"{\"type\":\"service_account\"}", "no string `client_email`"},
        {"{\"type\":\"service_account\",\"universe_domain\":\"x.goog\"}", "universe_domain"},
        {"{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"nokey\"}",
         "private_key: it is no RSA key in PEM"},
        {"{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"k\","
         "\"token_uri\":\"http://evil.example/\"}",
         "`token_uri` must be https://"},
        {FEDERATION "\"credential_source\":{\"environment_id\":\"aws1\"}}", "source at AWS"},
        {FEDERATION "\"credential_source\":{\"executable\":{}}}", "a program as source"},
        {FEDERATION "\"credential_source\":{\"certificate\":{}}}", "a certificate as source"},
        {FEDERATION "\"credential_source\":{}}", "neither `file` nor `url`"},
        {FEDERATION "\"workforce_pool_user_project\":\"p\",\"credential_source\":{\"file\":\"f\"}}",
         "workforce_pool_user_project"},
        {FEDERATION "\"credential_source\":{\"file\":\"/nonexistent/t\"}}",
         "cannot use the file /nonexistent/t (credential_source): No such file"},
        {FEDERATION "\"credential_source\":{\"url\":\"http://evil.example/\"}}",
         "`url` must be https://"},
        {"{\"type\":\"impersonated_service_account\",\"source_credentials\":"
         "{\"type\":\"impersonated_service_account\"}}",
         "type impersonated_service_account are not"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < N(rows); i++) {
        if (google(w, rows[i].json) >= 0)
            fail_msg("%s", rows[i].json);
        has(w->text, rows[i].why);
        assert_int_equal(asked.len, 0);
    }
}

/* The configuration's file, the variable's, gcloud's, the metadata server. */
static void test_google_order(void **state)
{
    static const char person[] = "{\"type\":\"authorized_user\",\"client_id\":\"c\","
                                 "\"client_secret\":\"s\",\"refresh_token\":\"r\"}";
    struct world *w = *state;
    char path[600];

    assert_int_equal(google(w, NULL), 0);
    has(buf_str(&asked), "GET http://metadata.google.internal/");
    credremote_cancel(w->c);
    w->c = NULL;
    (void)snprintf(path, sizeof(path), "%s/.config", w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/.config/gcloud", w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)scratch_write(w->dir, ".config/gcloud/application_default_credentials.json", person,
                        strlen(person), 0600);
    assert_int_equal(google(w, NULL), 0);
    has(w->label, "the person who ran gcloud (");
    credremote_cancel(w->c);
    w->c = NULL;
    assert_int_equal(setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/x.json", 1), 0);
    assert_int_equal(google(w, NULL), -ENOENT);
    has(w->text, "/nonexistent/x.json: cannot use this file: No such file");
    assert_int_equal(setenv("GOOGLE_APPLICATION_CREDENTIALS",
                            scratch_write(w->dir, "loose.json", person, strlen(person), 0644), 1),
                     0);
    if (google(w, NULL) == 0) /* on a memory file system it may be root's */
        skip();
    has(w->text, "others may read it; chmod 0600");
}

static void set_azure(const char *secret, const char *file)
{
    assert_int_equal(clearenv(), 0);
    assert_int_equal(setenv("AZURE_TENANT_ID", "t-1", 1), 0);
    assert_int_equal(setenv("AZURE_CLIENT_ID", "c-1", 1), 0);
    if (secret)
        assert_int_equal(setenv("AZURE_CLIENT_SECRET", secret, 1), 0);
    if (file)
        assert_int_equal(setenv("AZURE_FEDERATED_TOKEN_FILE", file, 1), 0);
}

static void test_azure(void **state)
{
    struct world *w = *state;
    const char *file = scratch_write(w->dir, "jwt", "k8s.jwt\n", 8, 0600);

    set_azure("sec~1", file);
    assert_int_equal(azure(w), 0);
    has(buf_str(&asked), "POST https://login.microsoftonline.com/t-1/oauth2/v2.0/token\n");
    has(buf_str(&asked), "\ngrant_type=client_credentials&client_id=c-1&scope=https%3A%2F%2F"
                         "storage.azure.com%2F.default&client_secret=sec~1\n");
    has(w->label, "the environment (AZURE_CLIENT_SECRET of client c-1)");
    answer(TOKEN, 200);
    check_token(w, "tok");
    set_azure(NULL, file);
    assert_int_equal(setenv("AZURE_AUTHORITY_HOST", "https://login.example/", 1), 0);
    assert_int_equal(azure(w), 0);
    has(buf_str(&asked), "POST https://login.example/t-1/oauth2/v2.0/token\n");
    has(buf_str(&asked), "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion"
                         "-type%3Ajwt-bearer&client_assertion=k8s.jwt\n");
    has(w->label, "workload identity (client c-1");
    answer("{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700016: not found\"}", 401);
    assert_int_equal(w->r, -EPERM);
    has(w->text, "Entra ID answers with status 401: the service refused: invalid_client: ");
}

static void test_managed(void **state)
{
    struct world *w = *state;

    assert_int_equal(clearenv(), 0);
    assert_int_equal(azure(w), 0);
    assert_string_equal(buf_str(&asked),
                        "GET http://169.254.169.254/metadata/identity/oauth2/token"
                        "?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F\n"
                        "Metadata: true\n");
    answer("{\"access_token\":\"vm\",\"expires_in\":\"3600\",\"expires_on\":\"1893553445\","
           "\"token_type\":\"Bearer\"}",
           200);
    check_token(w, "vm");
    assert_int_equal(setenv("AZURE_CLIENT_ID", "c-2", 1), 0);
    assert_int_equal(setenv("IDENTITY_ENDPOINT", "http://169.254.131.5:8081/msi/token", 1), 0);
    assert_int_equal(setenv("IDENTITY_HEADER", "h-1", 1), 0);
    assert_int_equal(azure(w), 0);
    assert_string_equal(buf_str(&asked),
                        "GET http://169.254.131.5:8081/msi/token?api-version=2019-08-01"
                        "&resource=https%3A%2F%2Fstorage.azure.com%2F&client_id=c-2\n"
                        "X-IDENTITY-HEADER: h-1\n");
    answer("{\"access_token\":\"app\",\"expires_on\":\"1893553445\",\"token_type\":\"Bearer\"}",
           200);
    check_token(w, "app");
    assert_true(w->set.expiry == (usec)1893553445 * USEC_PER_SEC);
}

static void test_azure_refuses(void **state)
{
    static const struct {
        const char *name, *value, *why;
    } rows[] = {
        {"AZURE_CLIENT_SECRET", "s", "AZURE_TENANT_ID is not set"},
        {"AZURE_FEDERATED_TOKEN_FILE", "/t", "AZURE_TENANT_ID is not set"},
        {"AZURE_CLIENT_CERTIFICATE_PATH", "/c", "AZURE_CLIENT_CERTIFICATE_PATH is not supported"},
        {"AZURE_USERNAME", "u", "AZURE_USERNAME is not supported"},
        {"MSI_ENDPOINT", "http://x", "the managed identity of Cloud Shell"},
        {"IMDS_ENDPOINT", "http://x", "the managed identity of Azure Arc"},
        {"AZURE_TOKEN_CREDENTIALS", "dev", "AZURE_TOKEN_CREDENTIALS: only"},
        {"AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential", "a source that is not there"},
        {"AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://evil.example", "must be https://"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < N(rows); i++) {
        assert_int_equal(clearenv(), 0);
        assert_int_equal(setenv(rows[i].name, rows[i].value, 1), 0);
        if (azure(w) >= 0)
            fail_msg("%s", rows[i].name);
        has(w->text, rows[i].why);
        assert_int_equal(asked.len, 0);
    }
    set_azure(NULL, "/nonexistent/t");
    assert_int_equal(azure(w), -ENOENT);
    has(w->text, "cannot use the file /nonexistent/t (AZURE_FEDERATED_TOKEN_FILE)");
    set_azure("s", NULL);
    assert_int_equal(setenv("AZURE_TENANT_ID", "a/../b", 1), 0);
    assert_int_equal(azure(w), -EINVAL);
    assert_int_equal(setenv("AZURE_TENANT_ID", "t", 1), 0);
    assert_int_equal(setenv("AZURE_AUTHORITY_HOST", "http://evil.example", 1), 0);
    assert_int_equal(azure(w), -EPERM);
}

static void write_profile(struct world *w, const char *text)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%s/.aws", w->dir);
    (void)mkdir(path, 0700);
    (void)scratch_write(w->dir, ".aws/config", text, strlen(text), 0600);
}

static int run_process(struct world *w, const char *script, const char *arguments)
{
    char text[2048], code[1024];

    (void)snprintf(code, sizeof(code), "#!/bin/sh\n%s\n", script);
    (void)snprintf(text, sizeof(text), "[default]\ncredential_process = %s %s\n",
                   scratch_write(w->dir, "helper", code, strlen(code), 0700), arguments);
    write_profile(w, text);
    w->r = aws(w);
    while (w->r == 0 && !w->ended)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    return w->r;
}

static void test_process(void **state)
{
    struct world *w = *state;

    assert_int_equal(setenv("MARK", "ours", 1), 0);
    assert_int_equal(run_process(w,
                                 "printf '{\"Version\":1,\"AccessKeyId\":\"%s\","
                                 "\"SecretAccessKey\":\"%s\",\"SessionToken\":\"t\","
                                 "\"Expiration\":\"2030-01-02T03:04:05Z\"}' \"$1-$#\" \"$MARK\"",
                                 "'a;b' \"$MARK\""),
                     0);
    assert_string_equal(w->set.access_key, "a;b-2"); /* no shell read the line */
    assert_string_equal(w->set.secret_key, "ours");
    assert_string_equal(w->set.session_token, "t");
    assert_true(w->set.expiry == (usec)1893553445 * USEC_PER_SEC);
    (void)signal(SIGCHLD, SIG_IGN); /* as whoever started us may have left it */
    assert_int_equal(run_process(w, "echo 'no login' >&2; exit 3", ""), -EPERM);
    assert_string_equal(w->text, "credential_process exits with status 3: no login");
    assert_int_equal(run_process(w, "echo '{}'", ""), -EINVAL);
    has(w->text, "credential_process: its Version is not 1");
    assert_int_equal(run_process(w, "kill -9 $$", ""), -EPERM);
    has(w->text, "is ended by signal 9");
    assert_int_equal(run_process(w, "exec cat /dev/zero", ""), -EINVAL);
    has(w->text, "prints too much");
    write_profile(w, "[default]\ncredential_process = /nonexistent/helper x\n");
    assert_int_equal(aws(w), -ENOENT);
    has(w->text, "credential_process cannot run /nonexistent/helper: No such file");
    write_profile(w, "[default]\ncredential_process = nohelperofthisname\n");
    assert_int_equal(aws(w), -ENOENT);
    write_profile(w, "[default]\ncredential_process = 'x\n");
    assert_int_equal(aws(w), -EINVAL);
    has(w->text, "is no command line");
}

/* What it started does not outlive it either. */
static void test_process_is_cancelled(void **state)
{
    struct world *w = *state;
    char text[700];

    (void)snprintf(
        text, sizeof(text),
        "[default]\ncredential_process = /bin/sh -c 'sleep 600 & echo $! >%s/pid; wait'\n", w->dir);
    write_profile(w, text);
    assert_int_equal(aws(w), 0);
    while (access(scratch_path(w->dir, "pid"), F_OK) < 0)
        (void)usleep(10000);
    credremote_cancel(w->c);
    w->c = NULL;
}

static void write_cache(struct world *w, const char *text)
{
    char path[600];

    write_profile(w, "[default]\nsso_start_url=https://x/start\nsso_region=eu-west-1\n"
                     "sso_account_id=11\nsso_role_name=Rw\n");
    (void)snprintf(path, sizeof(path), "%s/.aws/sso", w->dir);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/.aws/sso/cache", w->dir);
    (void)mkdir(path, 0700);
    if (text)
        (void)scratch_write(w->dir, ".aws/sso/cache/" START_SHA1 ".json", text, strlen(text), 0600);
}

static void test_sso(void **state)
{
    struct world *w = *state;

    write_cache(w, NULL);
    assert_int_equal(aws(w), -ENOENT);
    has(w->text, "there is no token of IAM Identity Center");
    has(w->text, "`aws sso login`");
    write_cache(w, "{\"accessToken\":\"sso-tok\",\"expiresAt\":\"2020-01-02T03:04:05Z\"}");
    assert_int_equal(aws(w), -EKEYEXPIRED);
    has(w->text, "has expired: run `aws sso login`");
    write_cache(w, "{\"accessToken\":\"sso-tok\",\"expiresAt\":\"2099-01-02T03:04:05UTC\"}");
    assert_int_equal(aws(w), 0);
    assert_string_equal(buf_str(&asked),
                        "GET https://portal.sso.eu-west-1.amazonaws.com/federation/credentials"
                        "?role_name=Rw&account_id=11\nx-amz-sso_bearer_token: sso-tok\n");
    answer("{\"roleCredentials\":{\"accessKeyId\":\"AK\",\"secretAccessKey\":\"s\","
           "\"sessionToken\":\"t\",\"expiration\":1893553445000}}",
           200);
    assert_int_equal(w->r, 0);
    assert_string_equal(w->set.access_key, "AK");
    assert_true(w->set.expiry == (usec)1893553445 * USEC_PER_SEC);
    assert_int_equal(aws(w), 0);
    answer("{\"message\":\"Session token not found or invalid\"}", 401);
    assert_int_equal(w->r, -EPERM);
    has(w->text, "Session token not found or invalid; the token is not valid any more: run `aws");
    write_cache(w, "{}");
    assert_int_equal(aws(w), -EINVAL);
}

/* A good token is not called too long for want of memory. */
static void test_sso_without_memory(void **state)
{
    struct world *w = *state;
    int r = -ENOMEM;

    write_cache(w, "{\"accessToken\":\"sso-tok\",\"expiresAt\":\"2099-01-02T03:04:05UTC\"}");
    allocations_fail_once = true;
    for (allocations_fail_at = 0; r < 0; allocations_fail_at++) {
        allocations_made = 0;
        allocations_failing = true;
        r = aws(w);
        allocations_failing = false;
        if (r != 0 && r != -ENOMEM)
            fail_msg("%zu: %d: %s", allocations_fail_at, r, w->text);
    }
    credremote_cancel(steal(&w->c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_service_account),
        TEST(test_authorized_user),
        TEST(test_federation_by_file),
        TEST(test_federation_by_url),
        TEST(test_impersonated),
        TEST(test_no_memory),
        TEST(test_google_refuses),
        TEST(test_google_order),
        TEST(test_azure),
        TEST(test_managed),
        TEST(test_azure_refuses),
        TEST(test_process),
        TEST(test_process_is_cancelled),
        TEST(test_sso),
        TEST(test_sso_without_memory),
    };

    creddoc_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
