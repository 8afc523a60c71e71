/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What ports with net/http/pprof are called. */
static const char *const usual_names[] = {"pprof", "http-pprof", "profiling", "debug",
                                          "http-debug"};

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* 0: it is no number of a port. */
static uint16_t number_of(const char *text)
{
    char *end;
    unsigned long number;

    if (text[0] < '0' || text[0] > '9')
        return 0;
    number = strtoul(text, &end, 10);
    return *end == '\0' && number <= UINT16_MAX ? (uint16_t)number : 0;
}

/* A declared port. `name` or `number`, or neither: any of TCP. Returns how many there are; *ret is
 * the first. */
static unsigned find_port(const struct pod *p, const char *name, uint16_t number,
                          struct choice *ret)
{
    struct pod_entry e = {0};
    const char *container = NULL;
    unsigned found = 0;

    while (pod_next(p, &e)) {
        uint16_t of = e.tag == POD_PORT ? number_of(e.text[0]) : 0;

        if (e.tag == POD_CONTAINER)
            container = e.text[0];
        if (of == 0 || strcmp(e.text[2], "TCP") != 0 || (number && of != number) ||
            (name && strcmp(e.text[1], name) != 0))
            continue;
        if (found++ == 0) {
            ret->port = of;
            ret->container = container;
        }
    }
    return found;
}

static enum choice_end named(const struct pod *p, const char *said, struct choice *ret)
{
    uint16_t number = number_of(said);

    if (number == 0) {
        ret->why = "the annotation names a port that no container declares";
        return find_port(p, said, 0, ret) > 0 ? CHOICE_ONE : CHOICE_WRONG;
    }
    /* It need not be declared. */
    (void)find_port(p, NULL, number, ret);
    ret->port = number;
    return CHOICE_ONE;
}

static enum choice_end guessed(const struct pod *p, struct choice *ret)
{
    unsigned found;

    for (size_t i = 0; i < N(usual_names); i++) {
        if (find_port(p, usual_names[i], 0, ret) > 0)
            return CHOICE_ONE;
    }
    found = find_port(p, NULL, 0, ret);
    if (found == 1)
        return CHOICE_ONE;
    ret->why = found == 0 ? "it declares no port: contrace/port must say which"
                          : "it has several ports, none called pprof: contrace/port must say which";
    return CHOICE_WRONG;
}

enum choice_end choice_of(const struct pod *p, struct choice *ret)
{
    *ret = (struct choice){0};
    annotation_read(p, &ret->says);
    if (!ret->says.scrape || !pod_is_up(p))
        return CHOICE_NONE;
    return ret->says.port ? named(p, ret->says.port, ret) : guessed(p, ret);
}
