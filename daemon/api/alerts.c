/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/alerts.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

static int wrong(char *why, const char *what)
{
    (void)snprintf(why, APIREQUEST_WHY_SIZE,
                   "this is no notification of Alertmanager's webhook: %s", what);
    return -EINVAL;
}

/* A label's value; NULL when it is not there, no text or empty. */
static const char *label_of(const json_t *labels, const char *name)
{
    const char *text = json_string_value(json_object_get(labels, name));

    return text && text[0] ? text : NULL;
}

static void set_reason(struct alert *alert, const char *name)
{
    size_t n =
        (size_t)snprintf(alert->reason, sizeof(alert->reason), "alert:%s", name ? name : "unnamed");

    for (size_t i = strlen("alert:"); i < n && alert->reason[i]; i++) {
        if (!strchr(plain, alert->reason[i]))
            alert->reason[i] = '_';
    }
}

static int read_alert(const json_t *o, struct alerts *a, char *why)
{
    const char *status = json_string_value(json_object_get(o, "status"));
    const json_t *labels = json_object_get(o, "labels");
    struct alert *alert;

    if (!status || !json_is_object(labels))
        return wrong(why, "each of \"alerts\" must have a \"status\" and \"labels\"");
    if (strcmp(status, "firing") != 0)
        return 0;
    if (a->n == ALERTS_MAX) {
        a->left_out++;
        return 0;
    }
    alert = &a->items[a->n++];
    alert->service = label_of(labels, "service");
    alert->job = label_of(labels, "job");
    alert->instance = label_of(labels, "instance");
    set_reason(alert, label_of(labels, "alertname"));
    return 0;
}

static int read_all(const json_t *o, struct alerts *a, char *why)
{
    const json_t *list = json_object_get(o, "alerts");
    int r = 0;

    if (!json_is_object(o) || !json_is_array(list))
        return wrong(why, "it must be an object with a list \"alerts\"");
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
        r = read_alert(json_array_get(list, i), a, why);
    return r;
}

int alerts_parse(const char *body, size_t n, struct alerts *ret,
                 char why[static APIREQUEST_WHY_SIZE])
{
    struct alerts a = {0};
    json_t *o;
    int r = jsontext_parse(body, n, 0, NULL, &o);

    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return wrong(why, "it is no JSON");
    a.document = o;
    a.items = calloc(ALERTS_MAX, sizeof(*a.items));
    r = a.items ? read_all(o, &a, why) : -ENOMEM;
    if (r < 0)
        alerts_done(&a);
    else
        *ret = a;
    return r;
}

void alerts_done(struct alerts *a)
{
    free(a->items);
    json_decref(a->document);
    *a = (struct alerts){0};
}
