/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A sample of a page of metrics, and what came of a page, as plain data. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRAPE_LINE_MAX (16u << 10)    /* bytes; a longer line is skipped and counted */
#define SCRAPE_LABELS_MAX 64           /* of one sample; one with more is skipped and counted */
#define SCRAPE_EXPVAR_MAX (512u << 10) /* bytes of a JSON document */
#define SCRAPE_SERIES_MAX 4096         /* series that are told from duplicates */
#define SCRAPE_TEXT_SIZE 160

enum scrape_type {
    SCRAPE_UNTYPED, /* no TYPE line, or one of another word */
    SCRAPE_COUNTER,
    SCRAPE_GAUGE,
    SCRAPE_HISTOGRAM,
    SCRAPE_SUMMARY,
};

struct scrape_label {
    const char *name, *value; /* unescaped */
};

/* All of it is borrowed until the callback returns. */
struct scrape_sample {
    int name; /* the number that names_find gave it */
    enum scrape_type type;
    bool native; /* a native histogram written as text: the value is NaN, and unknown */
    const struct scrape_label *labels;
    size_t n_labels;
    double value; /* may be NaN or infinite */
};

/* Called for each sample that is asked for, in the order of the page. */
typedef void (*scrape_fn)(void *userdata, const struct scrape_sample *sample);

/* What came of a page. */
struct scrape_verdict {
    bool expvar;
    uint64_t lines;      /* of text */
    uint64_t samples;    /* of all names; of expvar, the numbers in the document */
    uint64_t wanted;     /* of the names asked for */
    uint64_t duplicates; /* series that came again: only the first of each was handed over */
    uint64_t overlong;   /* lines, or samples with too many labels, that were skipped */
    uint64_t native;     /* samples of native histograms among those asked for */
    uint64_t bad_line;   /* with an error: where it is, from 1; 0: nowhere in particular */
    char error[SCRAPE_TEXT_SIZE]; /* for people, such as "a web page, not metrics"; "": none */
};
