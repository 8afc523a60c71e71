/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/questions.h"

#include <string.h>

/* clang-format off */
__asm__(".section .rodata\n"
        "contrace_questions_begin:\n"
        ".incbin \"" CONTRACE_QUESTIONS "\"\n"
        "contrace_questions_end:\n"
        ".byte 0\n"
        ".previous\n");
/* clang-format on */

extern const char questions_begin[] __asm__("contrace_questions_begin");
extern const char questions_end[] __asm__("contrace_questions_end");

/* The build puts such a line before each file. */
#define HEAD "\n-- @ "
#define TITLE "-- "

static const char *next_head(const char *from)
{
    const char *p = memmem(from, (size_t)(questions_end - from), HEAD, sizeof(HEAD) - 1);

    return p ? p : questions_end;
}

static size_t line_length(const char *from)
{
    const char *end = memchr(from, '\n', (size_t)(questions_end - from));

    return (size_t)((end ? end : questions_end) - from);
}

const char *questions_tables(size_t *ret_length)
{
    *ret_length = (size_t)(next_head(questions_begin) - questions_begin);
    return questions_begin;
}

bool questions_at(size_t i, struct question *ret)
{
    const char *p = next_head(questions_begin), *end;

    while (i-- > 0 && p < questions_end)
        p = next_head(p + 1);
    if (p == questions_end)
        return false;
    end = next_head(p + 1);
    p += sizeof(HEAD) - 1;
    ret->name = p;
    ret->name_length = line_length(p);
    p += ret->name_length + 1;
    ret->sql = p;
    ret->sql_length = (size_t)(end - p);
    ret->title = p + sizeof(TITLE) - 1;
    ret->title_length = line_length(p) - (sizeof(TITLE) - 1);
    return true;
}

bool questions_find(const char *name, struct question *ret)
{
    for (size_t i = 0; questions_at(i, ret); i++) {
        if (strlen(name) == ret->name_length && memcmp(name, ret->name, ret->name_length) == 0)
            return true;
    }
    return false;
}
