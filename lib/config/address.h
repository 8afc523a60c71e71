/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The address of a target: "host:port", "[v6]:port", "host" (the scheme's port),
 * "unix:/path/to.sock" or "unix:@abstract". Pure: nothing is resolved.
 */

#include <stdbool.h>
#include <stdint.h>

struct address {
    char *host;      /* without brackets; NULL for a unix socket */
    uint16_t port;   /* 0: the scheme's default */
    char *unix_path; /* NULL for TCP; a leading '@' is the abstract name space */
};

/* 0, -ENOMEM, or -EINVAL with *ret_why set to a static text that says what is wrong. */
int address_parse(const char *text, struct address *ret, const char **ret_why);
void address_done(struct address *a);

/* A unix socket, localhost, 127.0.0.0/8 or ::1: the target is on this machine. */
bool address_is_local(const struct address *a);

/*
 * A URL as given to --target: http://HOST[:PORT][/PATH], https://…, unix:/SOCKET. Splits it into
 * the scheme ("http" or "https"), the address text, and the path (NULL when the URL has none or
 * only "/"). User names, passwords, queries and fragments are refused with a reason (secrets do not
 * belong into argv). The three results are allocated. 0, -ENOMEM, -EINVAL with *ret_why.
 */
int address_split_url(const char *url, char **ret_scheme, char **ret_address, char **ret_path,
                      const char **ret_why);

/* What is wrong with the path of a URL, as it stands in the configuration; NULL: nothing. */
const char *address_check_path(const char *path);
