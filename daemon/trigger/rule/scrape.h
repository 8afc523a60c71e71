/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads the metrics that a service serves, in pieces of any size, and hands over the samples whose
 * names are asked for. It takes Prometheus's text format 0.0.4, OpenMetrics 1.0 and expvar's JSON,
 * and tells them apart by what comes. Memory does not grow with the page (expvar's is bounded).
 * It knows no rule and opens no socket.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/trigger/rule/names.h"

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

struct scrape;

/* Both are borrowed. 0 or -ENOMEM. */
int scrape_new(const struct names *wanted, scrape_fn sample, void *userdata, struct scrape **ret);
void scrape_free(struct scrape *s);

/* To be called before the first piece if the Content-Type is OpenMetrics's: a page without `# EOF`
 * was cut off then, and is an error. */
void scrape_expect_eof(struct scrape *s);

/* Takes the next piece. 0; or -EBADMSG once the page is no metrics, after which nothing more is
 * read (samples may have been handed over before; they are worth nothing); or -ENOMEM. */
int scrape_feed(struct scrape *s, const void *data, size_t n);

/* The end of the page. 0; or -EBADMSG or -ENOMEM. The verdict is filled in always. */
int scrape_finish(struct scrape *s, struct scrape_verdict *ret);
