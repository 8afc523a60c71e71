/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api/alerts.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsontext.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

static int wrong(char *why, const char *what)
{
    (void)snprintf(why, APIREQUEST_WHY_SIZE,
                   "this is no notification of Alertmanager's webhook: %s", what);
    return -EINVAL;
}

/* A label's value; NULL if it is missing, not a string, or empty. */
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

/* Where the last complete object in a list of the outermost object ends; 0: there is none. */
static size_t end_of_whole(const char *body, size_t n)
{
    char open[2] = "";
    size_t depth = 0, end = 0;
    bool in_text = false;

    for (size_t i = 0; i < n; i++) {
        char c = body[i];

        if (c == '"')
            in_text = !in_text;
        else if (in_text)
            i += c == '\\';
        else if (c == '{' || c == '[') {
            if (depth < sizeof(open))
                open[depth] = c;
            depth++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
            if (c == '}' && depth == 2 && open[0] == '{' && open[1] == '[')
                end = i + 1;
        }
    }
    return end;
}

/* Makes a cut notification valid JSON again: keeps its complete alerts and adds the end. 0,
 * -ENOMEM, or -EINVAL if no alert is complete. */
static int mend(const char *body, size_t *n, char **ret)
{
    static const char rest[] = "]}";
    size_t end = end_of_whole(body, *n);
    char *whole = end > 0 ? malloc(end + sizeof(rest)) : NULL;

    if (!whole)
        return end > 0 ? -ENOMEM : -EINVAL;
    memcpy(whole, body, end);
    memcpy(whole + end, rest, sizeof(rest));
    *n = end + strlen(rest);
    *ret = whole;
    return 0;
}

int alerts_parse(const char *body, size_t n, bool cut, struct alerts *ret,
                 char why[static APIREQUEST_WHY_SIZE])
{
    _cleanup_free_ char *whole = NULL;
    struct alerts a = {0};
    json_t *o;
    int r = cut ? mend(body, &n, &whole) : 0;

    if (r == -EINVAL)
        return wrong(why, "it is too long, and its beginning has not one whole alert");
    if (r == 0)
        r = jsontext_parse(whole ? whole : body, n, 0, NULL, &o);
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
