/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/yaml/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "lib/yaml/expand.h"
#include "lib/yaml/text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define STANDARD_TAG "tag:yaml.org,2002:"

static unsigned count(size_t n)
{
    return n < 0x7fffffff ? (unsigned)n + 1 : 0x7fffffff;
}

int yaml_file_error(struct yaml_file *f, const yaml_node_t *node, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diags_addv(f->diags, f->name, node ? count(node->start_mark.line) : 0,
               node ? count(node->start_mark.column) : 0, f->text, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

int yaml_file_error_unseen(struct yaml_file *f, const yaml_node_t *node, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diags_addv(f->diags, f->name, count(node->start_mark.line), count(node->start_mark.column),
               NULL, fmt, ap);
    va_end(ap);
    return -EINVAL;
}

int yaml_file_oom(struct yaml_file *f)
{
    diags_add(f->diags, f->name, 0, 0, NULL, "out of memory");
    return -ENOMEM;
}

int yaml_file_spend(struct yaml_file *f, const yaml_node_t *node, size_t bytes)
{
    if (bytes > f->memory) {
        (void)yaml_file_error(f, node,
                              "the file's values, aliases followed, take more than 128MiB");
        return -E2BIG;
    }
    f->memory -= bytes;
    return 0;
}

int yaml_file_place(struct yaml_file *f, const yaml_node_t *node, const void *of, bool bad)
{
    int r = places_add(&f->places, of, count(node->start_mark.line), count(node->start_mark.column),
                       bad);

    return r < 0 ? yaml_file_oom(f) : 0;
}

/* For a byte that is not UTF-8 libyaml tells only the offset, not line and column. */
static void place_of_offset(const char *text, size_t offset, unsigned *ret_line,
                            unsigned *ret_column)
{
    unsigned line = 1, column = 1;
    size_t n = strlen(text);

    if (offset > n)
        offset = n;
    for (size_t i = 0; i < offset;) {
        size_t skip = text_break_length(text + i);

        column++;
        if (skip > 0) {
            line++;
            column = 1;
        } else {
            skip = utf8_length(text + i, n - i);
        }
        i += skip ? skip : 1;
    }
    *ret_line = line;
    *ret_column = column;
}

static int syntax_error(struct yaml_file *f, const yaml_parser_t *p, size_t skipped)
{
    unsigned line = count(p->problem_mark.line), column = count(p->problem_mark.column);
    const char *problem = p->problem ? p->problem : "not YAML";

    if (p->error == YAML_MEMORY_ERROR || p->error == YAML_NO_ERROR) /* it forgets to say so */
        return yaml_file_oom(f);
    if (p->error == YAML_READER_ERROR) {
        place_of_offset(f->text, skipped + p->problem_offset, &line, &column);
        diags_add(f->diags, f->name, line, column, f->text, "%s", problem);
    } else if (p->context && p->context_mark.line != p->problem_mark.line) {
        diags_add(f->diags, f->name, line, column, f->text, "%s, %s that begins in line %u",
                  problem, p->context, count(p->context_mark.line));
    } else {
        diags_add(f->diags, f->name, line, column, f->text, "%s%s%s", problem,
                  p->context ? ", " : "", p->context ? p->context : "");
    }
    return -EINVAL;
}

/* What a first pass over the events finds, before a document is built. */
struct survey {
    size_t depth, nodes, anchors, documents;
};

static const char *survey_event(struct survey *s, const yaml_event_t *e)
{
    const yaml_char_t *anchor = NULL;

    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (s->documents++ > 0)
            return "a second document begins here; a file has one";
        return NULL;
    case YAML_SEQUENCE_START_EVENT:
        anchor = e->data.sequence_start.anchor;
        s->depth++;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor;
        s->depth++;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: s->depth--; return NULL;
    case YAML_SCALAR_EVENT: anchor = e->data.scalar.anchor; break;
    case YAML_ALIAS_EVENT: break;
    default: return NULL;
    }
    if (s->depth > YAML_DEPTH_MAX)
        return "nested too deeply";
    if (++s->nodes > YAML_NODES_MAX)
        return "more than 500000 values in one file";
    if (anchor && ++s->anchors > YAML_ANCHORS_MAX)
        return "more than 256 anchors in one file";
    return NULL;
}

/* A second document, and whatever would make the building of the document slow or large. */
static int survey(struct yaml_file *f, yaml_parser_t *p, size_t skipped)
{
    struct survey s = {0};
    bool end = false;

    while (!end) {
        yaml_event_t e;
        const char *why;

        if (!yaml_parser_parse(p, &e))
            return syntax_error(f, p, skipped);
        why = survey_event(&s, &e);
        if (why)
            diags_add(f->diags, f->name, count(e.start_mark.line), count(e.start_mark.column),
                      f->text, "%s", why);
        end = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
        if (why)
            return -EINVAL;
    }
    return 0;
}

static int parse(struct yaml_file *f, size_t len, bool build)
{
    size_t skip = strncmp(f->text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    yaml_parser_t p;
    int r = 0;

    if (!yaml_parser_initialize(&p))
        return yaml_file_oom(f);
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)f->text + skip, len - skip);
    if (!build)
        r = survey(f, &p, skip);
    else if (yaml_parser_load(&p, &f->document))
        f->loaded = true;
    else
        r = syntax_error(f, &p, skip);
    yaml_parser_delete(&p);
    return r;
}

/*
 * libyaml compares each %TAG with all before it: many of them take quadratic time, and no
 * configuration needs one. So every line that starts with '%' is refused as a directive, except
 * %YAML; no sane file continues a text on such a line.
 */
static int check_directives(struct yaml_file *f)
{
    const char *p = f->text;

    p += strncmp(p, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    for (unsigned line = 1; *p != '\0'; line++) {
        if (*p == '%' && strncmp(p, "%YAML ", 6) != 0) {
            diags_add(f->diags, f->name, line, 1, f->text,
                      "directives other than %%YAML are not supported");
            return -EINVAL;
        }
        while (*p != '\0' && text_break_length(p) == 0)
            p++;
        p += text_break_length(p);
    }
    return 0;
}

int yaml_file_read(const char *path, struct buf *text, struct diags *d)
{
    int r;

    buf_init(text, YAML_FILE_MAX);
    r = buf_read_file(text, path);
    if (r == -E2BIG)
        diags_add(d, path, 0, 0, NULL, "the file is larger than 4MiB");
    else if (r < 0)
        diags_add(d, path, 0, 0, NULL, "cannot be read: %s",
                  r == -EINVAL ? "not a regular file" : strerror(-r));
    return r;
}

static int open_text(struct yaml_file *f, const char *text, size_t len)
{
    int r;

    if (len > YAML_FILE_MAX)
        return yaml_file_error(f, NULL, "the file is larger than 4MiB");
    f->text = malloc(len + 1);
    if (!f->text)
        return yaml_file_oom(f);
    if (len > 0)
        memcpy(f->text, text, len);
    f->text[len] = '\0';
    r = check_directives(f);
    if (r == 0)
        r = parse(f, len, false);
    if (r == 0)
        r = parse(f, len, true);
    return r;
}

static void close_file(struct yaml_file *f)
{
    if (f->loaded)
        yaml_document_delete(&f->document);
    f->loaded = false;
    places_done(&f->places);
    free(steal(&f->text));
}

int yaml_file_use(const char *name, const char *text, size_t len, bool expand,
                  int (*read)(struct yaml_file *f, yaml_node_t *root, void *userdata),
                  void *userdata, struct diags *d)
{
    struct yaml_file f = {.name = name, .expand = expand, .diags = d, .memory = YAML_MEMORY_MAX};
    size_t before = diags_count(d);
    int r = open_text(&f, text, len);

    if (r == 0)
        r = read(&f, yaml_document_get_root_node(&f.document), userdata);
    close_file(&f);
    return r == 0 && diags_count(d) > before ? -EINVAL : r;
}

yaml_node_t *yaml_file_node(struct yaml_file *f, int id)
{
    return yaml_document_get_node(&f->document, id);
}

bool yaml_is_null(const yaml_node_t *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp((const char *)node->data.scalar.value, words[i]) == 0)
            return true;
    }
    return false;
}

const char *yaml_kind(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_MAPPING_NODE: return "a mapping";
    case YAML_SEQUENCE_NODE: return "a list";
    default: return yaml_is_null(node) ? "nothing" : "text";
    }
}

static int expand_scalar(struct yaml_file *f, const yaml_node_t *node, const char *what,
                         struct buf *out)
{
    const char *text = (const char *)node->data.scalar.value;
    _cleanup_free_ char *why = NULL;
    int r = f->expand ? expand_text(text, out, &why) : buf_adds(out, text);

    if (r == -ENOMEM)
        return yaml_file_oom(f);
    if (r == -E2BIG)
        return yaml_file_error(f, node, "%s is longer than %d bytes", what, YAML_SCALAR_MAX);
    if (r < 0)
        return yaml_file_error(f, node, "%s", why ? why : "not an environment variable");
    return 0;
}

int yaml_scalar(struct yaml_file *f, const yaml_node_t *node, const char *what, char **ret)
{
    struct buf out;
    int r;

    if (node->type != YAML_SCALAR_NODE)
        return yaml_file_error(f, node, "%s: expected text, got %s", what, yaml_kind(node));
    if (node->tag && strncmp((const char *)node->tag, STANDARD_TAG, strlen(STANDARD_TAG)) != 0)
        return yaml_file_error(f, node, "%s: the tag `%.60s` is not supported", what,
                               (const char *)node->tag);
    if (yaml_is_null(node))
        return yaml_file_error(f, node, "%s needs a value", what);
    if (strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
        return yaml_file_error(f, node, "%s contains a zero byte", what);
    buf_init(&out, YAML_SCALAR_MAX);
    r = expand_scalar(f, node, what, &out);
    if (r == 0)
        r = yaml_file_spend(f, node, 32 + out.len);
    if (r == 0 && !out.data) {
        out.data = strdup("");
        r = out.data ? 0 : yaml_file_oom(f);
    }
    if (r == 0)
        *ret = steal(&out.data);
    buf_done(&out);
    return r;
}

int yaml_verbatim(struct yaml_file *f, const yaml_node_t *node, const char *what, char **ret)
{
    bool expand = f->expand;
    int r;

    f->expand = false;
    r = yaml_scalar(f, node, what, ret);
    f->expand = expand;
    return r;
}

int yaml_key_text(struct yaml_file *f, const yaml_node_pair_t *pair, const char **ret)
{
    const yaml_node_t *key = yaml_file_node(f, pair->key);
    const char *text;

    if (key->type != YAML_SCALAR_NODE)
        return yaml_file_error(f, key, "a key is plain text, not %s", yaml_kind(key));
    text = (const char *)key->data.scalar.value;
    if (strlen(text) != key->data.scalar.length)
        return yaml_file_error(f, key, "a key contains a zero byte");
    if (key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(text, "<<") == 0)
        return yaml_file_error(f, key,
                               "merge keys (`<<`) are not supported; an alias (*name) may "
                               "stand for a whole value");
    *ret = text;
    return 0;
}

const yaml_node_t *yaml_key_before(struct yaml_file *f, const yaml_node_pair_t *first,
                                   const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_file_node(f, pair->key);
    const char *name;

    if (key->type != YAML_SCALAR_NODE)
        return NULL;
    name = (const char *)key->data.scalar.value;
    for (; first < pair; first++) {
        const yaml_node_t *other = yaml_file_node(f, first->key);

        if (other->type == YAML_SCALAR_NODE &&
            strcmp((const char *)other->data.scalar.value, name) == 0)
            return other;
    }
    return NULL;
}
