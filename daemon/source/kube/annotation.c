/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/annotation.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/source/kube/annotation_name.h"

/* Grafana's kinds of profiles, in the order in which they are asked whether there is an endpoint. */
static const char *const kinds[] = {"cpu", "memory", "goroutine", "mutex", "block"};

static const char *const names[] = {
    ANNOTATION_GRAFANA "service_name",
    ANNOTATION_SERVICE,
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char *own(const struct pod *p, const char *what)
{
    char name[64];
    const char *value;

    (void)snprintf(name, sizeof(name), ANNOTATION_OWN "%s", what);
    value = pod_find(p, POD_ANNOTATION, name);
    return value && value[0] ? value : NULL;
}

static const char *grafana(const struct pod *p, const char *kind, const char *what)
{
    char name[64];
    const char *value;

    (void)snprintf(name, sizeof(name), ANNOTATION_GRAFANA "%s.%s", kind, what);
    value = pod_find(p, POD_ANNOTATION, name);
    return value && value[0] ? value : NULL;
}

static bool is_true(const char *value)
{
    return value && strcasecmp(value, "true") == 0;
}

/* The first kind of profile that is to be scraped; NULL: none. */
static const char *scraped_kind(const struct pod *p)
{
    for (size_t i = 0; i < N(kinds); i++) {
        if (is_true(grafana(p, kinds[i], "scrape")))
            return kinds[i];
    }
    return NULL;
}

static const char *either(const char *a, const char *b)
{
    return a ? a : b;
}

void annotation_read(const struct pod *p, struct annotation *ret)
{
    const char *said = own(p, "scrape"), *kind = scraped_kind(p);

    *ret = (struct annotation){
        .scrape = said ? is_true(said) : kind != NULL,
        .port = own(p, "port"),
        .path = own(p, "path"),
        .scheme = own(p, "scheme"),
        .artifacts = own(p, "artifacts"),
        .service = own(p, "service"),
    };
    for (size_t i = 0; i < N(names) && !ret->service; i++) {
        const char *value = pod_find(p, POD_ANNOTATION, names[i]);

        ret->service = value && value[0] ? value : NULL;
    }
    if (!kind)
        return;
    /* A port by its number goes before one by its name, as there. */
    ret->port = either(ret->port, either(grafana(p, kind, "port"), grafana(p, kind, "port_name")));
    ret->scheme = either(ret->scheme, grafana(p, kind, "scheme"));
    if (strcmp(kind, kinds[0]) == 0)
        ret->cpu_path = grafana(p, kind, "path");
}
