/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outcome/outcome.h"

#include <errno.h>

/* What an outcome says about the target. */
enum kind {
    KIND_PUBLISHED,
    KIND_FAILED,
    KIND_ABSENT,  /* there is nothing to capture, which is no failure */
    KIND_NEUTRAL, /* nothing */
    KIND_PATIENT, /* nothing at first; a failure if no other outcome came for an interval */
};

static const struct row {
    const char *name;
    enum kind kind;
    enum outcome_retry retry;
    const char *hint;
} table[] = {
    [OUTCOME_OK] = {"ok", KIND_PUBLISHED, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_TRUNCATED] = {"truncated", KIND_PUBLISHED, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_SHORT] = {"short", KIND_PUBLISHED, OUTCOME_RETRY_NEXT,
                       "; the service answers with less than `seconds` of trace: does `path` "
                       "lead to net/http/pprof, and does that get `seconds`?"},
    [OUTCOME_EMPTY] = {"empty", KIND_PUBLISHED, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_BUSY] =
        {"busy", KIND_PATIENT, OUTCOME_RETRY_BUSY,
         "; somebody else traces it all the time: look for another tracer (dd-trace-go, the flight "
         "recorder of golang.org/x/exp/trace, a second contraced) and for trace.Start in the "
         "program"},
    [OUTCOME_SKIPPED] = {"skipped", KIND_NEUTRAL, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_DNS] = {"dns", KIND_FAILED, OUTCOME_RETRY_DOWN, ""},
    [OUTCOME_CONNECT] = {"connect", KIND_FAILED, OUTCOME_RETRY_DOWN, ""},
    [OUTCOME_TLS] = {"tls", KIND_FAILED, OUTCOME_RETRY_NEXT,
                     "; check tls_config (ca_file, server_name)"},
    [OUTCOME_TIMEOUT] = {"timeout", KIND_FAILED, OUTCOME_RETRY_NEXT,
                         "; if the service is only slow, raise scrape_timeout"},
    [OUTCOME_CLOSED] = {"closed", KIND_FAILED, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_PROTOCOL] = {"protocol", KIND_FAILED, OUTCOME_RETRY_NEXT,
                          "; is this the address of net/http/pprof?"},
    [OUTCOME_REDIRECT] =
        {"redirect", KIND_FAILED, OUTCOME_RETRY_NEXT,
         "; redirects are not followed: set the target, scheme and path to where it "
         "really is"},
    [OUTCOME_UNAUTHORIZED] = {"unauthorized", KIND_FAILED, OUTCOME_RETRY_NEXT,
                              "; check basic_auth or authorization"},
    [OUTCOME_WRITE_TIMEOUT] =
        {"write_timeout", KIND_FAILED, OUTCOME_RETRY_NEXT,
         "; set `seconds` below the http.Server's WriteTimeout (1.9 instead of "
         "2), or raise WriteTimeout"},
    [OUTCOME_HTTP_STATUS] = {"http_status", KIND_FAILED, OUTCOME_RETRY_NEXT,
                             "; does the service serve net/http/pprof at this path?"},
    [OUTCOME_MISSING] = {"missing", KIND_ABSENT, OUTCOME_RETRY_NEXT,
                         "; does the service serve all of net/http/pprof? If its profiles are at "
                         "another path, set profiles_path"},
    [OUTCOME_IN_USE] = {"in_use", KIND_ABSENT, OUTCOME_RETRY_NEXT,
                        "; a process has one CPU profiler: another is at work (Pyroscope, Parca, "
                        "Datadog, a second contraced, somebody with go tool pprof)"},
    [OUTCOME_NOT_READY] =
        {"not_ready", KIND_PATIENT, OUTCOME_RETRY_BUSY,
         "; a flight recorder that has only just started has no past yet: ask again after a few "
         "seconds. If it is always so, the service's answer says why"},
    [OUTCOME_NOT_A_TRACE] = {"not_a_trace", KIND_FAILED, OUTCOME_RETRY_NEXT,
                             "; does the service serve net/http/pprof at this path?"},
    [OUTCOME_NOT_A_PROFILE] = {"not_a_profile", KIND_FAILED, OUTCOME_RETRY_NEXT,
                               "; does the service serve net/http/pprof at this path?"},
    [OUTCOME_INCOMPLETE] = {"incomplete", KIND_FAILED, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_CREDENTIALS] = {"credentials", KIND_FAILED, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_NO_SPACE] = {"no_space", KIND_NEUTRAL, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_STORAGE] = {"storage", KIND_NEUTRAL, OUTCOME_RETRY_NEXT, ""},
    [OUTCOME_RESOURCES] = {"resources", KIND_FAILED, OUTCOME_RETRY_DOWN,
                           "; raise the limit that is short, LimitNOFILE or MemoryMax, or lower "
                           "max_concurrent_captures"},
    [OUTCOME_CANCELLED] = {"cancelled", KIND_NEUTRAL, OUTCOME_RETRY_NEXT, ""},
};

_Static_assert(sizeof(table) / sizeof(table[0]) == OUTCOME_COUNT, "one row for each outcome");

const char *outcome_name(enum outcome o)
{
    return table[o].name;
}

enum outcome outcome_of_errno(int r)
{
    switch (-r) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return OUTCOME_NO_SPACE;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return OUTCOME_RESOURCES;
    default: return OUTCOME_STORAGE;
    }
}

bool outcome_published(enum outcome o)
{
    return table[o].kind == KIND_PUBLISHED;
}

bool outcome_failed(enum outcome o)
{
    return table[o].kind == KIND_FAILED || table[o].kind == KIND_PATIENT;
}

bool outcome_absent(enum outcome o)
{
    return table[o].kind == KIND_ABSENT;
}

bool outcome_tells(enum outcome o)
{
    return table[o].kind != KIND_NEUTRAL;
}

bool outcome_patient(enum outcome o)
{
    return table[o].kind == KIND_PATIENT;
}

enum outcome_retry outcome_retry(enum outcome o)
{
    return table[o].retry;
}

const char *outcome_hint(enum outcome o)
{
    return table[o].hint;
}
