/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/notes.h"

#include <string.h>

#define ADDRESS(name) &note_##name,

static const struct note *const notes[] = {NOTE_ROWS(ADDRESS)};

#define N_NOTES (sizeof(notes) / sizeof(notes[0]))

_Static_assert(N_NOTES <= FINDINGS_NOTES, "room for all notes");

bool notes_found(const struct findings *list, enum code code)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->list[i].code, code_text(code)) == 0)
            return true;
    }
    return false;
}

void notes_add(const struct facts *a, struct findings *ret)
{
    for (size_t i = 0; i < N_NOTES; i++) {
        struct finding f = {.code = notes[i]->code, .next = notes[i]->next};

        if ((notes[i]->always || !ret->not_inspected) && notes[i]->tell(a, ret, &f))
            ret->list[ret->n++] = f;
    }
}
