/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the admin endpoint listens, as it is written: "127.0.0.1:7465", "[::1]:7465",
 * "localhost:7465", ":7465" (all addresses), "unix:/path", several with commas, or "off". Pure
 * text; nothing is looked up.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LISTEN_DEFAULT "127.0.0.1:7465, unix:/run/contrace/contraced.sock"
#define LISTEN_MAX 16 /* addresses */
#define LISTEN_TEXT_SIZE 128

struct listen_address {
    char text[LISTEN_TEXT_SIZE]; /* as written */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un un;
    } sa;
    socklen_t len;
    bool local; /* a unix socket, or an address that only this machine reaches */
};

struct listen_list {
    struct listen_address items[LISTEN_MAX];
    size_t n; /* 0: off */
};

/* One address. 0, or -EINVAL with what is wrong with it, a static text. */
int listen_parse(const char *text, struct listen_address *ret, const char **ret_why);

/* All of them. 0, or -EINVAL with a static text. */
int listen_parse_list(const char *text, struct listen_list *ret, const char **ret_why);

/* The first that other machines reach, or NULL. Borrowed. */
const struct listen_address *listen_list_exposed(const struct listen_list *list);
