/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secretname.h"
#include "lib/config/keys/access_keys.h"
#include "lib/yaml/label.h"
#include "lib/net/header.h"

#define AT(type, field) .offset = offsetof(struct type, field)

int flight_copy(const struct flight_config *from, struct flight_config *ret)
{
    struct flight_config to = {.post = from->post, .n_headers = from->n_headers};

    to.path = from->path ? strdup(from->path) : NULL;
    if ((from->path && !to.path) ||
        label_copy_all(from->headers, from->n_headers, &to.headers) < 0) {
        free(to.path);
        *ret = (struct flight_config){0};
        return -ENOMEM;
    }
    *ret = to;
    return 0;
}

void flight_done(struct flight_config *flight)
{
    free(flight->path);
    flight->path = NULL;
    label_clear_all(&flight->headers, &flight->n_headers);
}

/* Secrets have files of their own, and so the sections for them; a recording must come whole and as
 * it is. */
static int check_name(struct yaml_file *f, const yaml_node_t *node, const char *name)
{
    static const struct {
        const char *name, *why;
    } refused[] = {
        {"Authorization", "use `authorization` or `basic_auth`"},
        {"Proxy-Authorization", "use `authorization` or `basic_auth`"},
        {"Cookie", "use `authorization` or `basic_auth`"},
        {"Accept-Encoding", "a recording must come as it is, not compressed"},
        {"Range", "a recording must come whole"},
        {"If-Range", "a recording must come whole"},
        {"If-Match", "a recording must come in any case"},
        {"If-None-Match", "a recording must come in any case"},
        {"If-Modified-Since", "a recording must come in any case"},
        {"If-Unmodified-Since", "a recording must come in any case"},
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcasecmp(name, refused[i].name) == 0)
            return yaml_file_error_unseen(f, node, "headers: %s: %s", refused[i].name,
                                          refused[i].why);
    }
    if (secretname_is(name, strlen(name)))
        return yaml_file_error_unseen(
            f, node, "headers: %.60s: a secret does not belong into this file: use `authorization`",
            name);
    return 0;
}

static int check_value(struct yaml_file *f, const yaml_node_t *node, const struct label *header)
{
    struct buf line;
    int r;

    buf_init(&line, FLIGHT_HEADER_MAX);
    r = header_format(&line, header->name, header->value);
    buf_done(&line);
    if (r == -ENOMEM && strlen(header->value) < FLIGHT_HEADER_MAX / 2)
        return yaml_file_oom(f);
    if (r == 0)
        return 0;
    return yaml_file_error(f, node,
                           "headers: %.60s: contraced does not send such a header, or its value is "
                           "too long or has a control character",
                           header->name);
}

static int read_headers(struct yaml_file *f, const yaml_node_t *node, void *base)
{
    static const struct label_rule rule = {"headers",          "a header", "there may be at most",
                                           FLIGHT_HEADERS_MAX, check_name, check_value};
    struct flight_config *flight = base;

    return label_read_all(f, node, &rule, &flight->headers, &flight->n_headers);
}

static const struct table_choice method_choices[] = {{"GET", false}, {"POST", true}, {NULL, 0}};

static const struct table_key keys[] = {
    {.name = "path",
     .type = TABLE_STRING,
     .flags = TABLE_REQUIRED,
     AT(flight_config, path),
     .max = 2048,
     .check = address_check_path},
    {.name = "method", .type = TABLE_BOOL, AT(flight_config, post), .choices = method_choices},
    {.name = "headers", .type = TABLE_CUSTOM, AT(flight_config, headers), .custom = read_headers},
};

const struct table flight_section = {
    .where = "in flight",
    .keys = keys,
    .n_keys = sizeof(keys) / sizeof(keys[0]),
};
