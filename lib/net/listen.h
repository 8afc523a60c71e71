/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The admin endpoint's listen_address: "127.0.0.1:7465", "[::1]:7465", "localhost:7465", ":7465"
 * (all addresses), "unix:/path", several with commas, or "off". Pure: nothing is resolved.
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
    bool local; /* a unix socket or a loopback address */
};

struct listen_list {
    struct listen_address items[LISTEN_MAX];
    size_t n; /* 0: off */
};

/* Parses one address. 0, or -EINVAL with the error as static text. */
int listen_parse(const char *text, struct listen_address *ret, const char **ret_why);

/* Parses all addresses. 0, or -EINVAL with the error as static text. */
int listen_parse_list(const char *text, struct listen_list *ret, const char **ret_why);

/* The first address that other machines can reach, or NULL. Borrowed. */
const struct listen_address *listen_list_exposed(const struct listen_list *list);
