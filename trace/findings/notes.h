/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Notes: what a trace shows beside the label, with the score 0. A note is never the label, since
 * what it tells may be as it should be. A note is a file with a row here. Private to
 * trace/findings.
 */

#include "trace/findings/rule.h"

struct note {
    const char *code;
    /* Whether there is something to tell: then it fills in evidence and call sites. The list has
     * all findings already. */
    bool (*tell)(const struct facts *, const struct findings *, struct finding *);
    bool always; /* even if the numbers rest on too little for a rule */
    const char *next;
};

#define NOTE_ROWS(NOTE) NOTE(misnested) NOTE(growth) NOTE(sleeps) NOTE(dials) NOTE(clients)

#define NOTE_DECLARE(name) extern const struct note note_##name;
NOTE_ROWS(NOTE_DECLARE)
#undef NOTE_DECLARE

/* Adds all notes behind the findings. */
void notes_add(const struct facts *a, struct findings *ret);

/* Whether the list has a finding with this code. */
bool notes_found(const struct findings *list, enum code code);
