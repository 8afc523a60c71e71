/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The log: one line for each event that a person should know of, in one of three formats: text for
 * a terminal, JSON for collectors, native fields for the journal. One system call writes a line, so
 * lines of several threads do not mix. Level, format and sink are global.
 */

#include <stdbool.h>

enum log_level {
    LOG_LEVEL_ERROR, /* someone must act */
    LOG_LEVEL_WARN,  /* something does not work; contraced goes on */
    LOG_LEVEL_INFO,  /* what was done */
    LOG_LEVEL_DEBUG,
};

enum log_format {
    LOG_FORMAT_AUTO, /* the journal's fields if stderr is the journal, else text */
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
    LOG_FORMAT_JOURNAL,
};

/* What a line is about; any may be NULL. They become fields in JSON and in the journal. */
struct log_fields {
    const char *service;
    const char *target;
    const char *key;
    const char *result;     /* the outcome class of a capture */
    const char *label;      /* what an inspection found */
    const char *message_id; /* one of MESSAGE_ID_… */
};

/*
 * 128-bit identifiers of events, for programs that search the journal (journalctl MESSAGE_ID=…).
 * They never change.
 */
#define MESSAGE_ID_CAPTURED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e101"
#define MESSAGE_ID_TARGET_DOWN "0c5f3f1c6d0b4e3f9a53a4b4d2c5e102"
#define MESSAGE_ID_TARGET_UP "0c5f3f1c6d0b4e3f9a53a4b4d2c5e103"
#define MESSAGE_ID_RETENTION "0c5f3f1c6d0b4e3f9a53a4b4d2c5e104"
#define MESSAGE_ID_DROPPED_UNSENT "0c5f3f1c6d0b4e3f9a53a4b4d2c5e105"
#define MESSAGE_ID_RELOADED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e106"
#define MESSAGE_ID_RELOAD_FAILED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e107"
#define MESSAGE_ID_STORAGE "0c5f3f1c6d0b4e3f9a53a4b4d2c5e108"
#define MESSAGE_ID_STARTED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e109"
#define MESSAGE_ID_STOPPED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10a"
#define MESSAGE_ID_SUSPENDED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10b"
#define MESSAGE_ID_UPLOAD_FAILING "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10c"
#define MESSAGE_ID_UPLOAD_WORKS "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10d"
#define MESSAGE_ID_UPLOAD_REFUSED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10e"
#define MESSAGE_ID_INSPECTED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e10f"
#define MESSAGE_ID_INCIDENT "0c5f3f1c6d0b4e3f9a53a4b4d2c5e110"
#define MESSAGE_ID_POLLS_FAIL "0c5f3f1c6d0b4e3f9a53a4b4d2c5e113"
#define MESSAGE_ID_POLLS_WORK "0c5f3f1c6d0b4e3f9a53a4b4d2c5e114"
#define MESSAGE_ID_TRIGGER_BLIND "0c5f3f1c6d0b4e3f9a53a4b4d2c5e115"
#define MESSAGE_ID_TRIGGER_FIRED "0c5f3f1c6d0b4e3f9a53a4b4d2c5e116"

void log_set_level(enum log_level level);
/* Text instead of the journal's format if there is no journal. */
void log_set_format(enum log_format format);

/* "error", "warn", "info", "debug": 0 or -EINVAL. */
int log_level_parse(const char *name, enum log_level *ret_level);

/* "text", "json", "journal", "auto": 0 or -EINVAL. */
int log_format_parse(const char *name, enum log_format *ret_format);

/* A sink that takes the lines instead of stderr, for tests; NULL puts stderr back. */
typedef void (*log_sink_fn)(void *userdata, enum log_level level, const struct log_fields *fields,
                            const char *message);
void log_set_sink(log_sink_fn sink, void *userdata);

/* True if lines of this level are written: callers save the work of making one that is not. */
bool log_enabled(enum log_level level);

/* Writes one line. Control characters of the message are escaped. Keeps errno. */
void log_write(enum log_level level, const struct log_fields *fields, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, NULL, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)
