/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/suspension.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "daemon/trigger/flagfile.h"
#include "daemon/trigger/pressure.h"
#include "daemon/trigger/psi.h"

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
    struct flagfile *flag_file; /* NULL: none */
    sd_event_source *sample;    /* timer for the next value of the pressure */
    struct pressure pressure;   /* limit 0: the pressure is not read */
    struct psi psi;
    bool blind; /* the pressure cannot be read, and the log has said so */
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

static usec now_real(const struct suspension *s)
{
    return loop_now(s->event, CLOCK_REALTIME);
}

/* Logs what happened and what that means for the schedule. */
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
    (void)snprintf(c->text, sizeof(c->text), "%s", text);
    say(s, was, what);
    s->changed(s->userdata, true);
}

static void end(struct suspension *s, enum suspension_cause cause, const char *what)
{
    s->causes[cause].on = false;
    say(s, true, what);
    s->changed(s->userdata, suspension_active(s));
}

static bool asked_for(const struct suspension *s)
{
    return s->causes[SUSPENDED_SIGNAL].on || s->causes[SUSPENDED_API].on;
}

/* Ends the operator's request to suspend, whether it came by signal or by the API. */
static void end_asked_for(struct suspension *s, const char *what)
{
    s->causes[SUSPENDED_API].on = false;
    end(s, SUSPENDED_SIGNAL, what);
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
            (void)snprintf(c->text, sizeof(c->text), "%s", reason);
        return;
    }
    reason = reason ? reason : "";
    (void)snprintf(what, sizeof(what), "the API%s%s%s", *reason ? " (" : "", reason,
                   *reason ? ")" : "");
    begin(s, SUSPENDED_API, reason, what);
}

static void on_flag(void *userdata, bool there)
{
    struct suspension *s = userdata;
    const char *path = flagfile_path(s->flag_file);
    char what[SUSPENSION_TEXT_MAX + 32];

    (void)snprintf(what, sizeof(what), "the flag file %.*s is %s", SUSPENSION_TEXT_MAX - 1, path,
                   there ? "there" : "gone");
    if (there)
        begin(s, SUSPENDED_FLAG_FILE, path, what);
    else
        end(s, SUSPENDED_FLAG_FILE, what);
}

static bool same_path(const struct flagfile *f, const char *path)
{
    return f && path ? strcmp(flagfile_path(f), path) == 0 : !f && !path;
}

/* Replaces the flag file; takes ownership of `f`. If the old and the new file both exist, the cause
 * goes on without a break. */
static void use_flag_file(struct suspension *s, struct flagfile *f)
{
    bool there = f && flagfile_there(f), was = s->causes[SUSPENDED_FLAG_FILE].on;

    flagfile_free(s->flag_file);
    s->flag_file = f;
    if (there && was)
        (void)snprintf(s->causes[SUSPENDED_FLAG_FILE].text, SUSPENSION_TEXT_MAX, "%s",
                       flagfile_path(f));
    else if (there)
        on_flag(s, true);
    else if (was)
        end(s, SUSPENDED_FLAG_FILE,
            f ? "the flag file is another now, which is not there"
              : "there is no flag file any more");
}

/* A pressure that cannot be read counts as 0, so a suspension by pressure then ends in the usual
 * way. */
static double read_pressure(struct suspension *s, const char **ret_path)
{
    double share = 0;
    int r = psi_read(&s->psi, &share, ret_path);

    if (r < 0 && !s->blind)
        log_warn("CPU pressure cannot be read (%s): suspend.cpu_pressure has no effect%s",
                 strerror(-r),
                 r == -ENOENT || r == -EOPNOTSUPP ? "; the kernel was built or started without it"
                                                  : " until it can");
    else if (r == 0 && s->blind)
        log_info("CPU pressure can be read again");
    s->blind = r < 0;
    return share;
}

static void judge_pressure(struct suspension *s, usec now)
{
    const char *path = "";
    double share = read_pressure(s, &path);
    bool was = s->causes[SUSPENDED_CPU_PRESSURE].on;
    bool high = pressure_feed(&s->pressure, share, now);
    char text[SUSPENSION_TEXT_MAX];

    if (high && !was) {
        (void)snprintf(text, sizeof(text), "CPU pressure is %.0f%%, the limit is %.0f%% (%.200s)",
                       100 * share, 100 * s->pressure.limit, path);
        begin(s, SUSPENDED_CPU_PRESSURE, text, text);
    } else if (!high && was) {
        (void)snprintf(text, sizeof(text), "CPU pressure is down to %.0f%%", 100 * share);
        end(s, SUSPENDED_CPU_PRESSURE, text);
    }
}

static int on_sample(sd_event_source *source, uint64_t time, void *userdata)
{
    struct suspension *s = userdata;
    usec now = loop_now(s->event, CLOCK_BOOTTIME);

    (void)time;
    judge_pressure(s, now);
    (void)sd_event_source_set_time(source, now + PRESSURE_INTERVAL);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

/* Sets the limit; 0: no limit. The loop reads the first value in its next turn. */
static void use_pressure(struct suspension *s, double limit)
{
    bool same = s->pressure.limit >= limit && s->pressure.limit <= limit;

    s->blind = false;
    if (limit > 0)
        psi_init(&s->psi);
    if (same)
        return;
    pressure_init(&s->pressure, limit);
    if (limit > 0)
        (void)sd_event_source_set_time(s->sample, 0);
    (void)sd_event_source_set_enabled(s->sample, limit > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    if (s->causes[SUSPENDED_CPU_PRESSURE].on)
        end(s, SUSPENDED_CPU_PRESSURE, "suspend.cpu_pressure was changed");
}

int suspension_set(struct suspension *s, const struct suspend_config *config)
{
    bool same = same_path(s->flag_file, config->flag_file);
    struct flagfile *f = NULL;
    int r = 0;

    if (!same && config->flag_file)
        r = flagfile_new(s->event, config->flag_file, on_flag, s, &f);
    if (r < 0)
        return r;
    if (!same)
        use_flag_file(s, f);
    use_pressure(s, config->cpu_pressure);
    return 0;
}

int suspension_new(sd_event *event, void (*changed)(void *userdata, bool suspended), void *userdata,
                   struct suspension **ret)
{
    struct suspension *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->event = sd_event_ref(event);
    s->changed = changed;
    s->userdata = userdata;
    r = sd_event_add_time(event, &s->sample, CLOCK_BOOTTIME, 0, USEC_PER_SEC, on_sample, s);
    if (r >= 0)
        r = sd_event_source_set_enabled(s->sample, SD_EVENT_OFF);
    if (r < 0) {
        suspension_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void suspension_free(struct suspension *s)
{
    if (!s)
        return;
    flagfile_free(s->flag_file);
    sd_event_source_disable_unref(s->sample);
    sd_event_unref(s->event);
    free(s);
}
