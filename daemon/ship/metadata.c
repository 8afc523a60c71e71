/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ship/metadata.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/jsontext.h"
#include "lib/record/name.h"

/* Adds an item, unless the value is empty. `name` must be static. */
static void add(struct metadata *m, const char *name, const char *value)
{
    size_t n = strlen(value);
    char *out;

    if (n == 0 || m->n == METADATA_ITEMS)
        return;
    if (n > METADATA_VALUE_MAX - 1) {
        n = METADATA_VALUE_MAX - 1;
        while (n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80)
            n--; /* do not split a UTF-8 character */
    }
    out = m->values[m->n];
    memcpy(out, value, n);
    out[n] = '\0';
    m->items[m->n++] = (struct store_meta){.name = name, .value = out};
}

/* Adds a member of the record as text; `otherwise` if it is missing or of another type. */
static void add_member(struct metadata *m, const json_t *record, const char *name,
                       const char *otherwise)
{
    const json_t *value = json_object_get(record, name);
    char number[32];

    if (json_is_string(value)) {
        add(m, name, json_string_value(value));
    } else if (json_is_integer(value)) {
        (void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        add(m, name, number);
    } else if (json_is_real(value)) {
        (void)snprintf(number, sizeof(number), "%.15g", json_real_value(value));
        add(m, name, number);
    } else {
        add(m, name, otherwise);
    }
}

void metadata_set_sha256(struct metadata *m, const char *sha256)
{
    (void)snprintf(m->sha256, sizeof(m->sha256), "%s", sha256);
    add(m, "sha256", m->sha256);
}

int metadata_init(struct metadata *m, const char *key, const struct buf *record)
{
    _cleanup_json_ json_t *json = NULL;
    char start[CLOCK_RFC3339_SIZE] = "", pid[16] = "";
    const char *sha256;
    struct name name;

    m->n = 0;
    m->sha256[0] = '\0';
    if (record && jsontext_parse(buf_str(record), record->len, 0, NULL, &json) == -ENOMEM)
        return -ENOMEM;
    if (name_parse(key, &name) < 0)
        name_init(&name, "", "", 0, 0); /* not a key of contraced: its values are empty */
    if (name.pid > 0)
        (void)snprintf(pid, sizeof(pid), "%" PRIu32, name.pid);
    if (name.time > 0)
        (void)clock_rfc3339(name.time, start);
    add_member(m, json, "service", name.service);
    add_member(m, json, "host", name.host);
    add_member(m, json, "artifact", kind_name(name.kind));
    add_member(m, json, "pid", pid);
    add_member(m, json, "reason", "");
    add_member(m, json, "start", start);
    add_member(m, json, "seconds", "");
    add_member(m, json, "label", "");
    sha256 = json_string_value(json_object_get(json, "sha256"));
    if (hex_is_sha256(sha256))
        metadata_set_sha256(m, sha256);
    return 0;
}
