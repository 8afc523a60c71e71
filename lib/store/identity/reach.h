/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a store and the services that are asked on its behalf (STS, metadata, tokens) are reached:
 * `tls_config` and the proxies of the section `upload`, and what of them counts for whom.
 *
 *   whom            | ca_file              | cert_file | server_name     | skip_verify | proxy
 *   the store       | as the library has it| yes       | yes             | yes         | yes
 *   REACH_NAMED     | beside the system's  | yes       | of one host     | yes         | yes
 *   REACH_NEAR      | beside the system's  | yes       | of one host     | yes         | never
 *   REACH_PUBLIC    | beside the system's  | no        | no              | no          | yes
 *
 * "Of one host": where the service has the host and port of the store's endpoint, as with servers
 * that speak S3 and STS. A token that AWS, Google or Azure asks for goes to nobody who cannot show
 * their certificate, whatever is switched off for a store.
 */

#include "lib/config/config.h"
#include "lib/net/http.h"
#include "lib/net/origin.h"

struct reach {
    struct access access;         /* borrowed by requests */
    char store[ORIGIN_NAME_SIZE]; /* origin_name of the configured endpoint; "" without one */
};

enum reach_peer {
    REACH_PUBLIC, /* a cloud's own host */
    REACH_NAMED,  /* one that the user named: AWS_ENDPOINT_URL_STS */
    REACH_NEAR,   /* a service of this machine, pod or container */
};

/* Copies from the section. 0 or -ENOMEM; call reach_done in any case. */
int reach_init(struct reach *r, const struct upload_config *u);
void reach_done(struct reach *r);

/* These fill in proxy and TLS of a request whose URL is in `o` already. Everything is borrowed from
 * `r`. */
void reach_store(const struct reach *r, struct http_options *o);
void reach_beside(const struct reach *r, enum reach_peer peer, struct http_options *o);
