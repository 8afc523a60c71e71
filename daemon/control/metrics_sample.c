/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/metrics_sample.h"

double metrics_seconds(usec t)
{
    return (double)t / (double)USEC_PER_SEC;
}

void metrics_gauge(struct exposition *e, const char *name, const char *help, double value)
{
    exposition_family(e, name, EXPOSITION_GAUGE, help);
    exposition_sample(e, NULL, 0, value);
}

void metrics_number(struct exposition *e, const char *name, const char *help, uint64_t value)
{
    exposition_family(e, name, EXPOSITION_GAUGE, help);
    exposition_count(e, NULL, 0, value);
}

void metrics_counter(struct exposition *e, const char *name, const char *help, uint64_t value)
{
    exposition_family(e, name, EXPOSITION_COUNTER, help);
    exposition_count(e, NULL, 0, value);
}

void metrics_classed(struct exposition *e, const char *label, const char *value, uint64_t n)
{
    exposition_count(e, &(struct exposition_label){label, value}, 1, n);
}

void metrics_histogram(struct exposition *e, const char *job, const char *artifact,
                       const struct meters_histogram *h)
{
    const struct exposition_label labels[] = {{METRICS_JOB, job}, {METRICS_ARTIFACT, artifact}};

    exposition_histogram(e, labels, job ? 2 : 0,
                         &(struct exposition_histogram){h->bounds, h->n, h->counts, h->sum});
}
