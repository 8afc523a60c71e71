/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "daemon/order/incident_state.h"

#define TEXT_MAX 1024

/* "not served" is what a service does without; all others are the outcome's word. */
static const char *word_of(const struct incident_piece *p)
{
    return p->outcome == OUTCOME_MISSING ? "not served" : outcome_name(p->outcome);
}

static void add_pieces(struct buf *text, const struct incident_report *r, bool kept)
{
    const char *between = "";

    for (size_t k = 0; k < r->n_pieces; k++) {
        const struct incident_piece *p = &r->pieces[k];

        if ((p->key != NULL) != kept)
            continue;
        (void)buf_addf(text, "%s%s", between, kind_name(p->kind));
        if (!kept || p->outcome != OUTCOME_OK)
            (void)buf_addf(text, " (%s)", word_of(p));
        between = ", ";
    }
}

void incident_log(const struct incident *i, enum incident_end end)
{
    const struct incident_report *r = &i->report;
    char memory[TEXT_MAX];
    struct buf text;

    buf_over(&text, memory, sizeof(memory));
    if (r->kept == 0)
        (void)buf_adds(&text, "nothing was had: ");
    else
        add_pieces(&text, r, true);
    if (r->kept > 0 && r->kept < r->n_pieces)
        (void)buf_adds(&text, "; without ");
    add_pieces(&text, r, false);
    log_write(r->kept > 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
              &(struct log_fields){.service = r->service,
                                   .target = r->target,
                                   .result = incident_end_name(end),
                                   .message_id = MESSAGE_ID_INCIDENT},
              "incident of %s (%s)%s%s: %s", r->target, r->reason, r->id ? ", " : "",
              r->id ? r->id : "", buf_str(&text));
}
