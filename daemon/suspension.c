/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/suspension.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct cause {
    bool on;
    usec since; /* real time */
    char text[SUSPENSION_TEXT_MAX];
};

struct suspension {
    sd_event *event;
    void (*changed)(void *userdata, bool suspended);
    void *userdata;
    struct cause causes[SUSPENSION_CAUSES];
};

const char *suspension_cause_name(enum suspension_cause cause)
{
    static const char *const names[SUSPENSION_CAUSES] = {
        [SUSPENDED_SIGNAL] = "signal",
        [SUSPENDED_API] = "api",
        [SUSPENDED_FLAG_FILE] = "flag_file",
        [SUSPENDED_CPU_PRESSURE] = "cpu_pressure",
    };

    return names[cause];
}

/* ---- what holds ----------------------------------------------------------------------------- */

bool suspension_active(const struct suspension *s)
{
    for (int i = 0; i < SUSPENSION_CAUSES; i++) {
        if (s->causes[i].on)
            return true;
    }
    return false;
}

bool suspension_cause(const struct suspension *s, enum suspension_cause cause, usec *ret_since,
                      const char **ret_text)
{
    const struct cause *c = &s->causes[cause];

    if (!c->on)
        return false;
    if (ret_since)
        *ret_since = c->since;
    if (ret_text)
        *ret_text = c->text;
    return true;
}

const char *suspension_names(const struct suspension *s, char out[static SUSPENSION_NAMES_SIZE])
{
    size_t n = 0;

    out[0] = '\0';
    for (int i = 0; i < SUSPENSION_CAUSES; i++) {
        if (s->causes[i].on)
            n += (size_t)snprintf(out + n, SUSPENSION_NAMES_SIZE - n, "%s%s", n > 0 ? ", " : "",
                                  suspension_cause_name((enum suspension_cause)i));
    }
    return out;
}

/* ---- changes -------------------------------------------------------------------------------- */

static usec now_real(const struct suspension *s)
{
    usec now = 0;

    (void)sd_event_now(s->event, CLOCK_REALTIME, &now);
    return now;
}

/* What happened, and what follows from it for the schedule. */
static void say(const struct suspension *s, bool was, const char *what)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_SUSPENDED};
    char names[SUSPENSION_NAMES_SIZE];

    if (!suspension_active(s))
        log_write(LOG_LEVEL_INFO, &fields, "%s: resumed", what);
    else if (!was)
        log_write(LOG_LEVEL_INFO, &fields, "%s: suspended, no scheduled captures", what);
    else
        log_write(LOG_LEVEL_INFO, &fields, "%s: stays suspended (%s)", what,
                  suspension_names(s, names));
}

static void begin(struct suspension *s, enum suspension_cause cause, const char *text,
                  const char *what)
{
    struct cause *c = &s->causes[cause];
    bool was = suspension_active(s);

    c->on = true;
    c->since = now_real(s);
    (void)snprintf(c->text, sizeof c->text, "%s", text);
    say(s, was, what);
    s->changed(s->userdata, true);
}

static bool asked_for(const struct suspension *s)
{
    return s->causes[SUSPENDED_SIGNAL].on || s->causes[SUSPENDED_API].on;
}

/* The operator's wish ends, whichever way he said it. */
static void end_asked_for(struct suspension *s, const char *what)
{
    s->causes[SUSPENDED_SIGNAL].on = s->causes[SUSPENDED_API].on = false;
    say(s, true, what);
    s->changed(s->userdata, suspension_active(s));
}

void suspension_toggle(struct suspension *s)
{
    if (asked_for(s))
        end_asked_for(s, "SIGUSR2");
    else
        begin(s, SUSPENDED_SIGNAL, "SIGUSR2", "SIGUSR2");
}

void suspension_api(struct suspension *s, bool on, const char *reason)
{
    struct cause *c = &s->causes[SUSPENDED_API];
    char what[SUSPENSION_TEXT_MAX + 16];

    if (!on) {
        if (asked_for(s))
            end_asked_for(s, "the API");
        return;
    }
    if (c->on) {
        if (reason)
            (void)snprintf(c->text, sizeof c->text, "%s", reason);
        return;
    }
    reason = reason ? reason : "";
    (void)snprintf(what, sizeof what, "the API%s%s%s", *reason ? " (" : "", reason,
                   *reason ? ")" : "");
    begin(s, SUSPENDED_API, reason, what);
}

/* ---- the object ----------------------------------------------------------------------------- */

int suspension_set(struct suspension *s, const struct suspend_config *config)
{
    (void)s;
    (void)config;
    return 0;
}

int suspension_new(sd_event *event, void (*changed)(void *userdata, bool suspended),
                   void *userdata, struct suspension **ret)
{
    struct suspension *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->event = sd_event_ref(event);
    s->changed = changed;
    s->userdata = userdata;
    *ret = s;
    return 0;
}

void suspension_free(struct suspension *s)
{
    if (!s)
        return;
    sd_event_unref(s->event);
    free(s);
}
