/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "cli/common/print.h"
#include "cli/common/screen.h"

#define ROWS_MAX 32
#define CODE_FIRST 256
#define HELP_COLUMN 30
#define HELP_WIDTH 80

const char *argument_flag(void *field, const char *value)
{
    (void)value;
    *(bool *)field = true;
    return NULL;
}

const char *argument_text(void *field, const char *value)
{
    if (*value == '\0')
        return "something";
    *(const char **)field = value;
    return NULL;
}

const char *argument_count(void *field, const char *value)
{
    uint64_t n;

    if (parse_unsigned(value, INT32_MAX, &n) < 0 || n == 0)
        return "a number from 1 on";
    *(unsigned *)field = (unsigned)n;
    return NULL;
}

/* The options of all groups for getopt_long(3). The code of an option is CODE_FIRST plus its
 * index. */
struct parser {
    struct option options[ROWS_MAX + 2];
    char letters[2 * ROWS_MAX + 4];
    const struct argument *rows[ROWS_MAX];
    void *into[ROWS_MAX];
    size_t n;
};

static void add_row(struct parser *p, const struct argument *row, void *into)
{
    size_t used = strlen(p->letters);

    p->rows[p->n] = row;
    p->into[p->n] = into;
    p->options[p->n] = (struct option){row->name, row->value ? required_argument : no_argument,
                                       NULL, CODE_FIRST + (int)p->n};
    if (row->letter)
        (void)snprintf(p->letters + used, sizeof(p->letters) - used, "%c%s", row->letter,
                       row->value ? ":" : "");
    p->n++;
}

static void init(struct parser *p, const struct argument_group *groups, size_t n)
{
    *p = (struct parser){.letters = "h"};
    for (size_t g = 0; g < n; g++) {
        for (size_t i = 0; i < groups[g].n && p->n < ROWS_MAX; i++)
            add_row(p, &groups[g].rows[i], groups[g].into);
    }
    p->options[p->n] = (struct option){"help", no_argument, NULL, 'h'};
}

static int apply(const struct parser *p, int code, const char *command)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct argument *row = p->rows[i];
        const char *expected;

        if (code != CODE_FIRST + (int)i && (!row->letter || code != row->letter))
            continue;
        expected = row->read((char *)p->into[i] + row->offset, optarg);
        if (!expected)
            return 0;
        complain("--%s=%s: expected %s", row->name, optarg, expected);
        return -EINVAL;
    }
    (void)fprintf(stderr, "Try 'contrace %s --help'.\n", command);
    return -EINVAL;
}

static void print_row(const struct argument *row)
{
    struct print_flow help = {
        .out = stdout, .indent = HELP_COLUMN, .width = HELP_WIDTH, .column = HELP_COLUMN};
    char left[64], letter[5] = "    ";

    if (row->letter)
        (void)snprintf(letter, sizeof(letter), "-%c, ", row->letter);
    (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, row->value ? "=" : "",
                   row->value ? row->value : "");
    (void)printf("  %-*s  ", HELP_COLUMN - 4, left);
    print_flow_words(&help, row->help);
    print_flow_end(&help);
}

/* Lines of usage are as they are, and the text behind them is broken anew. */
static void print_intro(const char *intro)
{
    struct print_flow flow = {.out = stdout, .width = HELP_WIDTH};
    const char *text = intro;

    while (*text == ' ' || *text == 'U')
        text = strchr(text, '\n') + 1;
    (void)fwrite(intro, 1, (size_t)(text - intro), stdout);
    print_flow_words(&flow, text);
    print_flow_end(&flow);
}

static void print_help(const struct parser *p, const char *intro)
{
    static const struct argument help = {"help", 'h', NULL, "print this", NULL, 0};

    print_intro(intro);
    (void)putchar('\n');
    for (size_t i = 0; i < p->n; i++)
        print_row(p->rows[i]);
    print_row(&help);
}

int arguments_parse(int argc, char **argv, const struct argument_group *groups, size_t n,
                    const char *intro, int *ret_rest)
{
    char program[64], *command = argv[0];
    struct parser p;
    int code, r = 0;

    init(&p, groups, n);
    /* getopt_long(3) puts argv[0] in front of its messages. */
    (void)snprintf(program, sizeof(program), "contrace %s", command);
    argv[0] = program;
    optind = 0;
    while (r == 0 && (code = getopt_long(argc, argv, p.letters, p.options, NULL)) >= 0) {
        if (code == 'h') {
            print_help(&p, intro);
            r = 1;
        } else {
            r = apply(&p, code, command);
        }
    }
    argv[0] = command;
    *ret_rest = optind;
    return r;
}
