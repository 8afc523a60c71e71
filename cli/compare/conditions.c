/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/conditions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cli/common/screen.h"
#include "cli/compare/told.h"

#define TEXT_MAX (64u << 10)

const char *conditions_argument(void *field, const char *value)
{
    struct conditions *c = field;

    if (c->n == CONDITIONS_MAX)
        return "at most 64 of these options";
    c->list[c->n++].text = value;
    return NULL;
}

int conditions_parse(struct conditions *c, const char *command)
{
    for (size_t i = 0; i < c->n; i++) {
        const char *text = c->list[i].text;
        struct expression_error error;
        int r = expression_parse(text, &error, &c->list[i].expression);

        if (r == -ENOMEM)
            return complain_memory();
        if (r < 0) {
            complain("%s: --fail-if '%s': %s, at %s", command, text, error.text,
                     text[error.at] ? text + error.at : "its end");
            return r;
        }
    }
    return 0;
}

/* Says once of a condition what does not fit. */
static void say_unfit(struct condition *c, size_t i, const char *file)
{
    const struct path *path = expression_path(c->expression, i);
    struct buf value;

    if (c->unfit)
        return;
    c->unfit = true;
    buf_init(&value, TEXT_MAX);
    told_value(&value, c->seen[i].value, path_unit(path));
    complain("%s: --fail-if '%s': %s is %s, which is of another kind or unit than what it is "
             "compared with",
             file, c->text, path->text, buf_str(&value));
    buf_done(&value);
}

/* What the comparisons met, in words, and in an object. */
static int tell(struct condition *c, const char *file, struct buf *words, json_t *values)
{
    size_t n = expression_comparisons(c->expression);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct path *path = expression_path(c->expression, i);
        const struct expression_seen *seen = &c->seen[i];

        c->known[i] = c->known[i] || seen->met != EXPRESSION_UNKNOWN;
        if (seen->met == EXPRESSION_UNFIT)
            say_unfit(c, i, file);
        (void)buf_adds(words, i > 0 ? ", " : "");
        if (seen->value) {
            (void)buf_addf(words, "%s is ", path->text);
            told_value(words, seen->value, path_unit(path));
            r = json_object_set_new(values, path->text, json_deep_copy(seen->value));
        } else {
            (void)buf_addf(words, "there is no %s", path->text);
            r = json_object_set_new(values, path->text, json_null());
        }
    }
    return r < 0 || buf_error(words) == -ENOMEM ? -ENOMEM : 0;
}

static int judge(struct condition *c, const char *file, const json_t *document, struct report *r)
{
    static const enum report_kind kinds[] = {
        [EXPRESSION_FALSE] = REPORT_PASSED,
        [EXPRESSION_TRUE] = REPORT_FAILED,
        [EXPRESSION_ABSENT] = REPORT_ABSENT,
    };
    enum expression_truth truth = expression_judge(c->expression, document, c->seen);
    json_t *values = json_object();
    struct buf words;
    int error;

    buf_init(&words, TEXT_MAX);
    error = values ? tell(c, file, &words, values) : -ENOMEM;
    if (error == 0)
        error = report_add(r, file, c->text, kinds[truth], buf_str(&words), values);
    else
        json_decref(values);
    buf_done(&words);
    return error;
}

int conditions_judge(struct conditions *c, const char *file, json_t *document, struct report *r)
{
    int error = 0;

    if (!c->example)
        c->example = json_incref(document);
    c->documents++;
    for (size_t i = 0; error == 0 && i < c->n; i++)
        error = judge(&c->list[i], file, document, r);
    return error;
}

static void say_unknown(const struct conditions *c, const struct condition *condition,
                        const struct path *path, const char *command)
{
    char near[PATH_NEAR][PATH_SIZE];
    size_t n = path_near(path->text, c->example, near);

    complain("%s: --fail-if '%s': there is never a value %s%s%s%s%s%s%s", command, condition->text,
             path->text, n > 0 ? "; perhaps " : "", n > 0 ? near[0] : "", n > 1 ? " or " : "",
             n > 1 ? near[1] : "", n > 2 ? " or " : "", n > 2 ? near[2] : "");
}

int conditions_check(const struct conditions *c, const char *command)
{
    int r = 0;

    for (size_t i = 0; c->documents > 0 && i < c->n; i++) {
        const struct condition *condition = &c->list[i];
        size_t n = expression_comparisons(condition->expression);

        for (size_t k = 0; k < n; k++) {
            if (condition->known[k])
                continue;
            say_unknown(c, condition, expression_path(condition->expression, k), command);
            r = -EINVAL;
        }
        if (condition->unfit)
            r = -EINVAL;
    }
    return r;
}

void conditions_done(struct conditions *c)
{
    for (size_t i = 0; i < c->n; i++)
        expression_free(c->list[i].expression);
    json_decref(c->example);
}
