/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whatever name_parse accepts is written back byte by byte by name_key, and whatever name_init
 * makes of a hostile name is accepted. The same of name_of_record and name_record_key.
 */

#include <string.h>

#include "lib/record/name.h"
#include "tests/fuzz/fuzz.h"

static void expect_round_trip(const struct name *n)
{
    char key[NAME_KEY_MAX], again[NAME_KEY_MAX], of_record[NAME_KEY_MAX];
    struct name parsed;

    name_key(n, key);
    if (name_parse(key, &parsed) != 0 || strcmp(name_key(&parsed, again), key) != 0 ||
        name_compare(n, &parsed) != 0 || parsed.kind != n->kind || name_kind(key) != n->kind)
        abort();
    if (name_of_record(name_record_key(key, again), of_record) != 0 || strcmp(of_record, key) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char key[NAME_KEY_MAX], again[NAME_KEY_MAX];
    usec time = size;
    struct name n;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (name_parse(text, &n) == 0) {
        if (strcmp(name_key(&n, key), text) != 0 || strlen(text) >= NAME_KEY_MAX)
            abort();
        expect_round_trip(&n);
    }
    if (name_of_record(text, key) == 0 && strcmp(name_record_key(key, again), text) != 0)
        abort();
    if (size >= sizeof(time))
        memcpy(&time, data, sizeof(time));
    name_init(&n, text, text, time, (uint32_t)size);
    n.sequence = size > 8 ? data[8] : 0;
    n.kind = (enum kind)(size % KINDS);
    expect_round_trip(&n);
    free(text);
    return 0;
}
