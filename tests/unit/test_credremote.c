/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "lib/store/credential/creddoc.h"
#include "lib/store/identity/credaws.h"
#include "lib/store/identity/credgoogle.h"
#include "lib/store/identity/credremote.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"

#define ROLE_ARN "arn:aws:iam::123456789012:role/traces"
#define N(a) (sizeof(a) / sizeof(a)[0])
#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define STATUS(status) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n"

#define JSON                                                       \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIACANARY\","        \
    "\"SecretAccessKey\":\"sk/canary\",\"Token\":\"tok+canary=\"," \
    "\"Expiration\":\"2030-01-02T03:04:05Z\"}"
#define XML                                                                             \
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>" \
    "<AccessKeyId>ASIACANARY</AccessKeyId><SecretAccessKey>sk/canary</SecretAccessKey>" \
    "<SessionToken>tok+canary=</SessionToken>"                                          \
    "<Expiration>2030-01-02T03:04:05Z</Expiration>"                                     \
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
#define EXPIRATION ((usec)1893553445 * USEC_PER_SEC)

enum service { STS, CONTAINER, IMDS, GOOGLE };

static char authority[] = "ca.pem", certificate[] = "cert.pem", a_proxy[] = "http://127.0.0.1:9";
static const struct reach nowhere;
static const struct reach somewhere = {
    .access = {.tls = {.ca_file = authority, .cert_file = certificate}, .proxy = {.url = a_proxy}}};
static const struct reach *reach = &nowhere;
static struct http_options last;      /* its texts are gone but those of `reach` */
static struct buf asked;              /* "METHOD URL\nname: value\nbody\n" of each request */
static usec connect_timeout, timeout; /* of the last */
static bool hurry;

int __real_http_start(struct http *h, const struct http_options *options,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret);
int __wrap_http_start(struct http *h, const struct http_options *options,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret);

/* Not by buf_addf, whose own copy is not wiped. A body in memory is a string here. */
static void write_down(const char *a, const char *b, const char *c)
{
    const char *const parts[] = {a, b, c, "\n"};

    for (size_t i = 0; i < N(parts); i++)
        assert_int_equal(buf_adds(&asked, parts[i]), 0);
}

int __wrap_http_start(struct http *h, const struct http_options *options,
                      const struct http_handlers *handlers, void *userdata,
                      struct http_request **ret)
{
    struct http_options o = *options;

    write_down(o.method ? o.method : "GET", " ", o.url);
    for (size_t i = 0; i < o.n_headers; i++)
        write_down(o.headers[i].name, ": ", o.headers[i].value);
    if (o.authorization)
        write_down(o.authorization, "", "");
    if (o.body)
        write_down(o.body->data, "", "");
    last = o;
    connect_timeout = o.connect_timeout;
    timeout = o.timeout;
    if (hurry)
        o.timeout = 50 * USEC_PER_MSEC;
    return __real_http_start(h, &o, handlers, userdata, ret);
}

static unsigned unwiped;
static _Thread_local bool watched; /* not the server's thread */

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
    if (p && watched && memmem(p, malloc_usable_size(p), "canary", 6))
        unwiped++;
    __real_free(p);
}

struct world {
    char *dir;
    size_t descriptors;
    sd_event *event;
    struct http *http;
    struct loopback *server;
    char url[64];
    struct credremote *c;
    bool ended;
    int r;
    struct secret_set set;
    char text[512];
};

static const char *const variables[] = {
    "AWS_ENDPOINT_URL_STS",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "GCE_METADATA_HOST",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_CONFIG",
    "HOME",
};

static void set_env(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->dir = scratch_new(NULL);
    w->descriptors = scratch_descriptors();
    assert_true(sd_event_new(&w->event) >= 0);
    assert_int_equal(http_new(w->event, "contraced/test", &w->http), 0);
    w->server = loopback_new(NULL);
    (void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u", loopback_port(w->server));
    for (size_t i = 0; i < N(variables); i++)
        set_env(variables[i], NULL);
    set_env("AWS_ENDPOINT_URL_STS", w->url);
    set_env("AWS_EC2_METADATA_SERVICE_ENDPOINT", w->url);
    set_env("GCE_METADATA_HOST", w->url + strlen("http://"));
    secret_init(&w->set);
    buf_init(&asked, 1u << 20);
    hurry = false;
    unwiped = 0;
    watched = true;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    credremote_cancel(w->c);
    secret_done(&w->set);
    assert_int_equal(unwiped, 0);
    loopback_free(w->server);
    http_free(w->http);
    sd_event_unref(w->event);
    assert_int_equal(scratch_descriptors(), w->descriptors);
    scratch_free(w->dir);
    buf_wipe(&asked);
    free(w);
    return 0;
}

static void on_end(void *userdata, int r, struct secret_set *secrets, const char *text)
{
    struct world *w = userdata;

    assert_false(w->ended);
    w->ended = true;
    w->c = NULL;
    w->r = r;
    if (r == 0)
        secret_move(secrets, &w->set);
    (void)snprintf(w->text, sizeof(w->text), "%s", text);
}

static const struct {
    const char *variable;
    enum service service;
} earlier[] = {
    {"AWS_WEB_IDENTITY_TOKEN_FILE", STS},
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", CONTAINER},
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", CONTAINER},
};

static int begin(struct world *w, enum service service)
{
    const struct credaws_config config = {.region = "eu-west-1"};
    struct credroute route;
    int r;

    /* Those that come before it are out of the way. */
    for (size_t i = 0; i < N(earlier); i++) {
        if (service > earlier[i].service)
            set_env(earlier[i].variable, NULL);
    }
    w->ended = false;
    credroute_init(&route);
    r = service == GOOGLE ? credgoogle_find(NULL, &route, w->text, sizeof(w->text))
                          : credaws_find(&config, &route, w->text, sizeof(w->text));
    return r < 0 ? r
                 : credremote_start(w->event, w->http, reach, &route, on_end, w, &w->c, w->text,
                                    sizeof(w->text));
}

static int converse(struct world *w, enum service service, const struct loopback_step *steps,
                    size_t n)
{
    buf_clear(&asked);
    loopback_play(w->server, steps, n);
    assert_int_equal(begin(w, service), 0);
    while (!w->ended)
        assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
    (void)loopback_join(w->server);
    assert_null(strstr(w->text, "canary"));
    return w->r;
}

#define CONVERSE(w, service, ...)                                         \
    converse((w), (service), (const struct loopback_step[]){__VA_ARGS__}, \
             N(((const struct loopback_step[]){__VA_ARGS__})))

static void check_set(const struct world *w)
{
    assert_int_equal(w->r, 0);
    assert_string_equal(w->set.access_key, "ASIACANARY");
    assert_string_equal(w->set.secret_key, "sk/canary");
    assert_string_equal(w->set.session_token, "tok+canary=");
    assert_true(w->set.expiry == EXPIRATION);
}

static bool has(const char *text, const char *part)
{
    if (strstr(text, part))
        return true;
    print_error("\"%s\" has no \"%s\"\n", text, part);
    return false;
}

static void web_identity(struct world *w)
{
    set_env("AWS_WEB_IDENTITY_TOKEN_FILE",
            scratch_write(w->dir, "jwt", "jwt.canary-1\n", 13, 0600));
    set_env("AWS_ROLE_ARN", ROLE_ARN);
}

static void test_sts(void **state)
{
    struct world *w = *state;

    web_identity(w);
    (void)CONVERSE(w, STS, {.what = LOOPBACK_BODY}, SEND(OK XML));
    check_set(w);
    assert_true(has(buf_str(&asked), "POST http://127.0.0.1:"));
    assert_true(has(buf_str(&asked), "Content-Type: application/x-www-form-urlencoded\n"
                                     "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn="
                                     "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftraces"
                                     "&RoleSessionName=contraced&WebIdentityToken=jwt.canary-1\n"));
    /* The file is rotated, and read anew. */
    (void)scratch_write(w->dir, "jwt", "jwt.canary-2", 12, 0600);
    set_env("AWS_ROLE_SESSION_NAME", "me");
    (void)CONVERSE(w, STS, {.what = LOOPBACK_BODY}, SEND(OK XML));
    assert_true(has(buf_str(&asked), "&RoleSessionName=me&WebIdentityToken=jwt.canary-2\n"));
}

static void test_sts_refuses(void **state)
{
    struct world *w = *state;

    web_identity(w);
    assert_int_equal(
        CONVERSE(
            w, STS, {.what = LOOPBACK_BODY},
            SEND(STATUS(
                "400 Bad Request") "<ErrorResponse><Error><Code>ExpiredTokenException</Code>"
                                   "<Message>Token expired</Message></Error></ErrorResponse>")),
        -EPERM);
    assert_string_equal(w->text, "STS answers with status 400: the service refused: "
                                 "ExpiredTokenException: Token expired");
    assert_int_equal(CONVERSE(w, STS, {.what = LOOPBACK_BODY}, SEND(STATUS("503 Slow Down"))),
                     -EAGAIN);
    assert_string_equal(w->text, "STS answers with status 503");
    assert_int_equal(CONVERSE(w, STS, {.what = LOOPBACK_BODY}, SEND(STATUS("500 Oops") XML)),
                     -EAGAIN);
    assert_string_equal(w->text, "STS answers with status 500");
    assert_int_equal(CONVERSE(w, STS, {.what = LOOPBACK_BODY}, SEND(OK "<html><br>")), -EINVAL);
    assert_true(has(w->text, "STS: the reply is not XML"));
    assert_int_equal(CONVERSE(w, STS, {.what = LOOPBACK_BODY}, SEND(OK)), -EINVAL);
    assert_int_equal(
        CONVERSE(w, STS, {.what = LOOPBACK_BODY}, SEND(STATUS("301 Moved\r\nLocation: /x"))),
        -EPERM);
    assert_null(w->set.access_key);
}

/* A service says what it was sent; short as it is, it stays here. */
static void test_sts_echoes(void **state)
{
    struct world *w = *state;

    web_identity(w);
    (void)scratch_write(w->dir, "jwt", "jw.short\n", 9, 0600);
    assert_int_equal(
        CONVERSE(w, STS, {.what = LOOPBACK_BODY},
                 SEND(STATUS("400 Bad Request") "<ErrorResponse><Error><Code>InvalidToken</Code>"
                                                "<Message>not (jw.short)</Message></Error>"
                                                "</ErrorResponse>")),
        -EPERM);
    assert_string_equal(w->text, "STS answers with status 400: the service refused: "
                                 "InvalidToken: not ([...])");
}

static void test_token_file(void **state)
{
    struct world *w = *state;

    web_identity(w);
    (void)scratch_write(w->dir, "jwt", "jwt.canary", 10, SCRATCH_EXPOSED);
    assert_int_equal(begin(w, STS), -EPERM);
    assert_true(has(w->text, "jwt (AWS_WEB_IDENTITY_TOKEN_FILE): others may read it; chmod 0600"));
    (void)scratch_write(w->dir, "jwt", "\n", 1, 0600);
    assert_int_equal(begin(w, STS), -EINVAL);
    assert_true(has(w->text, "is empty"));
    (void)scratch_write(w->dir, "jwt", "jwt\nX: canary", 13, 0600);
    assert_int_equal(begin(w, STS), -EINVAL);
    assert_true(has(w->text, "more than one line"));
    (void)scratch_write(w->dir, "jwt", "jwt\0canary", 10, 0600);
    assert_int_equal(begin(w, STS), -EINVAL);
    set_env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/jwt");
    assert_int_equal(begin(w, STS), -ENOENT);
    assert_true(has(w->text, "/nonexistent/jwt (AWS_WEB_IDENTITY_TOKEN_FILE): No such file"));
    web_identity(w);
    set_env("AWS_ROLE_ARN", "short");
    assert_int_equal(begin(w, STS), -EINVAL);
    assert_true(has(w->text, "AWS_ROLE_ARN"));
    web_identity(w);
    set_env("AWS_ENDPOINT_URL_STS", "ftp://sts");
    assert_int_equal(begin(w, STS), -EINVAL);
    set_env("AWS_ENDPOINT_URL_STS", "https://me:canary@sts");
    assert_int_equal(begin(w, STS), -EINVAL);
    assert_string_equal(w->text, "AWS_ENDPOINT_URL_STS is not an http or https URL");
    assert_int_equal(asked.len, 0);
    /* Without it the region's own; the request is not waited for. */
    set_env("AWS_ENDPOINT_URL_STS", NULL);
    assert_int_equal(begin(w, STS), 0);
    assert_true(has(buf_str(&asked), "POST https://sts.eu-west-1.amazonaws.com/\n"));
}

static void container(struct world *w)
{
    char url[128];

    (void)snprintf(url, sizeof(url), "%s/v1/creds?id=7", w->url);
    set_env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
}

static void test_container(void **state)
{
    struct world *w = *state;

    container(w);
    (void)CONVERSE(w, CONTAINER, SEND(OK JSON));
    check_set(w);
    assert_true(has(buf_str(&asked), "/v1/creds?id=7\n"));
    assert_null(strstr(buf_str(&asked), "Authorization"));
    assert_true(connect_timeout <= 2 * USEC_PER_SEC && timeout <= 10 * USEC_PER_SEC && timeout > 0);
    set_env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic plain");
    (void)CONVERSE(w, CONTAINER, SEND(OK JSON));
    assert_true(has(buf_str(&asked), "\nAuthorization: Basic plain\n"));
    set_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            scratch_write(w->dir, "token", "first\n", 6, 0600));
    (void)CONVERSE(w, CONTAINER, SEND(OK JSON));
    assert_true(has(buf_str(&asked), "\nAuthorization: first\n"));
    (void)scratch_write(w->dir, "token", "second", 6, 0600);
    (void)CONVERSE(w, CONTAINER, SEND(OK JSON));
    assert_true(has(buf_str(&asked), "\nAuthorization: second\n"));
}

static void test_container_refuses(void **state)
{
    struct world *w = *state;

    container(w);
    assert_int_equal(CONVERSE(w, CONTAINER,
                              SEND(STATUS("401 Unauthorized") "{\"code\":\"Denied\","
                                                              "\"message\":\"token is old\"}")),
                     -EPERM);
    assert_string_equal(w->text, "the container's endpoint answers with status 401: the service "
                                 "refused: Denied: token is old");
    assert_int_equal(CONVERSE(w, CONTAINER, SEND(OK "{\"Code\":\"Denied\",\"Message\":\"no\"}")),
                     -EINVAL);
    assert_true(has(w->text, "the service refused: Denied: no"));
    set_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            scratch_write(w->dir, "token", "canary", 6, SCRATCH_EXPOSED));
    assert_int_equal(begin(w, CONTAINER), -EPERM);
    assert_true(has(w->text, "chmod 0600"));
    set_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nonexistent/t");
    assert_int_equal(begin(w, CONTAINER), -ENOENT);
    set_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", NULL);
    set_env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX: canary");
    assert_int_equal(begin(w, CONTAINER), -EINVAL);
    set_env("AWS_CONTAINER_AUTHORIZATION_TOKEN", NULL);
    buf_clear(&asked);
    set_env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://203.0.113.1/canary");
    assert_int_equal(begin(w, CONTAINER), -EPERM);
    assert_true(has(w->text, "neither loopback nor a container endpoint"));
    assert_null(strstr(w->text, "canary"));
    assert_int_equal(asked.len, 0);
}

static void test_container_relative(void **state)
{
    struct world *w = *state;

    container(w);
    set_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x");
    assert_int_equal(begin(w, CONTAINER), 0);
    assert_string_equal(buf_str(&asked), "GET http://169.254.170.2/v2/x\n");
    credremote_cancel(w->c);
    w->c = NULL;
}

static void test_imds(void **state)
{
    struct world *w = *state;
    char expected[1024];

    (void)CONVERSE(w, IMDS, SEND(OK "imds-token=="), ACCEPT, SEND(OK "web+1@x\n"), ACCEPT,
                   SEND(OK JSON));
    check_set(w);
    assert_string_equal(w->text, "role web+1@x");
    (void)snprintf(expected, sizeof(expected),
                   "PUT %s/latest/api/token\nX-aws-ec2-metadata-token-ttl-seconds: 21600\n"
                   "GET %s/latest/meta-data/iam/security-credentials/\n"
                   "X-aws-ec2-metadata-token: imds-token==\n"
                   "GET %s/latest/meta-data/iam/security-credentials/web+1@x\n"
                   "X-aws-ec2-metadata-token: imds-token==\n",
                   w->url, w->url, w->url);
    assert_string_equal(buf_str(&asked), expected);
    assert_true(connect_timeout <= 2 * USEC_PER_SEC && timeout <= 10 * USEC_PER_SEC && timeout > 0);
}

/* Whatever becomes of the token, nothing is asked without one. */
static void test_imds_without_token(void **state)
{
    static const char *const answers[] = {
        STATUS("404 Not Found"),
        STATUS("403 Forbidden"),
        STATUS("405 Method Not Allowed"),
        STATUS("401 Unauthorized"),
        OK,
        OK "\n",
        OK "a b",
        OK "a\r\nX: y\r\n",
        OK "<html>\n<p>x",
    };
    struct world *w = *state;

    for (size_t i = 0; i < N(answers); i++) {
        assert_true(CONVERSE(w, IMDS, SEND(answers[i])) < 0);
        assert_null(strstr(buf_str(&asked), "GET"));
        assert_true(has(w->text, "the instance's metadata service"));
        assert_true(has(w->text, "IMDSv1") == (strncmp(answers[i], OK, strlen(OK)) != 0));
    }
    assert_int_equal(CONVERSE(w, IMDS, SEND(STATUS("500 Oops"))), -EAGAIN);
    assert_null(strstr(buf_str(&asked), "GET"));
}

static void test_imds_refuses(void **state)
{
    static const char *const names[] = {OK "../../x", OK "a/b", OK "a b",
                                        OK "<html>",  OK "\n",  OK ".."};
    struct world *w = *state;

    assert_int_equal(
        CONVERSE(w, IMDS, SEND(OK "tok"), ACCEPT, SEND(STATUS("404 Not Found") "<html>no</html>")),
        -EPERM);
    assert_true(has(w->text, "the instance has no role"));
    assert_int_equal(CONVERSE(w, IMDS, SEND(OK "tok"), ACCEPT, SEND(OK)), -ENOENT);
    for (size_t i = 0; i < N(names); i++)
        assert_int_equal(CONVERSE(w, IMDS, SEND(OK "tok"), ACCEPT, SEND(names[i])), -EINVAL);
    assert_int_equal(CONVERSE(w, IMDS, SEND(OK "tok"), ACCEPT, SEND(OK "r"), ACCEPT,
                              SEND(OK "{\"Code\":\"AssumeRoleUnauthorizedAccess\","
                                      "\"Message\":\"EC2 cannot assume the role\"}")),
                     -EINVAL);
    assert_true(has(w->text, "AssumeRoleUnauthorizedAccess: EC2 cannot assume the role"));
    assert_int_equal(CONVERSE(w, IMDS, SEND(OK "tok"), ACCEPT, SEND(OK "r"), ACCEPT,
                              SEND(STATUS("401 Unauthorized"))),
                     -EPERM);
    assert_null(w->set.access_key);
}

static void test_google(void **state)
{
    struct world *w = *state;
    usec now;

    (void)CONVERSE(w, GOOGLE,
                   SEND(OK "{\"access_token\":\"ya29.canary\",\"expires_in\":3599,"
                           "\"token_type\":\"Bearer\"}"));
    assert_int_equal(w->r, 0);
    assert_null(w->set.access_key);
    assert_null(w->set.secret_key);
    assert_string_equal(w->set.session_token, "ya29.canary");
    assert_true(sd_event_now(w->event, CLOCK_REALTIME, &now) >= 0);
    assert_true(w->set.expiry > now + 3500 * USEC_PER_SEC &&
                w->set.expiry <= now + 3599 * USEC_PER_SEC);
    assert_true(has(buf_str(&asked), "/computeMetadata/v1/instance/service-accounts/default/token\n"
                                     "Metadata-Flavor: Google\n"));
    assert_true(connect_timeout <= 2 * USEC_PER_SEC && timeout <= 10 * USEC_PER_SEC && timeout > 0);
}

static void test_google_refuses(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "x",
        "{\"access_token\":\"canary\",\"expires_in\":9}",
        "{\"access_token\":\"canary\",\"token_type\":\"Bearer\"}",
        "{\"access_token\":\"canary\",\"token_type\":\"MAC\",\"expires_in\":9}",
        "{\"access_token\":\"canary\",\"token_type\":\"Bearer\",\"expires_in\":\"9x\"}",
        "{\"access_token\":\"canary\",\"token_type\":\"Bearer\",\"expires_in\":-9}",
        "{\"access_token\":\"canary\",\"token_type\":\"Bearer\",\"expires_in\":9223372036854775}",
        "{\"access_token\":\"can\\nary\",\"token_type\":\"Bearer\",\"expires_in\":9}",
        "{\"access_token\":7,\"token_type\":\"Bearer\",\"expires_in\":9}",
    };
    struct world *w = *state;

    for (size_t i = 0; i < N(bad); i++) {
        assert_int_equal(CONVERSE(w, GOOGLE, SEND(OK), SEND(bad[i])), -EINVAL);
        assert_true(has(w->text, "Google's metadata server: the reply"));
    }
    assert_int_equal(
        CONVERSE(w, GOOGLE, SEND(STATUS("404 Not Found") "{\"error\":\"no_account\"}")), -EPERM);
    assert_true(has(w->text, "status 404: the service refused: no_account"));
    set_env("GCE_METADATA_HOST", "a/b@c");
    assert_int_equal(begin(w, GOOGLE), -EINVAL);
    set_env("GCE_METADATA_HOST", "metadata.example");
    assert_int_equal(begin(w, GOOGLE), -EPERM);
    assert_true(has(w->text, "GCE_METADATA_HOST is neither this machine"));
    set_env("GCE_METADATA_HOST", NULL);
    buf_clear(&asked);
    assert_int_equal(begin(w, GOOGLE), 0);
    assert_true(has(buf_str(&asked), "GET http://metadata.google.internal/computeMetadata/v1/"));
}

static void prepare_all(struct world *w)
{
    web_identity(w);
    container(w);
}

static void test_troubles(void **state)
{
    static char kib[1024];
    struct world *w = *state;

    memset(kib, 'x', sizeof(kib));
    prepare_all(w);
    for (enum service s = STS; s <= GOOGLE; s++) {
        /* 10 MB with status 200, and with 500; an early end; a reset; nothing at all. */
        assert_int_equal(
            CONVERSE(w, s, SEND(OK),
                     {.what = LOOPBACK_REPEAT, .data = kib, .n = sizeof(kib), .times = 10240}),
            -EINVAL);
        assert_true(has(w->text, "longer than 64 KiB"));
        assert_int_equal(
            CONVERSE(w, s, SEND(STATUS("500 Oops")),
                     {.what = LOOPBACK_REPEAT, .data = kib, .n = sizeof(kib), .times = 10240}),
            -EINVAL);
        assert_int_equal(CONVERSE(w, s, SEND("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")),
                         -EAGAIN);
        assert_int_equal(CONVERSE(w, s, {.what = LOOPBACK_RESET}), -EAGAIN);
        assert_int_equal(CONVERSE(w, s, SEND("no HTTP\r\n\r\n")), -EAGAIN);
        hurry = true;
        assert_int_equal(CONVERSE(w, s, {.what = LOOPBACK_WAIT}), -EAGAIN);
        assert_true(has(w->text, "does not answer"));
        hurry = false;
        assert_null(w->set.session_token);
    }
}

static void test_refused_connection(void **state)
{
    struct world *w = *state;

    prepare_all(w);
    loopback_free(w->server);
    for (enum service s = STS; s <= GOOGLE; s++) {
        assert_int_equal(begin(w, s), 0);
        while (!w->ended)
            assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
        assert_int_equal(w->r, -EAGAIN);
        assert_true(has(w->text, "does not answer"));
        if (s == IMDS)
            assert_true(has(w->text, "there are no credentials in the configuration"));
    }
    w->server = loopback_new(NULL);
}

static void test_cancel(void **state)
{
    const struct loopback_step wait = {.what = LOOPBACK_WAIT};
    struct world *w = *state;

    prepare_all(w);
    for (enum service s = STS; s <= GOOGLE; s++) {
        loopback_play(w->server, &wait, 1);
        assert_int_equal(begin(w, s), 0);
        assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
        credremote_cancel(w->c);
        w->c = NULL;
        (void)loopback_join(w->server);
        assert_false(w->ended);
    }
    credremote_cancel(NULL);
}

/* Whom the settings of the store serve, too: no request goes out here. */
static void test_settings(void **state)
{
    static const struct {
        enum service service;
        const char *variable, *value;
        bool named, proxied;
    } cases[] = {
        {STS, "AWS_ENDPOINT_URL_STS", NULL, false, true},
        {STS, "AWS_ENDPOINT_URL_STS", "https://sts.internal", true, true},
        {IMDS, "AWS_EC2_METADATA_SERVICE_ENDPOINT", NULL, true, false},
        {IMDS, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "https://imds", true, false},
        {CONTAINER, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://x/y", true, false},
        {GOOGLE, "GCE_METADATA_HOST", NULL, true, false},
    };
    struct world *w = *state;

    reach = &somewhere;
    for (size_t i = 0; i < N(cases); i++) {
        if (cases[i].service == STS)
            web_identity(w);
        set_env(cases[i].variable, cases[i].value);
        assert_int_equal(begin(w, cases[i].service), 0);
        credremote_cancel(w->c);
        w->c = NULL;
        assert_ptr_equal(last.tls.ca_file, authority);
        assert_true(last.ca_beside);
        assert_int_equal(last.tls.cert_file != NULL, cases[i].named);
        assert_int_equal(last.proxy != NULL, cases[i].proxied);
    }
    reach = &nowhere;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_settings),
        TEST(test_sts),
        TEST(test_sts_refuses),
        TEST(test_sts_echoes),
        TEST(test_token_file),
        TEST(test_container),
        TEST(test_container_refuses),
        TEST(test_container_relative),
        TEST(test_imds),
        TEST(test_imds_without_token),
        TEST(test_imds_refuses),
        TEST(test_google),
        TEST(test_google_refuses),
        TEST(test_troubles),
        TEST(test_refused_connection),
        TEST(test_cancel),
    };

    creddoc_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
