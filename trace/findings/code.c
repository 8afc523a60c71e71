/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/code.h"

#define TEXT(name, text) [CODE_##name] = text,

static const char *const texts[CODES_LABELS] = {
    [CODE_healthy] = "healthy", [CODE_idle] = "idle", CODE_ROWS(TEXT)};

const char *code_text(enum code code)
{
    return texts[code];
}

const char *code_label(size_t i)
{
    return i < CODES_LABELS ? texts[i] : NULL;
}
