/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"

#define LINE_MAX_BYTES 4096
#define WIDTH_DEFAULT 80

void screen_start(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

/* A backslash stays as it is: what others sent is escaped already where it is quoted. */
static void add_visible(struct buf *line, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            (void)buf_add(line, text, 1);
        else
            buf_add_escaped(line, text, 1);
    }
}

void complain(const char *fmt, ...)
{
    char text[LINE_MAX_BYTES], escaped[4 * LINE_MAX_BYTES];
    struct buf line;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    buf_over(&line, escaped, sizeof(escaped)); /* it may be said that memory is short */
    add_visible(&line, text);
    (void)fprintf(stderr, "contrace: %s\n", buf_str(&line));
}

int complain_memory(void)
{
    complain("not enough memory");
    return -ENOMEM;
}

unsigned screen_width(FILE *f)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int fd = fileno(f);

    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return columns && atoi(columns) > 0 ? (unsigned)atoi(columns) : WIDTH_DEFAULT;
}

bool screen_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(f)) && (!no || !*no) && term && strcmp(term, "dumb") != 0;
}

bool screen_utf8(void)
{
    (void)setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool screen_reader_left(void)
{
    struct pollfd pipe = {.fd = fileno(stdout)};

    return ferror(stdout) && poll(&pipe, 1, 0) == 1 && (pipe.revents & (POLLERR | POLLHUP));
}

int screen_finish(void)
{
    int r = fflush(stdout) < 0 ? -errno : ferror(stdout) ? -EIO : 0;

    if (r < 0 && screen_reader_left())
        return -EPIPE;
    if (r < 0)
        complain("cannot write to standard output: %s", strerror(-r));
    return r;
}
