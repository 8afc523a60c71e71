/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The configuration as plain data: what the file and the command line say, with every default
 * filled in and every cross-field rule checked. Nothing here opens anything but the file itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "lib/config/address.h"
#include "lib/yaml/label.h"
#include "lib/net/access.h"
#include "lib/record/kind.h"

#define CONFIG_LABELS_MAX 64 /* labels of one target */
/* Bytes of all names and values of one target: the most that a record holds. */
#define CONFIG_LABELS_BYTES_MAX (8u << 10)
#define CONFIG_TARGETS_MAX 100000             /* targets of one file */
#define CONFIG_JOBS_MAX 10000                 /* scrape_configs of one file */
#define CONFIG_WINDOW_MAX (10 * USEC_PER_MIN) /* `seconds` */
#define CONFIG_CONCURRENT_MAX 4096            /* max_concurrent_captures */
#define CONFIG_INCIDENTS_MAX 10000            /* incidents an hour */
#define CONFIG_RELABEL_MAX 1000               /* relabel_configs of one job */
#define CONFIG_JOB_NAME_MAX 100               /* bytes: the most that a key's component holds */

/* What a job says of something that is on or off for all; what a target says, of its job. */
enum config_switch {
    CONFIG_INHERIT,
    CONFIG_ON,
    CONFIG_OFF,
};

/*
 * One address with its labels, from static_configs, file_sd or --target. Labels that begin with two
 * underscores are for relabel_configs and say where and how the target is asked
 * (daemon/source/target_sink.h); after relabelling there are none.
 */
struct target_config {
    char *address; /* as written */
    struct address parsed;
    struct label *labels;
    size_t n_labels;
    /* What relabelling says otherwise than the job; NULL or CONFIG_INHERIT: it does not. */
    enum config_switch https;
    char *path;  /* of traces */
    char *query; /* escaped, without its question mark */
    char *host;  /* of the key */
};

struct target_list {
    struct target_config *items;
    size_t n;
};

enum artifact_delta {
    ARTIFACT_DELTA_USUAL,
    ARTIFACT_DELTA_YES, /* over `seconds`: the difference of two snapshots */
    ARTIFACT_DELTA_NO,  /* a snapshot */
};

/* What a job says of one of its artifacts. */
struct artifact_config {
    usec interval; /* 0: the job's */
    char *path;    /* on the target; NULL: it follows from the job's paths */
    enum artifact_delta delta;
    unsigned line, column; /* its place in the file, from 1; 0: not there */
};

/* Where a service has its flight recording, which is nowhere by itself. */
struct flight_config {
    char *path; /* NULL: not known */
    bool post;  /* it is asked for by POST, not GET */
    struct label *headers;
    size_t n_headers;
};

/* A server that lists targets. */
struct http_sd {
    char *url;    /* http or https, without a user; it may have a query */
    usec refresh; /* from one answer to the next request */
    struct access access;
};

struct job_config {
    char *name;
    bool https;
    char *path;          /* begins with '/' */
    char *profiles_path; /* the directory of profiles; NULL: that of `path` */
    unsigned artifacts;  /* what is captured: a bit for each kind; 0: traces */
    /* What an incident of a target takes: a bit for each kind; 0: the usual ones. */
    unsigned incident_artifacts;
    unsigned incident_line, incident_column; /* its place in the file, from 1; 0: not there */
    unsigned samples_line, samples_column;   /* the place of cpu_samples, likewise */
    struct artifact_config of_kind[KINDS];
    struct flight_config flight;
    struct {
        usec interval, window, timeout;
        uint64_t body_size_limit;
        enum config_switch cpu_samples;
    } own;                    /* the job's own value; 0: the global one */
    usec interval;            /* these five are the job's or the global value */
    usec window;              /* `seconds` */
    usec timeout;             /* more than window, at most interval */
    uint64_t body_size_limit; /* decoded bytes */
    bool cpu_samples;         /* incidents take a CPU profile beside the trace */
    struct access access;
    char *pid_file; /* or NULL */
    struct target_list targets;
    char **file_sd; /* glob patterns */
    size_t n_file_sd;
    usec file_sd_refresh; /* how long a change may go unseen where inotify does not work */
    struct http_sd *http_sd;
    size_t n_http_sd;
    struct relabel_rule **relabel; /* lib/relabel/relabel.h */
    size_t n_relabel;
    bool from_option; /* made by config_add_target */
};

struct storage_config {
    char *path;
    uint64_t max_bytes;
    usec max_age; /* 0: no limit */
    uint64_t max_files;
    double min_free;     /* share of the file system's blocks and inodes to leave free */
    uint64_t keep_worst; /* so many of each label and service are not deleted for their age */
};

enum upload_addressing {
    /* Path if an endpoint is configured or the bucket's name has a dot, else virtual. */
    UPLOAD_ADDRESSING_AUTO,
    UPLOAD_ADDRESSING_PATH,
    UPLOAD_ADDRESSING_VIRTUAL,
};

/* The section `upload`. lib/store checks what each kind of store demands of the URL. */
struct upload_config {
    char *url; /* s3://, gs://, az://, https://, http://, file://; NULL: no upload */
    unsigned url_line, url_column; /* where it stands in the file, from 1; 0: not there */
    char *endpoint, *region;
    enum upload_addressing addressing;
    unsigned concurrency;
    bool keep_local;
    bool require_mount; /* file://: the directory must be on a mounted file system */
    bool if_none_match; /* never overwrite: PUT with If-None-Match: * */
    uint64_t max_rate;  /* bytes a second of all uploads together; 0: no limit */
    usec stall_timeout; /* an upload without progress for this long is ended */
    char *storage_class;
    char *sse, *sse_kms_key_id; /* AES256, aws:kms */
    struct label *sse_context;  /* of KMS */
    size_t n_sse_context;
    struct label *tags;
    size_t n_tags;
    char *acl;           /* a canned one */
    bool checksum;       /* send x-amz-checksum-sha256 to stores that accept it */
    bool requester_pays; /* the uploader pays, not the bucket's owner */
    /* Secrets as files, which are read at each use. */
    char *access_key_file, *secret_key_file, *session_token_file; /* s3, gs */
    char *account_key_file, *sas_token_file;                      /* az */
    char *credentials_file; /* gs: a Google credentials file of any type */
    struct access access;   /* its `auth` is for https */
};

/* How traces are inspected after publication. */
struct inspect_config {
    bool enabled;
    char *command; /* a path; NULL: contrace as it is installed */
    usec timeout;
    uint64_t max_memory; /* bytes, beside what the child maps of the trace */
};

/* The rows about traces that go to the store. */
struct rows_config {
    bool enabled; /* where there is a store */
    usec interval;
};

/* The admin endpoint. */
struct web_config {
    char *listen_address;    /* as lib/net/listen.h reads it */
    char *bearer_token_file; /* or NULL; read at each use */
};

/* When scheduled captures are suspended automatically. */
struct suspend_config {
    char *flag_file;     /* suspended while this file exists; NULL: none */
    double cpu_pressure; /* suspended from this share of stalled time on; 0: off */
};

enum trigger_measure {
    TRIGGER_HISTOGRAM, /* the share of a histogram's new observations that lie above a bound */
    TRIGGER_RATE,      /* a counter's rise a second */
    TRIGGER_GAUGE,
    TRIGGER_RATIO, /* of two gauges or rates */
    TRIGGER_VALUE, /* a number of a trace's summary */
    TRIGGER_LABEL, /* a trace's label */
    TRIGGER_MEASURES,
};

enum trigger_test {
    TRIGGER_ABOVE,          /* more than `limit`; of a histogram: its share is */
    TRIGGER_BELOW,          /* less than `limit` */
    TRIGGER_GROWTH,         /* grew by more than the share `limit` over the time `over` */
    TRIGGER_TIMES_BASELINE, /* more than `limit` times its own median of the last hour */
    TRIGGER_BECOMES,        /* of labels: one of `labels`, after one of `after` */
};

/* A rule: which condition of a target makes an incident. */
struct trigger_config {
    char *name;
    char **jobs; /* NULL: all */
    size_t n_jobs;
    struct {
        char *path; /* of the metrics, begins with '/' */
        usec interval;
    } metrics; /* for rules that are polled */
    enum trigger_measure measure;
    char *of[2];     /* the metric, or the ratio's two; the summary's path; NULL for labels */
    bool of_rate[2]; /* of a ratio: it is a counter, whose rate counts */
    struct label *match;
    size_t n_match;
    double bound; /* of a histogram, in its unit */
    enum trigger_test test;
    double limit;
    usec over;              /* of TRIGGER_GROWTH */
    uint32_t labels, after; /* a bit for each label (enum code); after 0: any but `labels` */
    unsigned polls;         /* `for`: how many in a row */
    uint64_t min_count;     /* of a histogram: observations between two polls */
    unsigned capture;       /* a bit for each kind; 0: what incidents take */
    usec cooldown;
    unsigned line, column; /* its place in the file, from 1; 0: not there */
};

/* How much incidents may take, and how long they are kept. */
struct incidents_config {
    unsigned max_per_hour;            /* of all targets together */
    unsigned max_per_target_per_hour; /* of one target */
    double max_traced;                /* share of the time that incidents may trace a target */
    double cpu_pressure_ceiling;      /* none is begun from this share of stalled time on; 0: off */
    usec keep;                        /* for at least how long; 0: no longer than other captures */
};

struct config {
    usec interval, window, timeout; /* timeout 0: window + 15 s, at most the interval */
    uint64_t body_size_limit;
    bool cpu_samples; /* as of a job */
    double max_duty_cycle;
    unsigned max_concurrent_captures;
    usec shutdown_timeout;
    char *host; /* NULL: this machine's name */
    struct storage_config storage;
    struct upload_config upload;
    struct inspect_config inspect;
    struct rows_config rows;
    struct web_config web;
    struct suspend_config suspend;
    struct incidents_config incidents;
    enum log_level log_level;
    enum log_format log_format;
    struct job_config *jobs;
    size_t n_jobs;
    struct trigger_config *triggers;
    size_t n_triggers;
};
