/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "daemon/daemon.h"
#include "daemon/options.h"
#include "daemon/probe.h"
#include "daemon/source/discovery.h"
#include "daemon/source/survey.h"
#include "lib/store/credential/creddoc.h"

#define EXIT_USAGE 2

/*
 * Memory may hold secrets, so it must not go to a core file or to another process of the same user.
 */
static void forbid_dumps(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Each capture in flight takes two descriptors, so the soft limit is raised to the hard limit. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/*
 * Has the buffers of a capture (256 and 64 KiB) go back to the system when it ends. By default
 * glibc would soon take them from the heap and leave holes in it: mallopt(3), M_MMAP_THRESHOLD.
 */
static void return_large_buffers(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 48 << 10);
}

/*
 * A store's thread may outlive main(): main does not wait for a call that was cancelled, as its
 * disk may hang. The thread may be hashing, so OpenSSL must not free its tables at exit. This call
 * must be the first use of OpenSSL: OPENSSL_init_crypto(3).
 */
static void keep_openssl_at_exit(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/* Checks that only --check-config makes: the daemon itself goes on without a broken file of
 * targets. */
static int check_files(const struct config *config, const char *name, bool probes)
{
    struct diags diags = {0};
    bool good;

    discovery_check(config, stderr, &diags);
    good = diags_count(&diags) == 0;
    diags_print(&diags, stderr);
    diags_done(&diags);
    if (good) {
        int r = survey_print(config, stdout);

        if (r < 0)
            (void)fprintf(stderr, "contraced: the targets cannot be listed: %s\n", strerror(-r));
        good = r == 0;
    }
    if (good && probes) {
        int r = probe(config, stderr);

        if (r < 0)
            (void)fprintf(stderr, "contraced: the targets cannot be asked: %s\n", strerror(-r));
        good = r == 0;
    }
    if (good)
        (void)printf("%s: good\n", name);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct options *options)
{
    struct config *config = NULL;
    struct daemon *daemon = NULL;
    struct diags diags = {0};
    const char *file = NULL;
    int r = options_load(options, &config, &file, &diags);

    if (r < 0 && diags_count(&diags) == 0)
        (void)fprintf(stderr, "contraced: %s\n", strerror(-r));
    diags_print(&diags, stderr);
    diags_done(&diags);
    if (r < 0)
        return EXIT_FAILURE;
    if (options->check_config) {
        r = check_files(config, file ? file : "contraced", options->probe);
        config_free(config);
        return r;
    }
    log_set_level(config->log_level);
    log_set_format(config->log_format);
    if (daemon_new(options, config, file, &daemon) < 0)
        return EXIT_FAILURE;
    r = daemon_run(daemon);
    daemon_free(daemon);
    return r;
}

/* The exit status. Fails if standard output could not be written. */
static int finish(int status)
{
    if (status == EXIT_SUCCESS && (fflush(stdout) != 0 || ferror(stdout))) {
        (void)fprintf(stderr, "contraced: cannot write to standard output: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    int r = options_parse(argc, argv, &options);

    if (r != 0)
        return finish(r < 0 ? EXIT_USAGE : EXIT_SUCCESS);
    log_set_format(LOG_FORMAT_AUTO);
    forbid_dumps();
    keep_openssl_at_exit();
    creddoc_setup();
    raise_descriptor_limit();
    return_large_buffers();
    r = run(&options);
    options_done(&options);
    return finish(r);
}
