/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/endpoint.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/common/screen.h"
#include "config.h"
#include "lib/config/address.h"
#include "lib/config/config.h"
#include "lib/net/listen.h"
#include "lib/net/credentials.h"
#include "lib/yaml/text.h"

#define DEFAULT_FILE CONTRACE_SYSCONFDIR "/contrace/contraced.yaml"
#define UNIX_PREFIX "unix:"
#define WHY_MAX 512

#define FIELD(name) offsetof(struct endpoint_arguments, name)

const struct argument endpoint_rows[ENDPOINT_ROWS] = {
    {"address", 0, "ADDR", "where contraced answers: unix:/PATH, HOST:PORT, https://HOST",
     argument_text, FIELD(address)},
    {"token-file", 0, "FILE", "its bearer token, for addresses that want one", argument_text,
     FIELD(token_file)},
    {"config.file", 'c', "FILE", "else as this configuration says (" DEFAULT_FILE ")",
     argument_text, FIELD(config_file)},
};

void endpoint_address_done(struct endpoint_address *a)
{
    free(a->base);
    free(a->unix_path);
    *a = (struct endpoint_address){0};
}

static int parse_unix(const char *text, struct endpoint_address *ret, const char **ret_why)
{
    struct address a = {0};
    int r = address_parse(text, &a, ret_why);

    if (r < 0)
        return r;
    ret->unix_path = steal(&a.unix_path);
    address_done(&a);
    ret->base = strdup("http://localhost");
    return ret->base ? 0 : -ENOMEM;
}

/* host, host:port, [v6], [v6]:port */
static int parse_host(const char *text, struct endpoint_address *ret, const char **ret_why)
{
    struct address a = {0};
    int r = address_parse(text, &a, ret_why), n;

    if (r < 0)
        return r;
    n = asprintf(&ret->base, strchr(a.host, ':') ? "http://[%s]:%u" : "http://%s:%u", a.host,
                 a.port ? a.port : ENDPOINT_PORT);
    address_done(&a);
    if (n < 0)
        ret->base = NULL;
    return n < 0 ? -ENOMEM : 0;
}

static int parse_url(const char *text, struct endpoint_address *ret, const char **ret_why)
{
    _cleanup_free_ char *scheme = NULL, *address = NULL, *path = NULL;
    int r = address_split_url(text, &scheme, &address, &path, ret_why);

    if (r < 0)
        return r;
    if (path) {
        *ret_why = "an address without a path";
        return -EINVAL;
    }
    if (asprintf(&ret->base, "%s://%s", scheme, address) < 0) {
        ret->base = NULL;
        return -ENOMEM;
    }
    return 0;
}

int endpoint_parse(const char *text, struct endpoint_address *ret, const char **ret_why)
{
    struct endpoint_address a = {0};
    int r;

    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        r = parse_unix(text, &a, ret_why);
    else if (strstr(text, "://"))
        r = parse_url(text, &a, ret_why);
    else
        r = parse_host(text, &a, ret_why);
    if (r < 0)
        endpoint_address_done(&a);
    else
        *ret = a;
    return r;
}

static bool is_unix(const struct listen_address *l)
{
    return l->sa.any.sa_family == AF_UNIX;
}

/* 0 if the socket accepts connections, or a negative errno. */
static int try_socket(const struct listen_address *l)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    return connect(fd, &l->sa.any, l->len) == 0 || errno == EAGAIN ? 0 : -errno;
}

/* The address to connect to for one that contraced listens on. Without a host, or with 0.0.0.0 or
 * [::], that is the loopback's: contraced then listens on all of this machine's. */
static const char *reachable(const struct listen_address *l, char out[static LISTEN_TEXT_SIZE])
{
    const char *port = strrchr(l->text, ':');

    if (l->text[0] == ':' || strncmp(l->text, "0.0.0.0:", 8) == 0)
        (void)snprintf(out, LISTEN_TEXT_SIZE, "127.0.0.1%s", port);
    else if (strncmp(l->text, "[::]:", 5) == 0)
        (void)snprintf(out, LISTEN_TEXT_SIZE, "[::1]%s", port);
    else
        (void)snprintf(out, LISTEN_TEXT_SIZE, "%s", l->text);
    return out;
}

/* Takes the first socket that accepts connections, else TCP. If what was chosen does not answer,
 * the message also names the first socket that was skipped. */
static const struct listen_address *choose(struct endpoint *e, const struct listen_list *list)
{
    const struct listen_address *tcp = NULL, *first = &list->items[0];

    for (size_t i = 0; i < list->n; i++) {
        const struct listen_address *l = &list->items[i];
        int r = is_unix(l) ? try_socket(l) : 0;

        if (is_unix(l) && r == 0)
            return l;
        if (!is_unix(l) && !tcp)
            tcp = l;
        if (r < 0 && !e->passed_over &&
            asprintf(&e->passed_over, "%s (%s)", l->text, strerror(-r)) < 0)
            e->passed_over = NULL;
    }
    return tcp ? tcp : first;
}

/* Reads the configuration. The default file may be missing, unreadable or broken, as just then
 * people ask contraced; a file that was named may not. */
static int load(const char *named, struct config **ret)
{
    struct diags diags = {0};
    int r = config_load(named ? named : DEFAULT_FILE, ret, &diags);

    if (r < 0 && named)
        diags_print(&diags, stderr);
    diags_done(&diags);
    if (r < 0 && !named) {
        *ret = config_new();
        r = *ret ? 0 : -ENOMEM;
    }
    return r == -EINVAL ? -EIO : r;
}

static int replace(char **field, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int from_config(struct endpoint *e, const char *named)
{
    struct config *c = NULL;
    struct listen_list list = {0};
    const struct listen_address *l = NULL;
    const char *why;
    char text[LISTEN_TEXT_SIZE];
    int r = load(named, &c);

    if (r < 0)
        return r;
    (void)listen_parse_list(c->web.listen_address, &list, &why);
    if (list.n == 0) {
        complain("contraced has no endpoint: web.listen_address is off in %s; --address=ADDR "
                 "names another one",
                 named ? named : DEFAULT_FILE);
        r = -ENODEV;
    } else {
        l = choose(e, &list);
        r = replace(&e->name, reachable(l, text));
    }
    /* Sockets need no token, and a user who may connect to one often may not read the token's
     * file. */
    if (r == 0 && !is_unix(l) && !e->token_file && c->web.bearer_token_file)
        r = replace(&e->token_file, c->web.bearer_token_file);
    config_free(c);
    return r;
}

static const char *given(const char *argument, const char *variable)
{
    const char *value = argument ? argument : getenv(variable);

    return value && *value ? value : NULL;
}

static int find(struct endpoint *e, const struct endpoint_arguments *a)
{
    /* The command line takes precedence over the environment, also with a file that it names. */
    const char *address = a->config_file ? a->address : given(a->address, "CONTRACE_ADDRESS");
    const char *token = given(a->token_file, "CONTRACE_TOKEN_FILE"), *why = "";
    int r = token ? replace(&e->token_file, token) : 0;

    if (r == 0)
        r = address ? replace(&e->name, address) : from_config(e, a->config_file);
    if (r == 0)
        r = endpoint_parse(e->name, &e->address, &why);
    if (r == -EINVAL)
        complain("%s '%s': expected unix:/PATH, HOST:PORT or https://HOST%s%s",
                 a->address ? "--address" : "the address",
                 text_has_password(e->name, strlen(e->name)) ? "(not shown)" : e->name,
                 *why ? ": " : "", why);
    else if (r == -ENOMEM)
        complain("not enough memory");
    return r;
}

static int read_token(struct endpoint *e)
{
    const struct access_auth c = {.credentials_file = e->token_file};
    char why[WHY_MAX] = "";
    int r = credentials_header(&c, &e->authorization, why, sizeof(why));

    if (r < 0)
        complain("%s", why);
    return r == -EINVAL ? -EIO : r;
}

int endpoint_open(struct endpoint *e, const struct endpoint_arguments *a)
{
    int r;

    *e = (struct endpoint){0};
    credentials_init(&e->authorization);
    log_set_level(LOG_LEVEL_WARN);
    r = find(e, a);
    if (r == 0)
        r = read_token(e);
    if (r < 0) {
        endpoint_close(e);
        return r;
    }
    r = sd_event_new(&e->event);
    if (r >= 0)
        r = interrupt_open(&e->interrupt, e->event);
    if (r >= 0)
        r = http_new(e->event, "contrace/" PACKAGE_VERSION, &e->http);
    if (r < 0) {
        complain("cannot start: %s", strerror(-r));
        endpoint_close(e);
    }
    return r;
}

void endpoint_close(struct endpoint *e)
{
    http_free(e->http);
    e->http = NULL;
    e->event = sd_event_unref(e->event);
    endpoint_address_done(&e->address);
    free(e->name);
    free(e->passed_over);
    free(e->token_file);
    e->name = e->passed_over = e->token_file = NULL;
    buf_wipe(&e->authorization);
    interrupt_close(&e->interrupt);
}

int endpoint_wait(struct endpoint *e)
{
    int r = interrupt_wait(&e->interrupt, e->event);

    if (r < 0 && r != -EINTR)
        complain("cannot wait for %s: %s", e->name, strerror(-r));
    return r;
}
