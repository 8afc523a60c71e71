/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The address of the contraced that a command asks, and the event loop for the requests (call.h). A
 * unix socket is preferred: its permissions say who may use it, and it needs no token.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "cli/common/arguments.h"
#include "cli/common/interrupt.h"
#include "lib/net/http.h"

#define ENDPOINT_PORT 7465

struct endpoint_arguments {
    const char *address, *token_file, *config_file; /* NULL: not given */
};

#define ENDPOINT_ROWS 3
extern const struct argument endpoint_rows[ENDPOINT_ROWS];

/* The parts of an address as a person writes it. */
struct endpoint_address {
    char *base;      /* "http://127.0.0.1:7465": what paths are appended to */
    char *unix_path; /* connect here instead; or NULL */
};

struct endpoint {
    sd_event *event;
    struct http *http;
    struct interrupt interrupt;
    struct endpoint_address address;
    char *name;        /* the address as it was written, for messages */
    char *passed_over; /* a socket that was not used, and why; or NULL */
    char *token_file;  /* whose token is sent; or NULL */
    struct buf authorization;
};

/*
 * unix:/path, unix:@abstract, host:port, host (port 7465), http://host[:port], https://host[:port].
 * 0, -ENOMEM, or -EINVAL with a static text.
 */
int endpoint_parse(const char *text, struct endpoint_address *ret, const char **ret_why);
void endpoint_address_done(struct endpoint_address *a);

/*
 * Chooses the address: --address, else $CONTRACE_ADDRESS unless a file was named, else
 * web.listen_address of the configuration, else (no file was named, and the default one cannot be
 * read) contraced's default. Of several addresses: the first socket that accepts connections, else
 * the first TCP address. 0, or a negative errno after a message: -EINVAL for the usage.
 */
int endpoint_open(struct endpoint *e, const struct endpoint_arguments *a);

/* If SIGINT or SIGTERM came, the process ends here by that signal. */
void endpoint_close(struct endpoint *e);

/* As interrupt_wait. */
int endpoint_wait(struct endpoint *e);
