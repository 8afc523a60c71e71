/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/api_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

struct api_fixture af;

static char asked[512]; /* the target, in pieces */
static json_t *parsed;

const char *__wrap_admin_call_path(const struct admin_call *call);
const char *__wrap_admin_call_query(const struct admin_call *call, const char *name);
const void *__wrap_admin_call_body(const struct admin_call *call, size_t *ret_n);
void __wrap_admin_reply(struct admin_call *call, unsigned status, const char *type,
                        const void *body, size_t n);
void __wrap_admin_reply_json(struct admin_call *call, unsigned status, struct buf *json);
void __wrap_admin_reply_file(struct admin_call *call, const char *type, const char *name, int fd,
                             uint64_t size);
void __wrap_admin_fail(struct admin_call *call, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void __wrap_admin_no_memory(struct admin_call *call);
void __wrap_admin_call_header(struct admin_call *call, const char *name, const char *value);
bool __wrap_admin_call_is_cut(const struct admin_call *call);
void __wrap_admin_call_on_gone(struct admin_call *call,
                               void (*fn)(void *userdata, struct admin_call *call), void *userdata);

const char *__wrap_admin_call_path(const struct admin_call *call)
{
    (void)call;
    return af.path;
}

const char *__wrap_admin_call_query(const struct admin_call *call, const char *name)
{
    (void)call;
    for (size_t i = 0; i < API_QUERY_MAX && af.query[i].name; i++) {
        if (strcmp(af.query[i].name, name) == 0)
            return af.query[i].value;
    }
    return NULL;
}

const void *__wrap_admin_call_body(const struct admin_call *call, size_t *ret_n)
{
    (void)call;
    *ret_n = strlen(af.body);
    return af.body;
}

/* Exactly one answer. */
static void answer(unsigned status, const char *type, const char *text, size_t n)
{
    assert_int_equal(af.answers++, 0);
    af.status = status;
    (void)snprintf(af.type, sizeof(af.type), "%s", type);
    af.text = strndup(text, n);
    assert_non_null(af.text);
}

void __wrap_admin_reply(struct admin_call *call, unsigned status, const char *type,
                        const void *body, size_t n)
{
    (void)call;
    answer(status, type, body, n);
}

void __wrap_admin_reply_json(struct admin_call *call, unsigned status, struct buf *json)
{
    (void)call;
    assert_int_equal(buf_error(json), 0);
    answer(status, "application/json", buf_str(json), json->len);
    buf_done(json);
}

void __wrap_admin_reply_file(struct admin_call *call, const char *type, const char *name, int fd,
                             uint64_t size)
{
    char text[4096];

    (void)call;
    assert_true(size < sizeof(text));
    assert_int_equal(pread(fd, text, sizeof(text), 0), size);
    answer(200, type, text, size);
    (void)snprintf(af.name, sizeof(af.name), "%s", name ? name : "");
    (void)close(fd);
}

void __wrap_admin_fail(struct admin_call *call, unsigned status, const char *fmt, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list ap;
    json_t *error;

    (void)call;
    va_start(ap, fmt);
    assert_true(vasprintf(&text, fmt, ap) >= 0);
    va_end(ap);
    error = json_pack("{s:s}", "error", text);
    free(text);
    text = json_dumps(error, 0);
    json_decref(error);
    assert_non_null(text);
    answer(status, "application/json", text, strlen(text));
}

void __wrap_admin_no_memory(struct admin_call *call)
{
    __wrap_admin_fail(call, 503, "no memory");
}

void __wrap_admin_call_on_gone(struct admin_call *call,
                               void (*fn)(void *userdata, struct admin_call *call), void *userdata)
{
    (void)call;
    assert_int_equal(af.answers, 0);
    af.gone = fn;
    af.gone_userdata = userdata;
}

void __wrap_admin_call_header(struct admin_call *call, const char *name, const char *value)
{
    (void)call;
    assert_string_equal(name, "Retry-After");
    (void)snprintf(af.retry_after, sizeof(af.retry_after), "%s", value);
}

bool __wrap_admin_call_is_cut(const struct admin_call *call)
{
    (void)call;
    return af.cut;
}

static const struct config *config_of(void *userdata)
{
    assert_ptr_equal(userdata, &af);
    return af.config;
}

static const char *config_file_of(void *userdata)
{
    assert_ptr_equal(userdata, &af);
    return af.config_file;
}

static bool is_stopping(void *userdata)
{
    assert_ptr_equal(userdata, &af);
    return af.stopping;
}

static int on_reload(void *userdata, struct diags *diags)
{
    assert_ptr_equal(userdata, &af);
    af.reloads++;
    if (af.reload_error)
        diags_add(diags, "f.yaml", 3, 7, NULL, "%s", af.reload_error);
    return af.reload;
}

static void on_metrics(void *userdata, struct admin_call *call)
{
    assert_ptr_equal(userdata, &af);
    af.scrapes++;
    __wrap_admin_reply(call, 200, "text/plain", "a 1\n", 4);
}

static void on_suspended(void *userdata, bool suspended)
{
    (void)userdata, (void)suspended;
}

static void on_ended(void *userdata, const struct pipeline_end *end)
{
    (void)userdata, (void)end;
}

static void make_parts(struct api_context *c)
{
    c->targets = targets_new("thishost");
    assert_non_null(c->targets);
    assert_int_equal(meters_new(&af.counters, &af.meters), 0);
    assert_int_equal(http_new(fx.event, "contraced/test", &af.http), 0);
    assert_int_equal(pipeline_new(fx.event, af.http, fx.disk, fx.spool, af.meters, false, on_ended,
                                  NULL, &af.pipeline),
                     0);
    c->pipeline = af.pipeline;
    assert_int_equal(desk_new(fx.event, af.pipeline, &c->desk), 0);
    assert_int_equal(incidents_new(fx.event, c->desk, &af.counters, NULL, NULL, &c->incidents), 0);
    incidents_set(c->incidents, &af.config->incidents);
    assert_int_equal(uploader_new(fx.event, fx.disk, fx.spool, "thishost", 42, &c->uploader), 0);
    assert_int_equal(suspension_new(fx.event, on_suspended, NULL, &c->suspension), 0);
}

int api_setup(void **state)
{
    int r = fixture_setup(state);

    assert_int_equal(r, 0);
    start_uploading();
    af = (struct api_fixture){.config = config_new(), .config_file = "/etc/c.yaml", .fd = -1};
    assert_non_null(af.config);
    af.context = (struct api_context){
        .event = fx.event,
        .spool = fx.spool,
        .counters = &af.counters,
        .failing = &af.failing,
        .host = "thishost",
        .start = START,
        .userdata = &af,
        .config = config_of,
        .config_file = config_file_of,
        .stopping = is_stopping,
        .reload = on_reload,
        .metrics = on_metrics,
    };
    make_parts(&af.context);
    af.api = api_new(&af.context);
    assert_non_null(af.api);
    return 0;
}

int api_teardown(void **state)
{
    json_decref(parsed);
    parsed = NULL;
    free(af.text);
    incidents_drain(af.context.incidents);
    pipeline_cut(af.pipeline);
    while (!pipeline_idle(af.pipeline) || !incidents_idle(af.context.incidents))
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    api_free(af.api);
    suspension_free(af.context.suspension);
    uploader_free(af.context.uploader);
    incidents_free(af.context.incidents);
    desk_free(af.context.desk);
    pipeline_free(af.pipeline);
    http_free(af.http);
    meters_free(af.meters);
    targets_free(af.context.targets);
    config_free(af.config);
    fixture_stop();
    return fixture_teardown(state);
}

void api_configure(const char *job, const char *const *addresses, size_t n)
{
    struct target_config items[API_TARGETS_MAX] = {0};
    const struct target_list list = {.items = items, .n = n}, *views[] = {&list};
    struct job_config one = {
        .interval = USEC_PER_HOUR,
        .window = 2 * USEC_PER_SEC,
        .timeout = USEC_PER_MIN,
        .body_size_limit = 1 << 20,
        .artifacts = af.artifacts,
    };
    const struct config config = {.jobs = &one, .n_jobs = 1};
    struct targets_change change = {0};
    const char *why;

    assert_true(n <= API_TARGETS_MAX);
    one.name = strdup(job);
    one.path = strdup("/debug/pprof/trace");
    for (size_t i = 0; i < n; i++) {
        items[i].address = strdup(addresses[i]);
        assert_int_equal(address_parse(addresses[i], &items[i].parsed, &why), 0);
    }
    assert_int_equal(
        targets_update(af.context.targets, &config, views, START, USEC_PER_DAY, &change), 0);
    for (size_t i = 0; i < n; i++) {
        free(items[i].address);
        address_done(&items[i].parsed);
    }
    free(one.name);
    free(one.path);
}

static const struct admin_route *route_of(const char *method, const char *path)
{
    size_t n;
    const struct admin_route *routes = api_routes(&n), *found = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(routes[i].path);
        bool prefix = len > 1 && routes[i].path[len - 1] == '/';

        if (strcmp(routes[i].method, method) == 0 &&
            (prefix ? strncmp(path, routes[i].path, len) == 0 : strcmp(path, routes[i].path) == 0))
            found = &routes[i];
    }
    assert_non_null(found);
    return found;
}

/* Splits "a=b&c=d" in place. Nothing in it may be percent-encoded. */
static void set_query(char *text)
{
    char *rest = NULL;
    size_t n = 0;

    memset(af.query, 0, sizeof(af.query));
    for (char *pair = text ? strtok_r(text, "&", &rest) : NULL; pair;
         pair = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(pair, '=');

        assert_true(value && n < API_QUERY_MAX);
        *value = '\0';
        af.query[n].name = pair;
        af.query[n++].value = value + 1;
    }
}

unsigned api_ask(const char *method, const char *target, const char *body)
{
    const struct admin_route *route;
    char *query;

    (void)snprintf(asked, sizeof(asked), "%s", target);
    query = strchr(asked, '?');
    if (query)
        *query++ = '\0';
    set_query(query);
    route = route_of(method, asked);
    af.path = asked + strlen(route->path);
    af.body = body ? body : "";
    json_decref(parsed);
    parsed = NULL;
    free(steal(&af.text));
    af.answers = af.status = 0;
    af.gone = NULL;
    af.retry_after[0] = '\0';
    route->run(af.api, (struct admin_call *)&af);
    return af.status;
}

unsigned api_wait(void)
{
    while (af.answers == 0)
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    return af.status;
}

const json_t *api_json(void)
{
    json_error_t error;

    assert_string_equal(af.type, "application/json");
    if (!parsed)
        parsed = json_loads(af.text, JSON_REJECT_DUPLICATES, &error);
    if (!parsed)
        fail_msg("%s: %s", error.text, af.text);
    return parsed;
}

const char *api_error(void)
{
    const char *text = json_string_value(json_object_get(api_json(), "error"));

    assert_non_null(text);
    return text;
}

void api_leave(void)
{
    assert_int_equal(af.answers, 0);
    assert_non_null(af.gone);
    af.gone(af.gone_userdata, (struct admin_call *)&af);
}
