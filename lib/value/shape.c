/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/value/shape.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/jsontext.h"

/* clang-format off */
__asm__(".section .rodata\n"
        "contrace_schema_begin:\n"
        ".incbin \"" CONTRACE_SUMMARY_SCHEMA "\"\n"
        "contrace_schema_end:\n"
        ".byte 0\n"
        ".previous\n");
/* clang-format on */

extern const char schema_begin[] __asm__("contrace_schema_begin");
extern const char schema_end[] __asm__("contrace_schema_end");

static const char defs[] = "#/$defs/";

static json_t *of_schema(const json_t *root, const json_t *schema, unsigned depth);

/* What `$ref` names, or the one of `oneOf` that is not null. */
static const json_t *resolve(const json_t *root, const json_t *schema)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    const json_t *one = json_object_get(schema, "oneOf");

    if (ref && strncmp(ref, defs, strlen(defs)) == 0)
        return json_object_get(json_object_get(root, "$defs"), ref + strlen(defs));
    return one ? json_array_get(one, json_array_size(one) - 1) : schema;
}

/* The first type of the schema's that is not null. */
static const char *type_of(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    const char *text = json_string_value(json_is_array(type) ? json_array_get(type, 0) : type);

    return text ? text : "";
}

static json_t *of_object(const json_t *root, const json_t *schema, unsigned depth)
{
    json_t *members = json_object_get(schema, "properties"), *member, *object;
    const char *key;

    if (!members) /* its members are named by what happened */
        return json_null();
    object = json_object();
    json_object_foreach(members, key, member) {
        if (json_object_set_new(object, key, of_schema(root, member, depth + 1)) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *of_list(const json_t *root, const json_t *schema, unsigned depth)
{
    json_t *list = json_array();

    if (json_array_append_new(list, of_schema(root, json_object_get(schema, "items"), depth + 1)) <
        0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* NULL: memory is short. */
static json_t *of_schema(const json_t *root, const json_t *schema, unsigned depth)
{
    const char *type;

    for (unsigned i = 0; i < SHAPE_DEPTH_MAX && schema != resolve(root, schema); i++)
        schema = resolve(root, schema);
    type = type_of(schema);
    if (depth == SHAPE_DEPTH_MAX)
        return json_null();
    if (strcmp(type, "object") == 0)
        return of_object(root, schema, depth);
    if (strcmp(type, "array") == 0)
        return of_list(root, schema, depth);
    if (strcmp(type, "boolean") == 0)
        return json_false();
    return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0 ? json_integer(0)
                                                                       : json_string("");
}

int shape_example(json_t **ret)
{
    json_t *schema = NULL;
    int r = jsontext_parse(schema_begin, (size_t)(schema_end - schema_begin), 0, NULL, &schema);

    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    *ret = of_schema(schema, schema, 0);
    json_decref(schema);
    return *ret ? 0 : -ENOMEM;
}
