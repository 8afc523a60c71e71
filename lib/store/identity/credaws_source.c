/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/store/identity/credaws_state.h"
#include "lib/store/identity/credplan.h"

int credaws_refuse(const struct credaws *w, int error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(w->why, w->why_size, fmt, ap);
    va_end(ap);
    return error;
}

int credaws_no_memory(const struct credaws *w)
{
    return credaws_refuse(w, -ENOMEM, "%s", strerror(ENOMEM));
}

int credaws_make(struct credaws *w, const char *access, const char *secret, const char *token,
                 usec expiry, const char *where)
{
    int r = secret_make(access, secret, token, expiry, &w->route->secrets);

    if (r == -ENOMEM)
        return credaws_no_memory(w);
    return r < 0 ? credaws_refuse(w, r,
                                  "%s: a key or the token is empty, too long, or has blanks or "
                                  "characters that no key has",
                                  where)
                 : 1;
}

int credaws_environment(struct credaws *w)
{
    const char *access = credroute_env("AWS_ACCESS_KEY_ID");
    const char *secret = credroute_env("AWS_SECRET_ACCESS_KEY");
    const char *token = credroute_env("AWS_SESSION_TOKEN");
    const char *old = credroute_env("AWS_SECURITY_TOKEN");
    const char *until = credroute_env("AWS_CREDENTIAL_EXPIRATION");
    usec expiry = USEC_NEVER;

    if (!access && !secret)
        return 0;
    if (!access || !secret)
        return credaws_refuse(w, -EINVAL,
                              "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set");
    if (token && old && strcmp(token, old) != 0)
        return credaws_refuse(w, -EINVAL,
                              "AWS_SESSION_TOKEN and AWS_SECURITY_TOKEN are not the same: unset "
                              "the latter");
    if (until && clock_parse_rfc3339(until, &expiry) < 0)
        return credaws_refuse(w, -EINVAL, "AWS_CREDENTIAL_EXPIRATION is not a time");
    (void)snprintf(w->route->label, sizeof(w->route->label), "the environment (AWS_ACCESS_KEY_ID)");
    return credaws_make(w, access, secret, token ? token : old, expiry, "the environment");
}

int credaws_container(struct credaws *w)
{
    const char *relative = credroute_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = credroute_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *file = credroute_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    char url[CREDPLAN_URL_SIZE];
    struct credstep *s;
    int r;

    if (!relative && !full)
        return 0;
    r = credplan_container_url(relative, full, url, w->why, w->why_size);
    if (r < 0)
        return r;
    (void)snprintf(w->route->label, sizeof(w->route->label), "the container's endpoint");
    s = credroute_add(w->route, CREDSERVICE_CONTAINER, REACH_NEAR);
    if (!s || credstep_set(s, CREDSTEP_URL, url) < 0 || credstep_set(s, CREDSTEP_FILE, file) < 0 ||
        credstep_set(s, CREDSTEP_ORIGIN, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") < 0 ||
        credstep_set(s, CREDSTEP_TOKEN, credroute_env("AWS_CONTAINER_AUTHORIZATION_TOKEN")) < 0)
        return credaws_no_memory(w);
    return 1;
}

static int imds_url(struct credaws *w, char url[AWS_ENDPOINT_SIZE])
{
    const char *mode = awsprofile_setting(w->profile, AWS_IMDS_MODE);
    const char *endpoint = awsprofile_setting(w->profile, AWS_IMDS_ENDPOINT);
    char where[AWSPROFILE_WHERE_SIZE];
    bool six;
    int r = awsprofile_flag(w->profile, AWS_IMDS_V6, &six, w->why, w->why_size);

    if (r < 0)
        return r;
    awsprofile_where(w->profile, endpoint ? AWS_IMDS_ENDPOINT : AWS_IMDS_MODE, where);
    if (endpoint) {
        r = awsprofile_url(endpoint, where, url, w->why, w->why_size);
        return r < 0 ? r : credplan_secret_url(url, true, where, w->why, w->why_size);
    }
    if (mode && strcasecmp(mode, "ipv4") != 0 && strcasecmp(mode, "ipv6") != 0)
        return credaws_refuse(w, -EINVAL, "%s is neither IPv4 nor IPv6", where);
    six = mode ? strcasecmp(mode, "ipv6") == 0 : six;
    (void)snprintf(url, AWS_ENDPOINT_SIZE, "http://%s",
                   six ? "[fd00:ec2::254]" : "169.254.169.254");
    return 0;
}

int credaws_imds(struct credaws *w)
{
    char url[AWS_ENDPOINT_SIZE];
    struct credstep *s;
    bool off;
    int r = awsprofile_flag(w->profile, AWS_IMDS_DISABLED, &off, w->why, w->why_size);

    if (r < 0 || off)
        return r;
    r = imds_url(w, url);
    if (r < 0)
        return r;
    (void)snprintf(w->route->label, sizeof(w->route->label), "the instance's role (IMDSv2)");
    s = credroute_add(w->route, CREDSERVICE_IMDS, REACH_NEAR);
    return s && credstep_set(s, CREDSTEP_URL, url) == 0 ? 1 : credaws_no_memory(w);
}
