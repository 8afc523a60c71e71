/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <expat.h>
#include <string.h>

#include "base/buf.h"
#include "lib/store/credential/creddoc_state.h"

#define PATH_SIZE 256

#define ROLE "/AssumeRoleResponse/AssumeRoleResult/Credentials/"
#define WEB "/AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/"

static const struct {
    const char *path;
    int field;
} elements[] = {
    {ROLE "AccessKeyId", FIELD_ACCESS},
    {ROLE "SecretAccessKey", FIELD_SECRET},
    {ROLE "SessionToken", FIELD_TOKEN},
    {ROLE "Expiration", FIELD_EXPIRATION},
    {WEB "AccessKeyId", FIELD_ACCESS},
    {WEB "SecretAccessKey", FIELD_SECRET},
    {WEB "SessionToken", FIELD_TOKEN},
    {WEB "Expiration", FIELD_EXPIRATION},
    {"/ErrorResponse/Error/Code", FIELD_CODE},
    {"/ErrorResponse/Error/Message", FIELD_MESSAGE},
    {"/ErrorResponse/Errors/Error/Code", FIELD_CODE}, /* of other servers */
    {"/ErrorResponse/Errors/Error/Message", FIELD_MESSAGE},
};

struct xml_walk {
    XML_Parser parser;
    char path[PATH_SIZE]; /* of the open element, as far as it may matter */
    size_t path_len;
    unsigned too_deep; /* open elements beyond the depth of the path */
    int field;         /* the field that the open element fills; -1: none */
    bool seen[FIELDS];
    struct buf text[FIELDS];
    const char *wrong;
    bool no_memory;
};

static void stop(struct xml_walk *w, const char *wrong)
{
    if (!w->wrong)
        w->wrong = wrong;
    (void)XML_StopParser(w->parser, XML_FALSE);
}

static void on_start(void *userdata, const char *name, const char **attributes)
{
    struct xml_walk *w = userdata;
    size_t n = strlen(name);

    (void)attributes;
    w->field = -1;
    if (w->too_deep > 0 || w->path_len + n + 2 > PATH_SIZE) {
        w->too_deep++;
        return;
    }
    w->path[w->path_len] = '/';
    memcpy(w->path + w->path_len + 1, name, n + 1);
    w->path_len += n + 1;
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        if (strcmp(w->path, elements[i].path) == 0)
            w->field = elements[i].field;
    }
    if (w->field >= 0 && w->seen[w->field])
        stop(w, "the reply has an element twice");
    else if (w->field >= 0)
        w->seen[w->field] = true;
}

static void on_end(void *userdata, const char *name)
{
    struct xml_walk *w = userdata;

    w->field = -1;
    if (w->too_deep > 0) {
        w->too_deep--;
        return;
    }
    w->path_len -= strlen(name) + 1;
    w->path[w->path_len] = '\0';
}

static void on_text(void *userdata, const char *text, int n)
{
    struct xml_walk *w = userdata;
    int r = w->field >= 0 ? buf_add(&w->text[w->field], text, (size_t)n) : 0;

    w->no_memory = w->no_memory || r == -ENOMEM;
    if (r < 0)
        stop(w, "an element of the reply is too long");
}

/* A document type could define entities; STS sends none. */
static void on_doctype(void *userdata, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(userdata, "the reply has a document type");
}

/* Without surrounding blanks and line breaks. */
static const char *trimmed(struct buf *b)
{
    static const char blanks[] = " \t\r\n";

    while (b->len > 0 && strchr(blanks, b->data[b->len - 1]))
        b->data[--b->len] = '\0';
    return buf_str(b) + strspn(buf_str(b), blanks);
}

static int finish(struct xml_walk *w, struct secret_set *ret, char *why, size_t why_size)
{
    struct fields f = {0};

    if (w->no_memory)
        return creddoc_no_memory(why, why_size);
    if (w->wrong)
        return creddoc_refuse(why, why_size, "%s", w->wrong);
    for (int i = 0; i < FIELDS; i++)
        f.value[i] = w->seen[i] ? trimmed(&w->text[i]) : NULL;
    if (w->seen[FIELD_CODE] || w->seen[FIELD_MESSAGE])
        return creddoc_refuse_by_service(&f, why, why_size);
    return creddoc_take(&f, true, ret, why, why_size);
}

static int walk_document(struct xml_walk *w, const char *text, size_t n, char *why, size_t why_size)
{
    XML_SetUserData(w->parser, w);
    XML_SetElementHandler(w->parser, on_start, on_end);
    XML_SetCharacterDataHandler(w->parser, on_text);
    XML_SetStartDoctypeDeclHandler(w->parser, on_doctype);
    if (XML_Parse(w->parser, text, (int)n, 1) == XML_STATUS_OK || w->wrong)
        return 0;
    if (XML_GetErrorCode(w->parser) == XML_ERROR_NO_MEMORY)
        return creddoc_no_memory(why, why_size);
    return creddoc_refuse(why, why_size, "the reply is not XML: %s",
                          XML_ErrorString(XML_GetErrorCode(w->parser)));
}

int creddoc_parse_xml(const char *text, size_t n, struct secret_set *ret, char *why,
                      size_t why_size)
{
    static const XML_Memory_Handling_Suite memory = {secret_malloc, secret_realloc, secret_free};
    struct xml_walk w = {.field = -1};
    int r;

    if (n > CREDDOC_MAX)
        return creddoc_refuse(why, why_size, "the reply is longer than 64 KiB");
    w.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (!w.parser)
        return creddoc_no_memory(why, why_size);
    for (int i = 0; i < FIELDS; i++)
        buf_init(&w.text[i], SECRET_TOKEN_MAX);
    r = walk_document(&w, text, n, why, why_size);
    if (r == 0)
        r = finish(&w, ret, why, why_size);
    XML_ParserFree(w.parser);
    for (int i = 0; i < FIELDS; i++)
        buf_wipe(&w.text[i]);
    return r;
}
