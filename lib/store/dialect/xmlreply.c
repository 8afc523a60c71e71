/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/dialect/xmlreply.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "lib/net/timestamp.h"

#define DEPTH_MAX 16
#define PATH_SIZE 256 /* the names of all open elements, a '/' before each */
#define OBJECTS_MAX 10000

enum field {
    NOTHING,
    CODE,
    MESSAGE,
    REGION,
    ENDPOINT,
    REQUEST_ID,
    SERVER_TIME,
    LIST, /* a page's root */
    OBJECT,
    KEY,
    SIZE,
    MODIFIED,
    TRUNCATED,
    TOKEN,
    MARKER, /* Azure's token; if it is not empty, there is another page */
    ENCODING,
};

struct path {
    const char *path;
    enum field field;
};

static const struct path error_paths[] = {
    {"/Error/Code", CODE},
    {"/Error/Message", MESSAGE},
    {"/Error/Region", REGION},
    {"/Error/Endpoint", ENDPOINT},
    {"/Error/RequestId", REQUEST_ID},
    {"/Error/ServerTime", SERVER_TIME},
    {"/ErrorResponse/Error/Code", CODE}, /* STS */
    {"/ErrorResponse/Error/Message", MESSAGE},
    {"/ErrorResponse/RequestId", REQUEST_ID},
    {NULL, NOTHING},
};

static const struct path list_paths[] = {
    {"/ListBucketResult", LIST},
    {"/ListBucketResult/IsTruncated", TRUNCATED},
    {"/ListBucketResult/NextContinuationToken", TOKEN},
    {"/ListBucketResult/EncodingType", ENCODING},
    {"/ListBucketResult/Contents", OBJECT},
    {"/ListBucketResult/Contents/Key", KEY},
    {"/ListBucketResult/Contents/Size", SIZE},
    {"/ListBucketResult/Contents/LastModified", MODIFIED},
    {"/EnumerationResults", LIST}, /* Azure */
    {"/EnumerationResults/NextMarker", MARKER},
    {"/EnumerationResults/Blobs/Blob", OBJECT},
    {"/EnumerationResults/Blobs/Blob/Name", KEY},
    {"/EnumerationResults/Blobs/Blob/Properties/Content-Length", SIZE},
    {"/EnumerationResults/Blobs/Blob/Properties/Last-Modified", MODIFIED},
    {NULL, NOTHING},
};

struct xmlreply {
    XML_Parser parser;
    const struct path *paths;
    int failure; /* the first one, for good */
    bool finished;
    size_t bytes, bytes_max;

    /* the place in the document, and the text of the open field */
    unsigned depth;
    char path[PATH_SIZE];
    size_t path_len;
    enum field field;
    unsigned field_depth;
    char text[XMLREPLY_TOKEN_SIZE];
    size_t text_len;

    struct xmlreply_error *error; /* NULL: a listing */

    struct xmlreply_page *page;
    xmlreply_object_handler *object;
    void *userdata;
    bool listing; /* the root was seen */
    unsigned objects;
    char key[XMLREPLY_KEY_SIZE];
    uint64_t size;
    usec modified;
};

static void fail(struct xmlreply *x, int r)
{
    if (x->failure == 0)
        x->failure = r;
    (void)XML_StopParser(x->parser, XML_FALSE);
}

static bool is_word(char c, const char *extra)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(extra, c));
}

/* Takes the text if it has only word characters and those in `extra`. */
static void take_word(char *out, size_t size, const char *text, const char *extra)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        if (!is_word(text[i], extra))
            return;
    if (n < size)
        memcpy(out, text, n + 1);
}

/* Cut where it is too long, not within a character of UTF-8. */
static void take_text(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);

    if (n >= size) {
        n = size - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

static void take_printable(char *out, size_t size, const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            return;
    take_text(out, size, text);
}

static void take_error(struct xmlreply *x, const char *text)
{
    struct xmlreply_error *e = x->error;

    switch (x->field) {
    case CODE: take_word(e->code, sizeof(e->code), text, "._-"); break;
    case MESSAGE: take_text(e->message, sizeof(e->message), text); break;
    case REGION: take_word(e->region, sizeof(e->region), text, "._-"); break;
    case ENDPOINT: take_word(e->endpoint, sizeof(e->endpoint), text, "._:-"); break;
    case REQUEST_ID: take_printable(e->request_id, sizeof(e->request_id), text); break;
    case SERVER_TIME: take_printable(e->server_time, sizeof(e->server_time), text); break;
    default: break;
    }
}

static void take_object(struct xmlreply *x)
{
    struct xmlreply_object object = {
        .key = x->key,
        .size = x->size,
        .last_modified = x->modified,
    };
    int r;

    if (x->key[0] == '\0') {
        fail(x, -EBADMSG);
        return;
    }
    if (x->objects++ >= OBJECTS_MAX) {
        fail(x, -E2BIG);
        return;
    }
    r = x->object(x->userdata, &object);
    if (r < 0)
        fail(x, r);
}

static void take_modified(struct xmlreply *x, const char *text)
{
    /* Azure writes HTTP's form, whose year has four digits: `now` does not matter. */
    if (clock_parse_rfc3339(text, &x->modified) < 0 &&
        timestamp_parse_http(text, 0, &x->modified) < 0)
        x->modified = 0;
}

static void take_list(struct xmlreply *x, const char *text)
{
    switch (x->field) {
    case OBJECT: take_object(x); break;
    case KEY:
        if (strlen(text) >= sizeof(x->key))
            fail(x, -E2BIG);
        else
            take_text(x->key, sizeof(x->key), text);
        break;
    case SIZE:
        if (parse_unsigned(text, UINT64_MAX, &x->size) < 0)
            fail(x, -EBADMSG);
        break;
    case MODIFIED: take_modified(x, text); break;
    case TRUNCATED: x->page->truncated = strcmp(text, "true") == 0; break;
    case MARKER:
        x->page->truncated = text[0] != '\0';
        take_text(x->page->next, sizeof(x->page->next), text);
        break;
    case TOKEN: take_text(x->page->next, sizeof(x->page->next), text); break;
    case ENCODING: x->page->url_encoded = strcmp(text, "url") == 0; break;
    default: break;
    }
}

/* Appends "/name" without its name space's prefix. */
static int path_enter(struct xmlreply *x, const char *name)
{
    const char *colon = strrchr(name, ':');
    size_t n;

    name = colon ? colon + 1 : name;
    n = strlen(name);
    if (x->depth >= DEPTH_MAX || n + 1 >= sizeof(x->path) - x->path_len)
        return -E2BIG;
    x->path[x->path_len] = '/';
    memcpy(x->path + x->path_len + 1, name, n + 1);
    x->path_len += n + 1;
    x->depth++;
    return 0;
}

static void path_leave(struct xmlreply *x)
{
    char *slash = strrchr(x->path, '/');

    x->path_len = (size_t)(slash - x->path);
    *slash = '\0';
    x->depth--;
}

static enum field path_field(const struct xmlreply *x)
{
    const struct path *p = x->paths;

    while (p->path && strcmp(p->path, x->path) != 0)
        p++;
    return p->field;
}

static void open_element(void *userdata, const XML_Char *name, const XML_Char **attributes)
{
    struct xmlreply *x = userdata;
    enum field field;
    int r;

    (void)attributes;
    if (x->failure < 0)
        return;
    r = path_enter(x, name);
    if (r < 0) {
        fail(x, r);
        return;
    }
    field = path_field(x);
    if (field == LIST)
        x->listing = true;
    if (field == OBJECT) {
        x->key[0] = '\0';
        x->size = 0;
        x->modified = 0;
    }
    x->field = field;
    x->field_depth = x->depth;
    x->text_len = 0;
}

/* The trimmed text of the element that ends; "" if it had child elements. Borrowed. */
static char *field_text(struct xmlreply *x)
{
    char *text = x->text;
    size_t n = x->field_depth == x->depth ? x->text_len : 0;

    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    text[n] = '\0';
    return text + strspn(text, " \t\r\n");
}

static void close_element(void *userdata, const XML_Char *name)
{
    struct xmlreply *x = userdata;
    char *text;

    (void)name;
    if (x->failure < 0)
        return;
    text = field_text(x);
    x->field = path_field(x);
    if (x->error)
        take_error(x, text);
    else
        take_list(x, text);
    x->field = NOTHING;
    path_leave(x);
}

static void add_text(void *userdata, const XML_Char *s, int len)
{
    struct xmlreply *x = userdata;
    size_t n = (size_t)len, room = sizeof(x->text) - 1 - x->text_len;

    if (x->failure < 0 || x->field == NOTHING || x->field_depth != x->depth)
        return;
    if (n > room && !x->error) {
        fail(x, -E2BIG); /* a key or token must not be cut */
        return;
    }
    n = n < room ? n : room;
    memcpy(x->text + x->text_len, s, n);
    x->text_len += n;
}

/* Refuses a document type. No store sends one, and without it only XML's five entities exist. */
static void refuse_doctype(void *userdata, const XML_Char *name, const XML_Char *system_id,
                           const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    fail(userdata, -EBADMSG);
}

static int new_reader(const struct path *paths, size_t bytes_max, struct xmlreply **ret)
{
    struct xmlreply *x = calloc(1, sizeof(*x));

    if (!x)
        return -ENOMEM;
    x->parser = XML_ParserCreate(NULL);
    if (!x->parser) {
        free(x);
        return -ENOMEM;
    }
    x->paths = paths;
    x->bytes_max = bytes_max;
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, open_element, close_element);
    XML_SetCharacterDataHandler(x->parser, add_text);
    XML_SetStartDoctypeDeclHandler(x->parser, refuse_doctype);
    *ret = x;
    return 0;
}

int xmlreply_new_error(struct xmlreply_error *into, struct xmlreply **ret)
{
    int r = new_reader(error_paths, XMLREPLY_ERROR_MAX, ret);

    *into = (struct xmlreply_error){0};
    if (r == 0)
        (*ret)->error = into;
    return r;
}

int xmlreply_new_list(struct xmlreply_page *page, xmlreply_object_handler *object, void *userdata,
                      struct xmlreply **ret)
{
    int r = new_reader(list_paths, XMLREPLY_LIST_MAX, ret);

    *page = (struct xmlreply_page){0};
    if (r == 0) {
        (*ret)->page = page;
        (*ret)->object = object;
        (*ret)->userdata = userdata;
    }
    return r;
}

void xmlreply_free(struct xmlreply *x)
{
    if (!x)
        return;
    XML_ParserFree(x->parser);
    free(x);
}

static int parse(struct xmlreply *x, const void *data, size_t n, int final)
{
    if (XML_Parse(x->parser, data, (int)n, final) == XML_STATUS_OK || x->failure < 0)
        return x->failure;
    x->failure = XML_GetErrorCode(x->parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG;
    return x->failure;
}

int xmlreply_feed(struct xmlreply *x, const void *data, size_t n)
{
    if (x->failure < 0 || n == 0)
        return x->failure;
    if (n > x->bytes_max - x->bytes) {
        /* the part within the bound may still name the error */
        (void)parse(x, data, x->bytes_max - x->bytes, XML_FALSE);
        x->bytes = x->bytes_max;
        x->failure = x->failure < 0 ? x->failure : -E2BIG;
        return x->failure;
    }
    x->bytes += n;
    return parse(x, data, n, XML_FALSE);
}

int xmlreply_finish(struct xmlreply *x)
{
    if (x->failure < 0 || x->finished)
        return x->failure;
    x->finished = true;
    if (parse(x, "", 0, XML_TRUE) < 0)
        return x->failure;
    if (x->page && (!x->listing || (x->page->truncated && x->page->next[0] == '\0')))
        x->failure = -EBADMSG;
    return x->failure;
}
