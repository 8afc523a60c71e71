/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trees/spanid.h"

#include <string.h>

#define TRACEPARENT_SIZE 55 /* 00-, 32 digits, -, 16 digits, -01 */
#define TRACEPARENT_SPAN 36
#define SPAN_DIGITS 16

static const char binary_category[] = "datadog.uint64_span_id";

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads a number without anything beside it. */
static bool read_number(const char *text, size_t n, unsigned base, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++) {
        int digit = digit_of(text[i]);

        if (digit < 0 || (unsigned)digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *ret = value;
    return n > 0;
}

bool spanid_read(const char *text, struct spanid *ret)
{
    size_t n = strlen(text);
    uint64_t number;
    bool header = n == TRACEPARENT_SIZE && text[2] == '-' && text[TRACEPARENT_SPAN - 1] == '-' &&
                  read_number(text + TRACEPARENT_SPAN, SPAN_DIGITS, 16, &number);

    if (header) {
        text += TRACEPARENT_SPAN;
        n = SPAN_DIGITS;
    }
    if (n == 0 || n > SPANID_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    *ret = (struct spanid){.n = n};
    memcpy(ret->text, text, n);
    ret->is_hex = n == SPAN_DIGITS && read_number(text, n, 16, &ret->hex);
    ret->is_decimal =
        !header && (text[0] != '0' || n == 1) && read_number(text, n, 10, &ret->decimal);
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool begins(const char *text, const struct spanid *id)
{
    size_t i = 0;

    while (i < id->n && lower(text[i]) == lower(id->text[i]))
        i++;
    return i == id->n;
}

bool spanid_is_in(const struct spanid *id, const char *text, size_t n)
{
    for (size_t i = 0; i + id->n <= n; i++) {
        if (begins(text + i, id) && (i == 0 || !is_word(text[i - 1])) &&
            (i + id->n == n || !is_word(text[i + id->n])))
            return true;
    }
    return false;
}

bool spanid_binary(const char *category, size_t n_category, const char *message, size_t n_message,
                   uint64_t *ret)
{
    uint64_t value = 0;

    if (n_message != sizeof(value) ||
        !memmem(category, n_category, binary_category, strlen(binary_category)))
        return false;
    for (size_t i = sizeof(value); i-- > 0;)
        value = value << 8 | (uint8_t)message[i];
    *ret = value;
    return true;
}

bool spanid_is_logged(const struct spanid *id, const char *category, size_t n_category,
                      const char *message, size_t n_message)
{
    uint64_t value;

    if (!spanid_binary(category, n_category, message, n_message, &value))
        return spanid_is_in(id, message, n_message);
    return (id->is_hex && value == id->hex) || (id->is_decimal && value == id->decimal);
}
