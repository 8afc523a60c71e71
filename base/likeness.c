/* SPDX-License-Identifier: Apache-2.0 */
#include "base/likeness.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 32
#define SIGNS "_:."

/* Words between signs. */
static size_t split(char *name, char *words[static WORDS_MAX])
{
    char *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(name, SIGNS, &save); w && n < WORDS_MAX;
         w = strtok_r(NULL, SIGNS, &save))
        words[n++] = w;
    return n;
}

/* The share of words that both have. */
static double shared_words(const char *a, const char *b)
{
    char x[LIKENESS_NAME_MAX + 1], y[LIKENESS_NAME_MAX + 1], *of_x[WORDS_MAX], *of_y[WORDS_MAX];
    size_t n, m, both = 0;

    (void)snprintf(x, sizeof(x), "%s", a);
    (void)snprintf(y, sizeof(y), "%s", b);
    n = split(x, of_x);
    m = split(y, of_y);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < m; k++) {
            if (of_y[k] && strcmp(of_x[i], of_y[k]) == 0) {
                of_y[k] = NULL;
                both++;
                break;
            }
        }
    }
    return n + m > both ? (double)both / (double)(n + m - both) : 0;
}

/* Levenshtein's distance. */
static size_t distance(const char *a, const char *b)
{
    size_t row[LIKENESS_NAME_MAX + 1], m = strlen(b);

    for (size_t k = 0; k <= m; k++)
        row[k] = k;
    for (size_t i = 0; a[i]; i++) {
        size_t before = row[0];

        row[0] = i + 1;
        for (size_t k = 1; k <= m; k++) {
            size_t other = before + (a[i] != b[k - 1]);

            before = row[k];
            if (row[k] + 1 < other)
                other = row[k] + 1;
            row[k] = row[k - 1] + 1 < other ? row[k - 1] + 1 : other;
        }
    }
    return row[m];
}

double likeness_of(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), most = n > m ? n : m;
    double words, letters;

    if (most == 0 || n > LIKENESS_NAME_MAX || m > LIKENESS_NAME_MAX)
        return 0;
    words = shared_words(a, b);
    letters = 1 - 4 * (double)distance(a, b) / (double)most; /* a few letters, not half of them */
    return words > letters ? words : letters;
}
