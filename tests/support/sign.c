/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Signs requests, one per line of its input, for comparison with another signer. The fields of a
 * line are in hexadecimal, "-" for an empty one, separated by blanks: method, host, path, region,
 * service, payload hash, access key, secret key, session token (empty: none), seconds since the
 * epoch, then the number of query pairs and the pairs, and the number of headers and the headers.
 * For each line it prints the value of the Authorization header.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/credential/sigv4.h"

#define PAIRS_MAX 64

static _Noreturn void fail(const char *why)
{
    (void)fprintf(stderr, "sign: %s\n", why);
    exit(EXIT_FAILURE);
}

/* The next field, decoded in place. */
static char *next(char **line)
{
    char *field = strsep(line, " \n");
    size_t n;

    if (!field)
        fail("a line ends early");
    n = strcmp(field, "-") == 0 ? 0 : strlen(field) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;

        if (sscanf(field + 2 * i, "%2x", &byte) != 1)
            fail("not hexadecimal");
        field[i] = (char)byte;
    }
    field[n] = '\0';
    return field;
}

static size_t next_pairs(char **line, struct sigv4_pair pairs[static PAIRS_MAX])
{
    size_t n = strtoul(next(line), NULL, 10);

    if (n > PAIRS_MAX)
        fail("too many pairs");
    for (size_t i = 0; i < n; i++) {
        pairs[i].name = next(line);
        pairs[i].value = next(line);
    }
    return n;
}

static void sign(char *line)
{
    struct sigv4_pair query[PAIRS_MAX], headers[PAIRS_MAX];
    struct sigv4_request q = {.query = query, .headers = headers};
    struct sigv4_credentials c;
    struct sigv4_signature s;

    q.method = next(&line);
    q.host = next(&line);
    q.path = next(&line);
    q.region = next(&line);
    q.service = next(&line);
    q.payload_sha256 = next(&line);
    c.access_key = next(&line);
    c.secret_key = next(&line);
    c.session_token = next(&line);
    if (!c.session_token[0])
        c.session_token = NULL;
    q.time = strtoull(next(&line), NULL, 10) * USEC_PER_SEC;
    q.n_query = next_pairs(&line, query);
    q.n_headers = next_pairs(&line, headers);
    if (sigv4_sign(&q, &c, &s) < 0)
        fail("refused");
    (void)puts(buf_str(&s.authorization));
    sigv4_signature_done(&s);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0)
        sign(line);
    free(line);
    return EXIT_SUCCESS;
}
