/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for `contrace summary --json --sandbox -`. The name by which it is called says what it
 * does. If the name begins with "try-", it does so inside the sandbox and prints the result.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/process/sandbox.h"

/* Options of the sanitizers are set here, as the environment is empty: no signal handlers, no leak
 * detection (which looks at other threads). */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_abort=0:detect_leaks=0:allocator_may_return_null=1";
}

static int summary(const char *label, const char *evidence)
{
    (void)printf("{\"schema\": 1, \"format\": 26, \"complete\": true, \"window_ns\": 200000000,"
                 " \"procs\": {\"n\": 2, \"busy\": 0.5}, \"sites\": [{\"stack\": [\"main.main\"]}],"
                 " \"findings\": [{\"code\": \"%s\", \"score\": 0.8, \"evidence\": {%s},"
                 " \"sites\": [\"main.lock\"], \"next\": \"Look there.\"}], \"label\": \"%s\"}\n",
                 label, evidence, label);
    return EXIT_SUCCESS;
}

static int ill(void)
{
    char block[65536];
    size_t bytes = 0;
    ssize_t n;
    char evidence[64];

    while ((n = read(0, block, sizeof(block))) > 0)
        bytes += (size_t)n;
    (void)snprintf(evidence, sizeof(evidence), "\"read_bytes\": %zu", bytes);
    return n < 0 ? EXIT_FAILURE : summary("lock-contention", evidence);
}

static int part_of(const char *why)
{
    (void)printf("{\"schema\": 1, \"complete\": false, \"window_ns\": 29800000, \"findings\": [],"
                 " \"covered\": 0.0149, \"label\": \"not-inspected\", \"not_inspected\": \"%s\"}\n",
                 why);
    return EXIT_FAILURE;
}

static int partial(void)
{
    return part_of("partial");
}

static int too_short(void)
{
    return part_of("too-short");
}

/* Counts what it was called with: the words, the bytes of the context, and the names in it. */
static int arguments(void)
{
    FILE *f = fopen("/proc/self/cmdline", "r");
    char text[8192], evidence[96];
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0, context = 0;
    unsigned words = 0, names = 0;

    text[n] = '\0';
    for (const char *word = text; word < text + n; word += strlen(word) + 1, words++) {
        if (strncmp(word, "--context=", 10) == 0) {
            context = strlen(word + 10);
            names = strstr(word, "level\"") != NULL;
        }
    }
    (void)snprintf(evidence, sizeof(evidence), "\"words\": %u, \"context\": %zu, \"names\": %u",
                   words, context, names);
    if (f)
        (void)fclose(f);
    return summary("lock-contention", evidence);
}

static int healthy(void)
{
    return summary("healthy", "");
}

__attribute__((noreturn)) static int hang(void)
{
    for (;;)
        (void)pause();
}

__attribute__((noreturn)) static int spin(void)
{
    for (volatile unsigned i = 0;; i++)
        ;
}

static int crash(void)
{
    (void)raise(SIGSEGV);
    return EXIT_SUCCESS;
}

static int killed(void)
{
    (void)raise(SIGKILL);
    return EXIT_SUCCESS;
}

static int garbage(void)
{
    (void)puts("Hello \"label\": \"healthy\"");
    return EXIT_SUCCESS;
}

static int half(void)
{
    (void)fputs("{\"schema\": 1, \"label\": \"hea", stdout);
    return EXIT_SUCCESS;
}

static int evil(void)
{
    (void)puts("{\"schema\": 1, \"label\": \"x\\u001b[31m\\r\\nX-Header: y\"}");
    return EXIT_SUCCESS;
}

__attribute__((noreturn)) static int endless(void)
{
    for (;;)
        (void)puts("{\"schema\": 1}");
}

static int refuse(void)
{
    (void)fputs("-: not a Go execution trace, offset 0\nmore\n", stderr);
    return 1;
}

static int format(void)
{
    return SANDBOX_EXIT_FORMAT;
}

static int usage(void)
{
    return 2;
}

/* Allocates until there is no memory left. */
static int memory(void)
{
    size_t step = (size_t)8 << 20, total = 0;
    char *p;

    while ((p = malloc(step))) {
        memset(p, 1, step);
        total += step;
    }
    (void)fprintf(stderr, "%zu MiB were too little\n", total >> 20);
    return SANDBOX_EXIT_MEMORY;
}

/* Leaves a child behind that keeps the output open as long as somebody reads it. */
static int leave_behind(void)
{
    if (fork() == 0) {
        struct pollfd output = {.fd = 1}; /* POLLERR comes unasked */

        (void)poll(&output, 1, -1);
        _exit(0);
    }
    return healthy();
}

/* Reports its limits, descriptors and so on as evidence. */
static int look(void)
{
    struct rlimit data, cpu, files;
    char text[256];
    int open_fds = 0;

    for (int fd = 0; fd < 1024; fd++)
        open_fds += fcntl(fd, F_GETFD) >= 0;
    (void)getrlimit(RLIMIT_DATA, &data);
    (void)getrlimit(RLIMIT_CPU, &cpu);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    (void)snprintf(text, sizeof(text),
                   "\"fds\": %d, \"data\": %llu, \"cpu\": %llu, \"policy\": %d, \"env\": %d",
                   open_fds, (unsigned long long)data.rlim_cur, (unsigned long long)cpu.rlim_cur,
                   sched_getscheduler(0), environ && environ[0] ? 1 : 0);
    return summary("lock-contention", text);
}

static int try_read(void)
{
    char block[4096];
    char *p = malloc((size_t)16 << 20);

    if (!p)
        return -1;
    memset(p, 1, (size_t)16 << 20);
    free(p);
    while (read(0, block, sizeof(block)) > 0)
        ;
    return 0;
}

static int try_open(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static int try_create(void)
{
    return open("/tmp/inspectee", O_WRONLY | O_CREAT, 0600);
}

static int try_unlink(void)
{
    return unlink("/tmp/inspectee");
}

static int try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int try_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_execve(void)
{
    char *const argv[] = {(char *)"/bin/true", NULL};

    return execve(argv[0], argv, NULL);
}

static int try_fork(void)
{
    return fork();
}

static int try_kill(void)
{
    return kill(getppid(), SIGTERM);
}

static int try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
             ? -1
             : 0;
}

static int try_unlimit(void)
{
    return setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* SIGABRT must end the process: otherwise a failed assertion would be an endless loop. */
__attribute__((noreturn)) static int try_abort(void)
{
    abort();
}

static const struct {
    const char *name;
    int (*fn)(void);
} plain[] =
    {
        {"ill", ill},
        {"healthy", healthy},
        {"partial", partial},
        {"too-short", too_short},
        {"hang", hang},
        {"spin", spin},
        {"crash", crash},
        {"killed", killed},
        {"garbage", garbage},
        {"half", half},
        {"evil", evil},
        {"endless", endless},
        {"refuse", refuse},
        {"format", format},
        {"usage", usage},
        {"memory", memory},
        {"look", look},
        {"leave-behind", leave_behind},
        {"arguments", arguments},
    },
  confined[] = {
      {"try-read", try_read},     {"try-open", try_open},       {"try-create", try_create},
      {"try-unlink", try_unlink}, {"try-socket", try_socket},   {"try-unix", try_unix},
      {"try-execve", try_execve}, {"try-fork", try_fork},       {"try-kill", try_kill},
      {"try-code", try_code},     {"try-unlimit", try_unlimit}, {"try-abort", try_abort},
  };

static int run_confined(int (*fn)(void))
{
    char text[64];
    int r;

    if (sandbox_enter() < 0)
        return SANDBOX_EXIT_UNCONFINED;
    errno = 0;
    r = fn();
    (void)snprintf(text, sizeof(text), "\"result\": %d, \"errno\": %d", r < 0 ? -1 : 0,
                   r < 0 ? errno : 0);
    return summary("lock-contention", text);
}

static int do_as_named(const char *name)
{
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (strcmp(name, plain[i].name) == 0)
            return plain[i].fn();
    }
    for (size_t i = 0; i < sizeof(confined) / sizeof(confined[0]); i++) {
        if (strcmp(name, confined[i].name) == 0)
            return run_confined(confined[i].fn);
    }
    return 2;
}

/* Ends by _exit, without exit handlers: with --coverage these write files, which the sandbox
 * forbids. */
int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    int status = do_as_named(slash ? slash + 1 : "");

    (void)fflush(stdout);
    _exit(status);
}
