/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lib/net/listen.h"
#include "lib/config/upload_url.h"
#include "lib/process/callfilter.h"
#include "lib/process/landlock.h"
#include "lib/spool/spool.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define TEXT_MAX 8192
#define DIRECTORY_MAX 4096

struct confinement {
    bool files;                /* Landlock is in force */
    char *sockets[LISTEN_MAX]; /* directories where a socket may be made */
    size_t n_sockets;
};

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

/* Calls that look into other processes, change the machine, or open more of the kernel to an
 * attacker. */
static const int refused[] = {
    SCMP_SYS(acct),
    SCMP_SYS(add_key),
    SCMP_SYS(adjtimex),
    SCMP_SYS(bpf),
    SCMP_SYS(chroot),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_settime),
    SCMP_SYS(delete_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fspick),
    SCMP_SYS(init_module),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(ioperm),
    SCMP_SYS(iopl),
    SCMP_SYS(kcmp),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(mount),
    SCMP_SYS(move_mount),
    SCMP_SYS(move_pages),
    SCMP_SYS(open_tree),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(personality),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(quotactl),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(reboot),
    SCMP_SYS(request_key),
    SCMP_SYS(setdomainname),
    SCMP_SYS(sethostname),
    SCMP_SYS(setns),
    SCMP_SYS(settimeofday),
    SCMP_SYS(swapoff),
    SCMP_SYS(swapon),
    SCMP_SYS(syslog),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(vhangup),
#if !SANITIZED /* the sanitizers trace their own threads */
    SCMP_SYS(ptrace),
#endif
};

/* Index of the flags in the arguments of the system call; it depends on the machine: clone(2). */
#ifdef __s390x__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

/*
 * Refuses new namespaces, as in them an unprivileged process has privileges. A filter cannot see
 * the flags of clone3, so clone3 fails as if the kernel did not have it; the C library then uses
 * clone.
 */
static int refuse_namespaces(scmp_filter_ctx filter)
{
    static const unsigned flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                     CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    for (size_t i = 0; r == 0 && i < N(flags); i++) {
        const struct scmp_arg_cmp set = {
            .arg = CLONE_FLAGS, .op = SCMP_CMP_MASKED_EQ, .datum_a = flags[i], .datum_b = flags[i]};

        r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &set);
    }
    return r;
}

static int refuse_calls(void)
{
    scmp_filter_ctx filter;
    int r = callfilter_new(SCMP_ACT_ALLOW, &filter);

    if (r < 0)
        return r;
    r = callfilter_add(filter, SCMP_ACT_ERRNO(EPERM), refused, N(refused));
    if (r == 0)
        r = refuse_namespaces(filter);
    return callfilter_enforce(filter, r);
}

#define OF_FILES                                                                                   \
    (LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_MAKE_REG | LANDLOCK_FS_MAKE_DIR | \
     LANDLOCK_FS_REMOVE_FILE | LANDLOCK_FS_REMOVE_DIR | LANDLOCK_FS_REFER)
#define OF_SOCKETS (LANDLOCK_FS_MAKE_SOCK | LANDLOCK_FS_REMOVE_FILE)
#define OF_NOBODY \
    (LANDLOCK_FS_MAKE_CHAR | LANDLOCK_FS_MAKE_BLOCK | LANDLOCK_FS_MAKE_FIFO | LANDLOCK_FS_MAKE_SYM)

/* Allows these rights below a directory. -ENOENT when it does not exist; then nothing has to be
 * allowed. */
static int allow_below(int ruleset, const char *path, uint64_t rights)
{
    _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : landlock_allow(ruleset, fd, rights);
}

/* Shortens a path to its directory, or to the nearest existing one above that. */
static void to_directory(char *path)
{
    do {
        char *slash = strrchr(path, '/');

        slash[slash == path] = '\0';
    } while (path[1] && access(path, F_OK) < 0);
}

/* The directories in which a configuration has its unix sockets, at most `max`. The caller frees
 * each. */
static size_t socket_directories(const struct config *config, char **out, size_t max)
{
    struct listen_list list = {.n = 0};
    const char *why;
    size_t n = 0;

    (void)listen_parse_list(config->web.listen_address, &list, &why);
    for (size_t i = 0; i < list.n && n < max; i++) {
        if (list.items[i].sa.any.sa_family != AF_UNIX)
            continue;
        out[n] = strdup(list.items[i].sa.un.sun_path);
        if (!out[n])
            break;
        to_directory(out[n++]);
    }
    return n;
}

static int allow_own(int ruleset, struct confinement *c, const struct config *config)
{
    int r;

    (void)spool_prepare(config->storage.path); /* on failure the spool logs the reason later */
    r = allow_below(ruleset, config->storage.path, OF_FILES);
    c->n_sockets = socket_directories(config, c->sockets, N(c->sockets));
    for (size_t i = 0; (r == 0 || r == -ENOENT) && i < c->n_sockets; i++)
        r = allow_below(ruleset, c->sockets[i], OF_SOCKETS);
    /* The inspector's child writes to /proc to be the first that is killed when memory runs out.
     * Not as root, who could then write to all of /proc/sys. */
    if ((r == 0 || r == -ENOENT) && geteuid() != 0)
        r = allow_below(ruleset, "/proc", LANDLOCK_FS_WRITE_FILE);
    return r == -ENOENT ? 0 : r;
}

static int refuse_files(struct confinement *c, const struct config *config)
{
    const struct landlock_rights handled = {.fs = OF_FILES | OF_SOCKETS | OF_NOBODY,
                                            .scope = LANDLOCK_SCOPED_SIGNALS};
    _cleanup_close_ int ruleset = -1;
    int r;

    /* Version 1 forbids every rename to another directory. */
    if (landlock_version() < 2)
        return -ENOSYS;
    ruleset = landlock_new(&handled);
    r = ruleset < 0 ? ruleset : allow_own(ruleset, c, config);
    return r < 0 ? r : landlock_enforce(ruleset);
}

static bool store_is_directory(const struct config *config)
{
    return config->upload.url && upload_url_scheme(config->upload.url) == UPLOAD_FILE;
}

static void describe_files(const struct confinement *c, const struct config *config,
                           const char *why_not, struct buf *text)
{
    if (!c->files) {
        (void)buf_addf(text, "Landlock is not used: %s", why_not);
        return;
    }
    (void)buf_addf(text, "files are written below %s only", config->storage.path);
    for (size_t i = 0; i < c->n_sockets; i++)
        (void)buf_addf(text, "%s%s", i == 0 ? ", sockets in " : ", ", c->sockets[i]);
}

static void say(const struct confinement *c, const struct config *config, int calls,
                const char *why_not)
{
    char memory[TEXT_MAX];
    struct buf text;

    buf_over(&text, memory, sizeof(memory));
    if (calls < 0)
        (void)buf_addf(&text, "system calls are not filtered: %s; ", strerror(-calls));
    else
        (void)buf_adds(&text, "system calls are filtered; ");
    describe_files(c, config, why_not, &text);
    log_info("confined: %s", buf_str(&text));
}

/* True in a container with its own PID namespace, or where /proc hides other processes: proc(5),
 * hidepid. */
bool confinement_alone(void)
{
    struct stat st;

    return getpid() == 1 || stat("/proc/1", &st) < 0;
}

/* Puts Landlock in force. NULL, or why it is not. */
static const char *try_files(struct confinement *c, const struct config *config, bool alone)
{
    int r;

    if (!alone)
        return "it would hide the process behind a port";
    if (store_is_directory(config))
        return "upload.url is a directory";
    r = refuse_files(c, config);
    c->files = r == 0;
    if (r == -ENOSYS)
        return "this kernel has none, or an old one";
    return r < 0 ? strerror(-r) : NULL;
}

int confinement_enter(const struct config *config, bool alone, struct confinement **ret)
{
    struct confinement *c = calloc(1, sizeof(*c));
    const char *why_not = "no_new_privs is refused";
    int calls;

    if (!c)
        return -ENOMEM;
    calls = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
    if (calls == 0) {
        why_not = try_files(c, config, alone);
        calls = refuse_calls();
    }
    say(c, config, calls, why_not);
    *ret = c;
    return 0;
}

void confinement_free(struct confinement *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_sockets; i++)
        free(c->sockets[i]);
    free(c);
}

static bool allowed_socket(const struct confinement *c, const char *directory)
{
    for (size_t i = 0; i < c->n_sockets; i++) {
        size_t n = strlen(c->sockets[i]);

        if (strncmp(directory, c->sockets[i], n) == 0 &&
            (n == 1 || directory[n] == '/' || !directory[n]))
            return true;
    }
    return false;
}

void confinement_check(const struct confinement *c, const struct config *config)
{
    char *directories[LISTEN_MAX];
    size_t n;

    if (!c->files)
        return;
    if (store_is_directory(config))
        log_warn("contraced has confined itself and cannot write to %s until it is restarted",
                 config->upload.url);
    n = socket_directories(config, directories, N(directories));
    for (size_t i = 0; i < n; i++) {
        if (!allowed_socket(c, directories[i]))
            log_warn("contraced has confined itself and cannot make a socket in %s until it is "
                     "restarted",
                     directories[i]);
        free(directories[i]);
    }
}
