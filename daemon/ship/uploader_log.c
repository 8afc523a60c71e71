/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The log of uploads: one line when they begin to fail, one when they work again, and one for each
 * trace that is left behind. While trouble lasts, the line is repeated every few hours, so that the
 * log of each day shows it.
 */

#include <inttypes.h>
#include <time.h>

#include "base/log.h"
#include "base/loop.h"
#include "daemon/ship/uploader_state.h"

#define SAY_AGAIN (6 * USEC_PER_HOUR)

static const struct log_fields failing = {.message_id = MESSAGE_ID_UPLOAD_FAILING};
static const struct log_fields works = {.message_id = MESSAGE_ID_UPLOAD_WORKS};

static const char *describe(const struct uploader *u)
{
    return store_describe(u->store);
}

static uint64_t waiting(const struct uploader *u)
{
    struct spool_stats stats;

    spool_stats(u->spool, &stats);
    return stats.pending_files;
}

/* The words behind a number: "1 trace waits", "7 traces wait". */
static const char *traces_wait(uint64_t n)
{
    return n == 1 ? "trace waits" : "traces wait";
}

void uploader_say_works(const struct uploader *u, const struct store_result *result)
{
    uint64_t n = waiting(u);

    if (result->end != STORE_DONE)
        log_write(LOG_LEVEL_WARN, &works,
                  "%s answers, but did not take the write probe %s: %s; traces will be tried",
                  describe(u), u->write_probe.key, result->text);
    else if (n > 0)
        log_write(LOG_LEVEL_INFO, &works, "uploads to %s work; %" PRIu64 " %s", describe(u), n,
                  traces_wait(n));
    else
        log_write(LOG_LEVEL_INFO, &works, "uploads to %s work", describe(u));
}

void uploader_say_recovered(const struct uploader *u)
{
    uint64_t n = waiting(u);

    log_write(LOG_LEVEL_INFO, &works, "uploads to %s work again; %" PRIu64 " %s", describe(u), n,
              traces_wait(n));
}

void uploader_say_trouble(struct uploader *u, const struct store_result *result, bool changed,
                          bool at_start)
{
    bool parked = u->breaker.state == BREAKER_PARKED;
    usec now = loop_now(u->event, CLOCK_BOOTTIME);
    uint64_t n = waiting(u);
    bool news = changed && (parked ? !u->parked_said : u->said == 0);

    if (!news && now - u->said < SAY_AGAIN)
        return;
    u->said = now;
    u->parked_said = u->parked_said || parked;
    log_write(parked ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, &failing,
              "uploads to %s %s: %s; %s; %" PRIu64 " %s in pending/", describe(u),
              at_start ? "will not work" : "fail", result->text,
              parked ? "this needs someone to act, and is tried again every 5m"
                     : "this is tried again within 1m at the longest",
              n, traces_wait(n));
}

void uploader_say_row(struct uploader *u, const struct store_result *result)
{
    uint64_t n = waiting(u);

    u->said = loop_now(u->event, CLOCK_BOOTTIME);
    u->parked_said = true;
    log_write(LOG_LEVEL_ERROR, &failing,
              "%s refused %u traces in a row, the last one so: %s; this needs someone to act, and"
              " is tried again every 5m; %" PRIu64 " %s in pending/",
              describe(u), UPLOADER_ROW, result->text, n, traces_wait(n));
}

void uploader_say_aside(const struct uploader *u, const char *key,
                        const struct store_result *result)
{
    struct log_fields fields = {.key = key, .message_id = MESSAGE_ID_UPLOAD_REFUSED};

    if (result->end == STORE_CHANGED)
        log_write(LOG_LEVEL_ERROR, &fields,
                  "%s is not what was captured, and is not uploaded: %s; it stays in pending/ for"
                  " you to look at or delete",
                  key, result->text);
    else
        log_write(LOG_LEVEL_WARN, &fields,
                  "%s does not take %s: %s; it stays in pending/ and is tried again after a reload"
                  " or restart",
                  describe(u), key, result->text);
}

void uploader_say_alone(const struct uploader *u, const char *key,
                        const struct store_result *result)
{
    struct log_fields fields = {.key = key, .message_id = MESSAGE_ID_UPLOAD_FAILING};

    log_write(LOG_LEVEL_WARN, &fields,
              "%s takes others, but not %s: %s; it stays in pending/ and is tried again every hour",
              describe(u), key, result->text);
}

void uploader_say_struggles(const struct uploader *u, const char *key, unsigned times,
                            const struct store_result *result)
{
    struct log_fields fields = {.key = key, .message_id = MESSAGE_ID_UPLOAD_FAILING};

    log_write(LOG_LEVEL_WARN, &fields,
              "%s did not reach %s in %u tries: %s; it is tried again, at least every 5m", key,
              describe(u), times, result->text);
}

void uploader_say_pause(const struct uploader *u, const char *why)
{
    log_write(LOG_LEVEL_WARN, &failing,
              "uploads to %s pause, something is amiss on this machine: %s; they are tried again"
              " within 1m at the longest",
              describe(u), why);
}

void uploader_say_goes_on(const struct uploader *u)
{
    log_write(LOG_LEVEL_INFO, &works, "uploads to %s go on", describe(u));
}

void uploader_describe(const struct uploader *u, struct buf *out)
{
    const char *separator = "; uploads: ";
    uint64_t n = waiting(u);

    for (int e = 0; e < STORE_END_COUNT; e++) {
        if (u->ends[e] == 0)
            continue;
        (void)buf_addf(out, "%s%" PRIu64 " %s", separator, u->ends[e],
                       store_end_name((enum store_end)e));
        separator = ", ";
    }
    if (n > 0)
        (void)buf_addf(out, "%s%" PRIu64 " left in pending/", separator, n);
}
