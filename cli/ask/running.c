/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/running.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsontext.h"
#include "cli/ask/call.h"
#include "cli/ask/endpoint.h"

/* The path in the answer; NULL: there is none. */
static int read_path(const struct call *c, char **ret)
{
    json_t *o = NULL;
    const char *path;
    int r = jsontext_parse(buf_str(&c->answer), c->answer.len, 0, NULL, &o);

    *ret = NULL;
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    path = json_string_value(json_object_get(json_object_get(o, "spool"), "path"));
    if (path && path[0] == '/') {
        *ret = strdup(path);
        r = *ret ? 0 : -ENOMEM;
    }
    json_decref(o);
    return r;
}

static int ask(struct endpoint *e, char **ret)
{
    struct call c;
    int r = call_start(&c, e, "GET", "/api/v1/status", NULL, CALL_TIMEOUT);

    *ret = NULL;
    if (r == 0)
        r = call_wait(&c);
    if (r == 0 && call_ok(&c))
        r = read_path(&c, ret);
    else if (r == 0 && c.result.error == HTTP_TIMEOUT)
        call_complain(&c); /* say so: the default directory may be the wrong one */
    call_done(&c);
    return r;
}

int running_spool(char **ret_path, char **ret_where)
{
    const struct endpoint_arguments where = {0};
    _cleanup_free_ char *path = NULL, *name = NULL;
    struct endpoint e;
    int r = endpoint_open(&e, &where);

    if (r < 0)
        return r;
    r = ask(&e, &path);
    if (r == 0 && path) {
        name = strdup(e.name);
        r = name ? 0 : -ENOMEM;
    }
    endpoint_close(&e);
    if (r < 0)
        return r;
    *ret_path = steal(&path);
    *ret_where = steal(&name);
    return 0;
}
