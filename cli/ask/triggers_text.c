/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask/triggers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/ask/fields.h"
#include "cli/ask/rows.h"
#include "cli/common/quantity.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"

#define STATE_SIZE (FIELD_SIZE + 48)
#define NOTE_SIZE (2 * FIELD_SIZE + 16)

enum { STATE, RULE, SERVICE, TARGET, FIRED, POLLED, SEES, N_COLUMNS };

static const struct rows_column columns[N_COLUMNS] = {
    [STATE] = {"STATE", 0, false},     [RULE] = {"RULE", 0, false},
    [SERVICE] = {"SERVICE", 3, false}, [TARGET] = {"TARGET", 0, false},
    [FIRED] = {"FIRED", 1, true},      [POLLED] = {"POLLED", 2, true},
    [SEES] = {"SEES", 0, false},
};

/* "pending 1 of 3"; all others as they come. */
static const char *state_of(const json_t *row, char out[static STATE_SIZE])
{
    char state[FIELD_SIZE];

    (void)field_text(row, "state", state);
    if (strcmp(state, "pending") == 0)
        (void)snprintf(out, STATE_SIZE, "pending %" PRIu64 " of %" PRIu64, field_count(row, "over"),
                       field_count(row, "for"));
    else
        (void)snprintf(out, STATE_SIZE, "%s", state);
    return out;
}

static const char *colour_of(const json_t *row)
{
    char state[FIELD_SIZE];

    (void)field_text(row, "state", state);
    if (strcmp(state, "fired") == 0 || strcmp(state, "pending") == 0 ||
        strcmp(state, "refused") == 0)
        return YELLOW;
    return strcmp(state, "blind") == 0 || strcmp(state, "poll_failing") == 0 ? RED : NULL;
}

static void age_of(const json_t *o, const char *key, usec now, char out[static QUANTITY_AGE_SIZE])
{
    usec at = field_time(o, key);

    out[0] = '\0';
    if (at)
        (void)quantity_age(now > at ? now - at : 0, out);
}

/* Why there is no incident: "no incident was made: max_per_target_per_hour, again in 59m". */
static const char *refusal_of(const json_t *row, usec now, char out[static NOTE_SIZE])
{
    char text[FIELD_SIZE], wait[QUANTITY_AGE_SIZE];
    usec again = field_time(row, "again");

    (void)field_text(row, "state", text);
    if (strcmp(text, "refused") != 0)
        return NULL;
    (void)snprintf(out, NOTE_SIZE, "no incident was made: %s%s%s", field_text(row, "refused", text),
                   again > now ? ", again in " : "",
                   again > now ? quantity_age(again - now, wait) : "");
    return out;
}

/* Why a poll fails: "missing: HTTP status 404, 3 in a row". */
static const char *note_of(const json_t *row, usec now, char out[static NOTE_SIZE])
{
    const json_t *poll = json_object_get(row, "poll");
    uint64_t failures = field_count(poll, "failures");
    char result[FIELD_SIZE], text[FIELD_SIZE];

    if (failures == 0)
        return refusal_of(row, now, out);
    (void)field_text(poll, "text", text);
    (void)snprintf(out, NOTE_SIZE, "%s%s%s, %" PRIu64 " in a row",
                   field_text(poll, "result", result), *text ? ": " : "", text, failures);
    return out;
}

static int add(struct rows *rows, const json_t *row, usec now)
{
    const json_t *poll = json_object_get(row, "poll");
    char state[STATE_SIZE], rule[FIELD_SIZE], service[FIELD_SIZE], target[FIELD_SIZE],
        fired[QUANTITY_AGE_SIZE], polled[QUANTITY_AGE_SIZE], sees[FIELD_SIZE], note[NOTE_SIZE];

    age_of(row, "fired", now, fired);
    age_of(poll, "last", now, polled);
    return rows_add(rows, &(struct rows_cells){
                              .text = {[STATE] = state_of(row, state),
                                       [RULE] = field_text(row, "rule", rule),
                                       [SERVICE] = field_text(row, "service", service),
                                       [TARGET] = field_text(row, "address", target),
                                       [FIRED] = fired,
                                       [POLLED] = polled,
                                       [SEES] = field_text(row, "text", sees)},
                              .colour = {[STATE] = colour_of(row)},
                              .note = note_of(row, now, note),
                          });
}

int triggers_print(FILE *out, const json_t *list, uint64_t total, usec now,
                   const struct triggers_options *o)
{
    size_t shown = json_array_size(list), i;
    const json_t *row;
    struct rows rows;
    int r = 0;

    if (shown == 0) {
        (void)fputs(o->chosen
                        ? "none of these; contrace triggers shows all rules at all targets\n"
                        : "no rule for any target: see trigger_configs in contraced.yaml(5)\n",
                    out);
        return 0;
    }
    rows_init(&rows, columns, N_COLUMNS);
    json_array_foreach(list, i, row) {
        if (r == 0)
            r = add(&rows, row, now);
    }
    if (r == 0)
        rows_print(out, &rows, o->width, o->colour);
    if (r == 0 && total > shown)
        (void)fprintf(out, "and %" PRIu64 " more: --rule, --service, --state or --limit show %s\n",
                      total - shown, total - shown == 1 ? "it" : "them");
    rows_done(&rows);
    return r;
}
