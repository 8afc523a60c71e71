/* SPDX-License-Identifier: Apache-2.0 */

/* TLS: names, authorities, the client's certificate, and files that are no good. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/certs.h"
#include "tests/support/client.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

#define LONG USEC_PER_HOUR
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

struct world {
    struct client client;
    char body[64];
    unsigned calls;
};

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    struct world *w = userdata;

    w->calls++;
    assert_true(strlen(w->body) + n < sizeof(w->body));
    (void)strncat(w->body, data, n);
    return (ssize_t)n;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    client_init(&w->client, NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    client_done(&w->client);
    free(w);
    return 0;
}

static const char *url_of(struct world *w, const char *scheme, const char *host)
{
    static char url[256];

    (void)snprintf(url, sizeof(url), "%s://%s:%u/trace?seconds=2", scheme, host,
                   loopback_port(w->client.server));
    return url;
}

static enum http_error run(struct world *w, const struct http_options *options)
{
    static const struct http_handlers handlers = {.body = on_body, .finished = client_finished};
    struct http_options o = *options;

    if (o.timeout == 0)
        o.timeout = LONG;
    if (o.connect_timeout == 0)
        o.connect_timeout = LONG;
    w->body[0] = '\0';
    w->calls = 0;
    client_start(&w->client, &o, &handlers);
    return client_wait(&w->client);
}

struct tls_case {
    const char *host, *alt_names;
    bool trust, client; /* the client knows the authority; shows a certificate */
    bool demand;        /* the server wants one */
    const char *server_name;
    bool skip_verify;
    enum http_error error;
    const char *asked_name;
};

static void check_tls(struct world *w, struct certs *certs, const struct tls_case *c)
{
    const struct loopback_step steps[] = {SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    char ca[512], cert[512], key[512], client_cert[512], client_key[512];
    struct http_options o = {
        .tls = {.server_name = TEXT(c->server_name), .insecure_skip_verify = c->skip_verify}};

    certs_issue(certs, "server", c->alt_names);
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", w->client.dir);
    (void)snprintf(cert, sizeof(cert), "%s/server.pem", w->client.dir);
    (void)snprintf(key, sizeof(key), "%s/server.key", w->client.dir);
    (void)snprintf(client_cert, sizeof(client_cert), "%s/client.pem", w->client.dir);
    (void)snprintf(client_key, sizeof(client_key), "%s/client.key", w->client.dir);
    w->client.server = loopback_new(&(struct loopback_options){
        .cert_file = cert, .key_file = key, .client_ca_file = c->demand ? ca : NULL});
    o.url = url_of(w, "https", c->host);
    o.tls.ca_file = c->trust ? ca : NULL;
    o.tls.cert_file = c->client ? client_cert : NULL;
    o.tls.key_file = c->client ? client_key : NULL;
    loopback_play(w->client.server, steps, 1);
    assert_int_equal(run(w, &o), c->error);
    (void)loopback_join(w->client.server);
    if (c->error == HTTP_OK) {
        assert_string_equal(w->body, "hi");
        assert_string_equal(loopback_asked_name(w->client.server), c->asked_name);
        assert_string_equal(loopback_client(w->client.server), c->client ? "/CN=client" : "");
    } else {
        assert_int_equal(w->calls, 0);
        assert_int_equal(w->client.result.status, 0);
    }
    loopback_free(w->client.server);
    w->client.server = NULL;
}

static void test_tls(void **state)
{
    static const struct tls_case cases[] = {
        {"127.0.0.1", "IP:127.0.0.1", true, false, false, NULL, false, HTTP_OK, ""},
        {"localhost", "DNS:localhost", true, false, false, NULL, false, HTTP_OK, "localhost"},
        /* a wrong name, and that name asked for */
        {"127.0.0.1", "DNS:shop.example", true, false, false, NULL, false, HTTP_TLS, ""},
        {"127.0.0.1", "DNS:shop.example", true, false, false, "shop.example", false, HTTP_OK,
         "shop.example"},
        {"localhost", "DNS:shop.example", true, false, false, "shop.example", false, HTTP_OK,
         "shop.example"},
        {"127.0.0.1", "DNS:shop.example", true, false, false, "till.example", false, HTTP_TLS, ""},
        {"127.0.0.1", "DNS:shop.example", false, false, false, NULL, true, HTTP_OK, ""},
        /* an unknown authority */
        {"127.0.0.1", "IP:127.0.0.1", false, false, false, NULL, false, HTTP_TLS, ""},
        /* a client's certificate */
        {"127.0.0.1", "IP:127.0.0.1", true, true, true, NULL, false, HTTP_OK, ""},
    };
    struct world *w = *state;
    struct certs *certs = certs_new(w->client.dir);

    certs_issue(certs, "client", NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_tls(w, certs, &cases[i]);
    certs_free(certs);
}

/* TLS 1.3 tells a client that its certificate is missed only after the handshake: with curl it is
 * the reading that fails. */
static void test_tls_client_is_refused(void **state)
{
    const struct loopback_step steps[] = {SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    struct world *w = *state;
    struct certs *certs = certs_new(w->client.dir);
    char ca[512], cert[512], key[512];
    enum http_error error;

    certs_issue(certs, "server", "IP:127.0.0.1");
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", w->client.dir);
    (void)snprintf(cert, sizeof(cert), "%s/server.pem", w->client.dir);
    (void)snprintf(key, sizeof(key), "%s/server.key", w->client.dir);
    w->client.server = loopback_new(
        &(struct loopback_options){.cert_file = cert, .key_file = key, .client_ca_file = ca});
    loopback_play(w->client.server, steps, 1);
    error =
        run(w, &(struct http_options){.url = url_of(w, "https", "127.0.0.1"), .tls.ca_file = ca});
    assert_true(error == HTTP_TLS || error == HTTP_CLOSED);
    certs_free(certs);
}

static void test_tls_files(void **state)
{
    const struct loopback_step steps[] = {{.what = LOOPBACK_WAIT}};
    struct world *w = *state;
    struct certs *certs = certs_new(w->client.dir);
    char none[512], rubbish[512], cert[512], key[512];
    struct http_options o = {0};

    certs_issue(certs, "server", "IP:127.0.0.1");
    certs_issue(certs, "client", NULL);
    (void)snprintf(none, sizeof(none), "%s/none.pem", w->client.dir);
    (void)snprintf(rubbish, sizeof(rubbish), "%s",
                   scratch_text(w->client.dir, "rubbish.pem", "rubbish"));
    (void)snprintf(cert, sizeof(cert), "%s/client.pem", w->client.dir);
    (void)snprintf(key, sizeof(key), "%s/server.key", w->client.dir);
    w->client.server = loopback_new(NULL);
    o.url = url_of(w, "https", "127.0.0.1");
    loopback_play(w->client.server, steps, 1);
    o.tls.ca_file = none;
    assert_int_equal(run(w, &o), HTTP_TLS_FILE);
    loopback_play(w->client.server, steps, 1);
    o.tls.ca_file = rubbish;
    assert_int_equal(run(w, &o), HTTP_TLS_FILE);
    o.tls.ca_file = NULL;
    loopback_play(w->client.server, steps, 1);
    o.tls.cert_file = o.tls.key_file = none;
    assert_int_equal(run(w, &o), HTTP_TLS_FILE);
    loopback_play(w->client.server, steps, 1);
    o.tls.cert_file = cert;
    o.tls.key_file = key; /* another one's */
    assert_int_equal(run(w, &o), HTTP_TLS_FILE);
    certs_free(certs);
}

static void test_plain_where_tls_is_expected(void **state)
{
    const struct loopback_step steps[] = {SEND(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    struct world *w = *state;

    w->client.server = loopback_new(NULL);
    loopback_play(w->client.server, steps, 1);
    /* The server waits for the end of a request that never comes: our timeout ends it. */
    assert_int_not_equal(run(w, &(struct http_options){.url = url_of(w, "https", "127.0.0.1"),
                                                       .timeout = 200 * USEC_PER_MSEC}),
                         HTTP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls_client_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain_where_tls_is_expected, setup, teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
