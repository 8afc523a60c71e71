/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/net/http.h"
#include "tests/support/certs.h"
#include "tests/support/client.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

#define LONG (20 * USEC_PER_SEC)
#define HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define EMPTY "\r\nContent-Length: 0\r\n\r\n"
#define SECRET "CANARY"

struct world {
    struct client client;
    char url[300];
};

static ssize_t on_body(void *userdata, const void *data, size_t n)
{
    (void)userdata, (void)data;
    return (ssize_t)n;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    client_init(&w->client, NULL);
    w->client.server = loopback_new(NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    client_done(&w->client);
    free(w);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("https_proxy"), 0);
    return 0;
}

static enum http_error run(struct world *w, const struct http_options *options)
{
    static const struct http_handlers handlers = {.body = on_body, .finished = client_finished};
    struct http_options o = *options;
    enum http_error error;

    o.timeout = o.connect_timeout = LONG;
    client_start(&w->client, &o, &handlers);
    error = client_wait(&w->client);
    assert_null(strstr(w->client.result.text, SECRET));
    return error;
}

/* The loopback server as a proxy, with `user` before its host. */
static struct proxy here(struct world *w, const char *user)
{
    (void)snprintf(w->url, sizeof(w->url), "http://%s127.0.0.1:%u", user,
                   loopback_port(w->client.server));
    return (struct proxy){.url = w->url};
}

static const char *ask(struct world *w, const char *url, const char *user, const char *answer)
{
    const struct loopback_step steps[] = {SEND(answer)};
    const struct proxy proxy = here(w, user);

    loopback_play(w->client.server, steps, 1);
    (void)run(w, &(struct http_options){.url = url,
                                        .proxy = &proxy,
                                        .authorization = "Authorization: Bearer " SECRET});
    return loopback_join(w->client.server);
}

static void expect_named(const struct world *w, const char *before, const char *after)
{
    char text[HTTP_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%s http://127.0.0.1:%u (proxy_url)%s", before,
                   loopback_port(w->client.server), after);
    assert_string_equal(w->client.result.text, text);
}

static void test_plain(void **state)
{
    struct world *w = *state;
    const char *asked = ask(w, "http://shop.example:6060/trace", "", HI);

    assert_int_equal(w->client.result.error, HTTP_OK);
    assert_int_equal(w->client.result.status, 200);
    assert_non_null(strstr(asked, "GET http://shop.example:6060/trace HTTP/1.1\r\n"));
    assert_non_null(strstr(asked, "\r\nHost: shop.example:6060\r\n"));
    assert_null(strstr(asked, "Proxy-Authorization"));
    asked = ask(w, "http://shop.example:80/", "me:" SECRET "@", HI);
    assert_non_null(strstr(asked, "\r\nHost: shop.example\r\n"));
    assert_non_null(strstr(asked, "\r\nProxy-Authorization: Basic bWU6Q0FOQVJZ\r\n"));
}

static void test_plain_refusals(void **state)
{
    struct world *w = *state;

    (void)ask(w, "http://shop.example/", "me:" SECRET "@",
              "HTTP/1.1 407 Proxy Authentication Required" EMPTY);
    assert_int_equal(w->client.result.error, HTTP_PROXY_REFUSED);
    assert_int_equal(w->client.result.status, 0);
    expect_named(w, "the proxy", " wants a user and a password that it accepts (407)");
    /* Whose answer this is cannot be known. */
    (void)ask(w, "http://shop.example/", "", "HTTP/1.1 502 Bad Gateway" EMPTY);
    assert_int_equal(w->client.result.error, HTTP_OK);
    assert_int_equal(w->client.result.status, 502);
    assert_int_equal(strncmp(w->client.result.proxy, "http://127.0.0.1:", 17), 0);
    assert_non_null(strstr(w->client.result.proxy, " (proxy_url)"));
}

/* tinyproxy does not read what it refuses, and the close resets the connection. */
static void test_refusal_before_the_body(void **state)
{
    static const char page[] = "<html>no</html>";
    const struct loopback_step steps[] = {
        SEND("HTTP/1.1 407 Proxy Authentication Required\r\nConnection: close\r\n\r\n"),
        {LOOPBACK_SEND, page, sizeof(page) - 1, 0},
        {LOOPBACK_SLEEP, NULL, 0, 50},
        {LOOPBACK_RESET, NULL, 0, 0},
    };
    struct world *w = *state;
    const struct proxy proxy = here(w, "me:" SECRET "@");
    _cleanup_close_ int fd =
        open(scratch_path(w->client.dir, "body"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const struct http_body body = {.fd = fd, .size = 8 << 20};

    assert_int_equal(ftruncate(fd, 8 << 20), 0);
    loopback_play(w->client.server, steps, 4);
    (void)run(w,
              &(struct http_options){
                  .url = "http://shop.example/", .method = "PUT", .proxy = &proxy, .body = &body});
    (void)loopback_join(w->client.server);
    assert_int_equal(w->client.result.error, HTTP_PROXY_REFUSED);
    assert_int_equal(w->client.result.status, 0);
    assert_false(w->client.result.sent_all);
    expect_named(w, "the proxy", " wants a user and a password that it accepts (407)");
}

static void test_tunnel_refusals(void **state)
{
    static const struct {
        const char *answer;
        enum http_error error;
        const char *text;
    } cases[] = {
        {"HTTP/1.1 407 Proxy Authentication Required" EMPTY, HTTP_PROXY_REFUSED,
         " wants a user and a password that it accepts (407)"},
        {"HTTP/1.1 403 Forbidden" EMPTY, HTTP_PROXY_REFUSED,
         " refuses to connect to shop.example:8443 (403)"},
        {"HTTP/1.1 503 Service Unavailable" EMPTY, HTTP_PROXY,
         " cannot connect to shop.example:8443 (503)"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *asked = ask(w, "https://shop.example:8443/", "me:" SECRET "@", cases[i].answer);

        assert_int_equal(w->client.result.error, cases[i].error);
        assert_int_equal(w->client.result.status, 0);
        assert_false(w->client.result.sent_all);
        expect_named(w, "the proxy", cases[i].text);
        assert_int_equal(strncmp(asked, "CONNECT shop.example:8443 HTTP/1.1\r\n", 36), 0);
        assert_null(strstr(asked, "Bearer")); /* which is for the server alone */
    }
}

/* The message names the setting that has to be changed. */
static void test_out_of_reach(void **state)
{
    static const struct proxy of_environment = {.from_environment = true};
    struct world *w = *state;
    struct proxy proxy = here(w, "me:" SECRET "@");
    unsigned port = loopback_port(w->client.server);
    char text[HTTP_TEXT_MAX];

    loopback_free(w->client.server);
    assert_int_equal(run(w, &(struct http_options){.url = "http://a.example/", .proxy = &proxy}),
                     HTTP_PROXY);
    (void)snprintf(text, sizeof(text),
                   "the proxy http://127.0.0.1:%u (proxy_url): Connection refused", port);
    assert_string_equal(w->client.result.text, text);
    assert_int_equal(setenv("http_proxy", proxy.url, 1), 0);
    assert_int_equal(
        run(w, &(struct http_options){.url = "http://a.example/", .proxy = &of_environment}),
        HTTP_PROXY);
    (void)snprintf(text, sizeof(text),
                   "the proxy http://127.0.0.1:%u (http_proxy): Connection refused", port);
    assert_string_equal(w->client.result.text, text);
    proxy.url = TEXT("http://me:" SECRET "@no-such-host.invalid:1");
    assert_int_equal(run(w, &(struct http_options){.url = "http://a.example/", .proxy = &proxy}),
                     HTTP_PROXY);
    assert_non_null(
        strstr(w->client.result.text, "the proxy http://no-such-host.invalid:1 (proxy_url): "));
    w->client.server = loopback_new(NULL);
}

static void test_no_url(void **state)
{
    const struct proxy proxy = {.from_environment = true};
    struct world *w = *state;

    assert_int_equal(setenv("http_proxy", "gopher://" SECRET "@x", 1), 0);
    assert_int_equal(run(w, &(struct http_options){.url = "http://a.example/", .proxy = &proxy}),
                     HTTP_PROXY_REFUSED);
    assert_string_equal(w->client.result.text,
                        "http_proxy must begin with http://, https://, socks5:// "
                        "or socks5h://");
}

/* Whatever the environment says, libcurl does not ask it. */
static void test_not_asked(void **state)
{
    const struct loopback_step steps[] = {SEND(HI)};
    struct world *w = *state;
    char url[64];

    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:9", 1), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", loopback_port(w->client.server));
    loopback_play(w->client.server, steps, 1);
    assert_int_equal(run(w, &(struct http_options){.url = url}), HTTP_OK);
    assert_int_equal(strncmp(loopback_join(w->client.server), "GET / HTTP/1.1\r\n", 16), 0);
    /* Nor what is excepted from a proxy. */
    assert_int_equal(setenv("no_proxy", "*", 1), 0);
    (void)ask(w, "http://shop.example/", "", HI);
    assert_int_equal(w->client.result.error, HTTP_OK);
    assert_int_equal(unsetenv("no_proxy"), 0);
}

static void test_unix(void **state)
{
    const struct proxy proxy = {.url = TEXT("http://127.0.0.1:9")};
    const struct loopback_step steps[] = {SEND(HI)};
    struct world *w = *state;
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/s", w->client.dir);
    loopback_free(w->client.server);
    w->client.server = loopback_new(&(struct loopback_options){.unix_path = path});
    loopback_play(w->client.server, steps, 1);
    assert_int_equal(
        run(w,
            &(struct http_options){.url = "http://localhost/", .unix_path = path, .proxy = &proxy}),
        HTTP_OK);
    (void)loopback_join(w->client.server);
}

/* An authority beside the system's, and one that cannot be read. */
static void test_authorities(void **state)
{
    const struct loopback_step steps[] = {SEND(HI)};
    struct world *w = *state;
    struct certs *certs = certs_new(w->client.dir);
    char ca[512], cert[512], key[512], url[64];

    certs_issue(certs, "server", "IP:127.0.0.1");
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", w->client.dir);
    (void)snprintf(cert, sizeof(cert), "%s/server.pem", w->client.dir);
    (void)snprintf(key, sizeof(key), "%s/server.key", w->client.dir);
    loopback_free(w->client.server);
    w->client.server = loopback_new(&(struct loopback_options){.cert_file = cert, .key_file = key});
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", loopback_port(w->client.server));
    loopback_play(w->client.server, steps, 1);
    assert_int_equal(
        run(w, &(struct http_options){.url = url, .tls.ca_file = ca, .ca_beside = true}), HTTP_OK);
    (void)loopback_join(w->client.server);
    assert_int_equal(run(w, &(struct http_options){.url = url,
                                                   .tls.ca_file = TEXT("/nonexistent.pem"),
                                                   .ca_beside = true}),
                     HTTP_TLS_FILE);
    certs_free(certs);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_plain),
        TEST(test_plain_refusals),
        TEST(test_tunnel_refusals),
        TEST(test_out_of_reach),
        TEST(test_no_url),
        TEST(test_not_asked),
        TEST(test_refusal_before_the_body),
        TEST(test_unix),
        TEST(test_authorities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
