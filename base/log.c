/* SPDX-License-Identifier: Apache-2.0 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonwriter.h"
#include "base/utf8.h"

/* A line is cut here: the message may quote what a peer sent. */
#define LOG_LINE_MAX 4096

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static enum log_level log_level = LOG_LEVEL_INFO;
static enum log_format log_format = LOG_FORMAT_TEXT;
static log_sink_fn log_sink;
static void *log_sink_data;
static bool log_cut; /* the last line was cut while it was written */

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

/*
 * A line is made in memory on the stack, so it never fails for want of memory. If a full disk cut a
 * line, the next one starts with a line feed.
 */
static void write_line(const struct buf *line)
{
    size_t done = log_cut ? 0 : 1; /* bytes written; the first is the line feed in front */

    while (done < line->len) {
        ssize_t n = write(STDERR_FILENO, line->data + done, line->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        log_cut = true;
        done += (size_t)n;
    }
    if (done == line->len)
        log_cut = false;
}

static void line_init(struct buf *line, char *memory, size_t size)
{
    buf_over(line, memory, size);
    (void)buf_add(line, "\n", 1); /* see write_line */
}

static void log_text(enum log_level level, const char *message)
{
    char now[CLOCK_RFC3339_SIZE], memory[LOG_LINE_MAX + 64];
    struct buf line;

    line_init(&line, memory, sizeof(memory));
    (void)buf_addf(&line, "%s %-5s ", clock_rfc3339(clock_real(), now), levels[level].name);
    (void)buf_addf(&line, "%s\n", message);
    write_line(&line);
}

/* Bytes above ASCII pass: the message was made UTF-8 before, and fields come from the
 * configuration, which is UTF-8. */
static void put_json(struct buf *line, enum log_level level, const struct log_fields *f,
                     const char *message)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        {"service", f->service}, {"target", f->target}, {"key", f->key},
        {"result", f->result},   {"label", f->label},   {"message_id", f->message_id},
    };
    char now[CLOCK_RFC3339_SIZE];
    struct jsonwriter w;

    jsonwriter_init(&w, line, (struct jsonwriter_style){.digits = 17});
    jsonwriter_object(&w, NULL);
    jsonwriter_text(&w, "time", clock_rfc3339(clock_real(), now));
    jsonwriter_text(&w, "level", levels[level].name);
    jsonwriter_text(&w, "msg", message);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].value)
            jsonwriter_text(&w, fields[i].name, fields[i].value);
    }
    jsonwriter_end(&w);
    (void)buf_adds(line, "\n");
}

static void log_json(enum log_level level, const struct log_fields *f, const char *message)
{
    static const struct log_fields none;
    char memory[8 * LOG_LINE_MAX];
    struct buf line;

    line_init(&line, memory, sizeof(memory));
    put_json(&line, level, f, message);
    if (buf_error(&line) < 0) { /* the fields are too long: the message alone fits */
        line_init(&line, memory, sizeof(memory));
        put_json(&line, level, &none, message);
    }
    write_line(&line);
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
    char memory[4 * LOG_LINE_MAX];
    struct buf text;
    int n = 0;

    buf_over(&text, memory, sizeof(memory));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t start = text.len;

        if (!fields[i].value || buf_addf(&text, "%s=%s", fields[i].name, fields[i].value) < 0)
            continue;
        iov[n++] = (struct iovec){.iov_base = text.data + start, .iov_len = text.len - start};
    }
    if (sd_journal_sendv(iov, n) < 0) /* the journal did not take it: write to stderr */
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

/* Appends the message, with everything escaped that is not plain, so that no peer can forge a line
 * or break a collector. */
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
    /* Room for a character that starts just where the message is cut. */
    char text[LOG_LINE_MAX + UTF8_MAX], memory[LOG_LINE_MAX + 1];
    int saved = errno;
    struct buf message;
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!fields)
        fields = &none;
    buf_over(&message, memory, sizeof(memory));
    escape_control(&message, text);
    if (log_sink)
        log_sink(log_sink_data, level, fields, buf_str(&message));
    else if (log_format == LOG_FORMAT_JSON)
        log_json(level, fields, buf_str(&message));
    else if (log_format == LOG_FORMAT_JOURNAL)
        log_journal(level, fields, buf_str(&message));
    else
        log_text(level, buf_str(&message));
    errno = saved;
}
