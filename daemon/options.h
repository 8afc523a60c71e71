/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command line. Options override the configuration file. If targets are given and no file is
 * named, no file is read.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"
#include "lib/config/config.h"

struct options {
    const char *config_file; /* NULL: not given */
    const char **targets;    /* values of --target, in order; borrowed from argv */
    size_t n_targets;
    const char *storage_path;   /* NULL: not given */
    const char *upload_url;     /* the same; "": no upload */
    const char *listen_address; /* the same */
    usec interval, window;      /* 0: not given */
    bool has_log_level, has_log_format;
    enum log_level log_level;
    enum log_format log_format;
    bool once;
    bool check_config, probe;
};

/*
 * Parses argv. 0: go on. 1: the program is done (--help, --version). -EINVAL: usage error, after a
 * message on stderr.
 */
int options_parse(int argc, char **argv, struct options *ret);
void options_done(struct options *o);

/*
 * Loads the configuration from file and options together, and checks it; if there is an upload.url,
 * store_check must accept it. Connects to nothing. Starts, reloads and --check-config all use these
 * same checks. Errors are added to `d`. 0 or a negative errno. *ret_file is the file that was read,
 * borrowed, or NULL.
 */
int options_load(const struct options *o, struct config **ret, const char **ret_file,
                 struct diags *d);
