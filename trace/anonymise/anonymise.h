/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A trace of Go 1.22 and later with pseudonyms in the place of its names: each generation's strings are
 * written anew, all other batches are copied. What events say, their times and their numbers stay. A
 * generation is read three times, and of it the functions' names and files are remembered; see usage.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/anonymise/pseudonym.h"

struct anonymise_output {
    int (*write)(void *userdata, const void *data, size_t n); /* 0 or a negative errno */
    void *userdata;
    int error; /* what write returned; 0: it did not fail */
};

struct anonymise_fault {
    uint64_t offset;
    const char *text; /* static */
};

/*
 * Reads the file from its begin, and writes it. 0; -EBADMSG, -ENODATA, -ENOTSUP: the trace is at fault,
 * as ret_fault says; -E2BIG: it has too many names; or what the file, the digest or the output failed
 * with. Unless it is 0, what was written is not whole.
 */
int anonymise_trace(int fd, struct pseudonyms *p, uint64_t seed, struct anonymise_output *out,
                    struct anonymise_fault *ret_fault);
