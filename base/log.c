/* SPDX-License-Identifier: Apache-2.0 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"

/* A line is cut here: the message may quote what a peer sent. */
#define LOG_LINE_MAX 4096

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static enum log_level log_level = LOG_LEVEL_INFO;
static enum log_format log_format = LOG_FORMAT_TEXT;
static log_sink_fn log_sink;
static void *log_sink_data;

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARN] = {"warn", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

static const char *const formats[] = {
    [LOG_FORMAT_AUTO] = "auto",
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    [LOG_FORMAT_JOURNAL] = "journal",
};

/*
 * systemd sets JOURNAL_STREAM to the device and inode of the stream it made for us:
 * sd_journal_print(3), systemd.exec(5). An inherited variable with another stderr does not count.
 */
static bool stderr_is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    uintmax_t dev, ino;
    struct stat st;

    if (!text || sscanf(text, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) != 2)
        return false;
    return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == (dev_t)dev && st.st_ino == (ino_t)ino;
}

void log_set_level(enum log_level level)
{
    log_level = level;
}

void log_set_format(enum log_format format)
{
    if (format == LOG_FORMAT_AUTO)
        format = stderr_is_journal() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
    /* sd_journal_sendv(3) drops lines in silence where there is no journal. */
    if (format == LOG_FORMAT_JOURNAL && access(JOURNAL_SOCKET, F_OK) < 0)
        format = LOG_FORMAT_TEXT;
    log_format = format;
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(levels[i].name, name) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

int log_format_parse(const char *name, enum log_format *ret_format)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(formats[i], name) == 0) {
            *ret_format = (enum log_format)i;
            return 0;
        }
    }
    return -EINVAL;
}

void log_set_sink(log_sink_fn sink, void *userdata)
{
    log_sink = sink;
    log_sink_data = userdata;
}

bool log_enabled(enum log_level level)
{
    return level <= log_level;
}

static void write_line(struct buf *line)
{
    ssize_t n;

    (void)buf_add(line, "\n", 1);
    do
        n = write(STDERR_FILENO, line->data, line->len);
    while (n < 0 && errno == EINTR);
}

static void log_text(enum log_level level, const char *message)
{
    char now[CLOCK_RFC3339_SIZE];
    struct buf line;

    buf_init(&line, 2 * LOG_LINE_MAX);
    if (buf_addf(&line, "%s %-5s ", clock_rfc3339(clock_real(), now), levels[level].name) == 0 &&
        buf_adds(&line, message) == 0)
        write_line(&line);
    buf_done(&line);
}

/* Escapes for JSON; bytes that are not ASCII pass: the message has only UTF-8 left in it, and the
 * fields come from the configuration, which is UTF-8. */
static void add_json_string(struct buf *line, const char *name, const char *value)
{
    (void)buf_addf(line, "%s\"%s\":\"", line->len > 1 ? "," : "", name);
    for (const char *p = value; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\')
            (void)buf_addf(line, "\\%c", c);
        else if (c < 0x20)
            (void)buf_addf(line, "\\u%04x", c);
        else
            (void)buf_add(line, p, 1);
    }
    (void)buf_adds(line, "\"");
}

static void log_json(enum log_level level, const struct log_fields *f, const char *message)
{
    char now[CLOCK_RFC3339_SIZE];
    struct buf line;

    buf_init(&line, 8 * LOG_LINE_MAX);
    (void)buf_adds(&line, "{");
    add_json_string(&line, "time", clock_rfc3339(clock_real(), now));
    add_json_string(&line, "level", levels[level].name);
    add_json_string(&line, "msg", message);
    if (f->service)
        add_json_string(&line, "service", f->service);
    if (f->target)
        add_json_string(&line, "target", f->target);
    if (f->key)
        add_json_string(&line, "key", f->key);
    if (f->result)
        add_json_string(&line, "result", f->result);
    if (f->label)
        add_json_string(&line, "label", f->label);
    if (f->message_id)
        add_json_string(&line, "message_id", f->message_id);
    (void)buf_adds(&line, "}");
    if (line.data)
        write_line(&line);
    buf_done(&line);
}

/* One field of the journal's native protocol, "NAME=value"; nothing when the value is absent. */
static void add_field(struct iovec *iov, int *n, char **ret_text, const char *name,
                      const char *value)
{
    int len;

    *ret_text = NULL;
    if (!value)
        return;
    len = asprintf(ret_text, "%s=%s", name, value);
    if (len < 0) {
        *ret_text = NULL;
        return;
    }
    iov[(*n)++] = (struct iovec){.iov_base = *ret_text, .iov_len = (size_t)len};
}

static void log_journal(enum log_level level, const struct log_fields *f, const char *message)
{
    char priority[2] = {(char)('0' + levels[level].priority), '\0'};
    const struct {
        const char *name, *value;
    } fields[] = {
        {"MESSAGE", message},    {"PRIORITY", priority}, {"SYSLOG_IDENTIFIER", "contraced"},
        {"SERVICE", f->service}, {"TARGET", f->target},  {"KEY", f->key},
        {"RESULT", f->result},   {"LABEL", f->label},    {"MESSAGE_ID", f->message_id},
    };
    struct iovec iov[sizeof(fields) / sizeof(fields[0])];
    char *texts[sizeof(fields) / sizeof(fields[0])];
    int n = 0, r;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        add_field(iov, &n, &texts[i], fields[i].name, fields[i].value);
    r = sd_journal_sendv(iov, n);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        free(texts[i]);
    if (r < 0) /* no journal where one was promised: say it anyway */
        log_text(level, message);
}

/*
 * The bytes of the character at p if it may stand in a line as it is; 0 for control characters,
 * those of C1 among them, and for what is not UTF-8 (RFC 3629, section 4).
 */
static size_t plain_length(const char *p)
{
    size_t n = utf8_length(p, UTF8_MAX);
    unsigned char first = (unsigned char)p[0], second = n == 2 ? (unsigned char)p[1] : 0;
    bool control = first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);

    return control ? 0 : n;
}

/* The message with all else escaped, so that no peer can forge a line or break a collector. */
static void escape_control(struct buf *out, const char *text)
{
    while (*text) {
        size_t n = plain_length(text);

        if (n == 0)
            buf_add_escaped(out, text, 1);
        else if (buf_add(out, text, n) < 0)
            return;
        text += n > 0 ? n : 1;
    }
}

void log_write(enum log_level level, const struct log_fields *fields, const char *fmt, ...)
{
    static const struct log_fields none;
    _cleanup_free_ char *text = NULL;
    int saved = errno, n;
    struct buf message;
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        text = NULL;
    if (!fields)
        fields = &none;
    buf_init(&message, LOG_LINE_MAX);
    escape_control(&message, text ? text : fmt);
    if (log_sink)
        log_sink(log_sink_data, level, fields, buf_str(&message));
    else if (log_format == LOG_FORMAT_JSON)
        log_json(level, fields, buf_str(&message));
    else if (log_format == LOG_FORMAT_JOURNAL)
        log_journal(level, fields, buf_str(&message));
    else
        log_text(level, buf_str(&message));
    buf_done(&message);
    errno = saved;
}
