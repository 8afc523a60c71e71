/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/source/kube/choice.h"
#include "daemon/source/kube/pod.h"
#include "daemon/source/kube/podset.h"
#include "daemon/source/kube/workload.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* As JSON with ' for ". */
static struct pod *pod_of(const char *text)
{
    char *json = strdup(text);
    struct pod *p = NULL;
    json_t *parsed;

    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    parsed = json_loads(json, 0, NULL);
    assert_non_null(parsed);
    assert_int_equal(pod_read(parsed, &p), 0);
    json_decref(parsed);
    free(json);
    return p;
}

static const char shop[] =
    "{'kind':'Pod','metadata':{'name':'shop-7d4b9c6f5-x2x4z','namespace':'prod','uid':'u-1',"
    "'labels':{'app':'shop','pod-template-hash':'7d4b9c6f5'},"
    "'annotations':{'note':'a','contrace/scrape':'true'},"
    "'ownerReferences':[{'kind':'Other','name':'x'},"
    "{'kind':'ReplicaSet','name':'shop-7d4b9c6f5','controller':true}]},"
    "'spec':{'nodeName':'node-1','containers':["
    "{'name':'web','image':'shop:1','ports':[{'containerPort':8080,'name':'http','protocol':'TCP'},"
    "{'containerPort':6060,'name':'pprof'}]},{'name':'side','image':'side:2'}],"
    "'initContainers':[{'name':'init','image':'init:3'}]},"
    "'status':{'phase':'Running','podIP':'10.1.2.3','hostIP':'10.0.0.1',"
    "'conditions':[{'type':'Ready','status':'True'}],"
    "'containerStatuses':[{'name':'web','containerID':'containerd://w'}]}}";

static void test_facts(void **state)
{
    static const char *const expected[POD_FACTS] = {
        [POD_NAMESPACE] = "prod",
        [POD_NAME] = "shop-7d4b9c6f5-x2x4z",
        [POD_UID] = "u-1",
        [POD_IP] = "10.1.2.3",
        [POD_HOST_IP] = "10.0.0.1",
        [POD_NODE] = "node-1",
        [POD_PHASE] = "Running",
        [POD_READY] = "true",
        [POD_CONTROLLER_KIND] = "ReplicaSet",
        [POD_CONTROLLER_NAME] = "shop-7d4b9c6f5",
    };
    struct pod *p = pod_of(shop);

    (void)state;
    for (size_t i = 0; i < POD_FACTS; i++)
        assert_string_equal(pod_fact(p, (enum pod_fact)i), expected[i]);
    assert_true(pod_is_up(p));
    pod_free(p);
}

static void test_entries(void **state)
{
    static const struct {
        enum pod_tag tag;
        const char *text[4];
    } expected[] = {
        {POD_ANNOTATION, {"contrace/scrape", "true"}},
        {POD_CONTAINER, {"web", "shop:1", "containerd://w", "false"}},
        {POD_PORT, {"8080", "http", "TCP"}},
        {POD_PORT, {"6060", "pprof", "TCP"}},
        {POD_CONTAINER, {"side", "side:2", "", "false"}},
        {POD_CONTAINER, {"init", "init:3", "", "true"}},
        {POD_LABEL, {"app", "shop"}},
        {POD_LABEL, {"pod-template-hash", "7d4b9c6f5"}},
        {POD_ANNOTATION, {"note", "a"}},
    };
    struct pod_entry e = {0};
    struct pod *p = pod_of(shop);

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(pod_next(p, &e));
        assert_int_equal(e.tag, expected[i].tag);
        for (size_t k = 0; k < 4; k++) {
            if (expected[i].text[k])
                assert_string_equal(e.text[k], expected[i].text[k]);
            else
                assert_null(e.text[k]);
        }
    }
    assert_false(pod_next(p, &e));
    assert_null(pod_find(p, POD_ANNOTATION, "app"));
    assert_string_equal(pod_find(p, POD_LABEL, "app"), "shop");
    pod_free(p);
}

static void test_none(void **state)
{
    static const char *const texts[] = {"{}", "[]", "{\"metadata\":{\"name\":\"a\"}}",
                                        "{\"metadata\":{\"namespace\":\"a\"}}",
                                        "{\"metadata\":[],\"spec\":3}"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        json_t *json = json_loads(texts[i], 0, NULL);
        struct pod *p = NULL;

        assert_int_equal(pod_read(json, &p), -EBADMSG);
        assert_null(p);
        json_decref(json);
    }
}

/* Whatever a pod has, it is small in memory, and what we read ourselves is the last to be left out. */
static void test_bounded(void **state)
{
    json_t *metadata = json_pack("{s:s,s:s}", "name", "a", "namespace", "b");
    json_t *annotations = json_object(), *labels = json_object();
    json_t *json = json_pack("{s:o}", "metadata", metadata);
    char name[64], value[401];
    struct pod *p;

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "other-%d", i);
        json_object_set_new(annotations, name, json_string(value));
        value[63] = '\0';
        json_object_set_new(labels, name, json_string(value));
        value[63] = 'v';
    }
    json_object_set_new(annotations, "contrace/port", json_string("6060"));
    json_object_set_new(metadata, "annotations", annotations);
    json_object_set_new(metadata, "labels", labels);
    assert_int_equal(pod_read(json, &p), 0);
    assert_true(malloc_usable_size(p) <= 2048);
    assert_true(pod_left_out(p) > 100);
    assert_string_equal(pod_find(p, POD_ANNOTATION, "contrace/port"), "6060");
    pod_free(p);
    json_decref(json);
}

static void test_workload(void **state)
{
    static const struct {
        const char *kind, *owner, *labels, *name;
    } rows[] = {
        {"ReplicaSet", "shop-7d4b9c6f5", "'pod-template-hash':'7d4b9c6f5'", "shop"},
        {"ReplicaSet", "shop-7d4b9c6f5", "", "shop"},
        {"ReplicaSet", "shop-api", "'pod-template-hash':'7d4b9c6f5'", "shop-api"},
        {"ReplicaSet", "shop-web-7d4b9c6f5", "", "shop-web"},
        {"ReplicaSet", "shop-production", "", "shop-production"},
        {"StatefulSet", "db-7d4b9c6f5", "", "db-7d4b9c6f5"},
        {"DaemonSet", "agent", "", "agent"},
        {"Job", "report-29384756", "", "report"},
        {"Job", "migrate-2", "", "migrate-2"},
        {"Node", "node-1", "'k8s-app':'etcd'", "etcd"},
        {"", "", "'app':'x','app.kubernetes.io/name':'shop'", "shop"},
        {"", "", "", "pod-1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512], *name;
        struct pod *p;

        (void)snprintf(text, sizeof(text),
                       "{'metadata':{'name':'pod-1','namespace':'n','labels':{%s},"
                       "'ownerReferences':[{'kind':'%s','name':'%s','controller':true}]}}",
                       rows[i].labels, rows[i].kind, rows[i].owner);
        p = pod_of(text);
        name = workload_name(p);
        assert_string_equal(name, rows[i].name);
        free(name);
        pod_free(p);
    }
}

#define PORTS2 "{'containerPort':8080,'name':'http'},{'containerPort':9090,'name':'pprof'}"
#define PORT1 "{'containerPort':8080}"
#define PORTS_UNNAMED "{'containerPort':8080},{'containerPort':9090}"

static void test_choice(void **state)
{
    static const struct {
        const char *annotations, *ports, *phase, *ip;
        enum choice_end end;
        unsigned port;
        const char *container;
    } rows[] = {
        {"", PORT1, "Running", "10.0.0.1", CHOICE_NONE, 0, NULL},
        {"'contrace/scrape':'true'", PORT1, "Running", "10.0.0.1", CHOICE_ONE, 8080, "web"},
        {"'contrace/scrape':'true'", PORT1, "Pending", "", CHOICE_NONE, 0, NULL},
        {"'contrace/scrape':'true'", PORT1, "Succeeded", "10.0.0.1", CHOICE_NONE, 0, NULL},
        {"'contrace/scrape':'true'", PORT1, "Failed", "10.0.0.1", CHOICE_NONE, 0, NULL},
        {"'contrace/scrape':'true'", PORTS2, "Running", "10.0.0.1", CHOICE_ONE, 9090, "web"},
        {"'contrace/scrape':'true'", PORTS_UNNAMED, "Running", "10.0.0.1", CHOICE_WRONG, 0, NULL},
        {"'contrace/scrape':'true'", "", "Running", "10.0.0.1", CHOICE_WRONG, 0, NULL},
        {"'contrace/scrape':'true','contrace/port':'6060'", "", "Running", "10.0.0.1", CHOICE_ONE,
         6060, NULL},
        {"'contrace/scrape':'true','contrace/port':'http'", PORTS2, "Running", "10.0.0.1",
         CHOICE_ONE, 8080, "web"},
        {"'contrace/scrape':'true','contrace/port':'none'", PORTS2, "Running", "10.0.0.1",
         CHOICE_WRONG, 0, NULL},
        {"'contrace/scrape':'true','contrace/port':'66000'", PORTS2, "Running", "10.0.0.1",
         CHOICE_WRONG, 0, NULL},
        {"'profiles.grafana.com/cpu.scrape':'true','profiles.grafana.com/cpu.port':'7070'", PORT1,
         "Running", "10.0.0.1", CHOICE_ONE, 7070, NULL},
        {"'profiles.grafana.com/memory.scrape':'true','profiles.grafana.com/memory.port_name':'http'",
         PORTS2, "Running", "10.0.0.1", CHOICE_ONE, 8080, "web"},
        {"'profiles.grafana.com/cpu.scrape':'true','contrace/scrape':'false'", PORT1, "Running",
         "10.0.0.1", CHOICE_NONE, 0, NULL},
        {"'profiles.grafana.com/cpu.scrape':'true','profiles.grafana.com/cpu.port':'7070',"
         "'contrace/port':'6060'",
         PORT1, "Running", "10.0.0.1", CHOICE_ONE, 6060, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct choice c;
        char text[1024];
        struct pod *p;

        (void)snprintf(text, sizeof(text),
                       "{'metadata':{'name':'a','namespace':'n','annotations':{%s}},"
                       "'spec':{'containers':[{'name':'web','ports':[%s]}]},"
                       "'status':{'phase':'%s','podIP':'%s'}}",
                       rows[i].annotations, rows[i].ports, rows[i].phase, rows[i].ip);
        p = pod_of(text);
        assert_int_equal(choice_of(p, &c), rows[i].end);
        if (rows[i].end == CHOICE_WRONG)
            assert_non_null(c.why);
        if (rows[i].end == CHOICE_ONE) {
            assert_int_equal(c.port, rows[i].port);
            assert_int_equal(c.container != NULL, rows[i].container != NULL);
            if (c.container)
                assert_string_equal(c.container, rows[i].container);
        }
        pod_free(p);
    }
}

static struct pod *named(const char *name, const char *ip)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "{'metadata':{'name':'%s','namespace':'n'},'status':{'podIP':'%s'}}", name, ip);
    return pod_of(text);
}

static void assert_names(const struct podset *s, const char *names)
{
    char found[256] = "";

    for (size_t i = 0; i < podset_count(s); i++)
        strcat(found, pod_fact(podset_at(s, i), POD_NAME));
    assert_string_equal(found, names);
}

static void test_set(void **state)
{
    struct podset *s = podset_new();
    struct pod *gone = named("b", "");

    (void)state;
    podset_begin(s);
    assert_int_equal(podset_put(s, named("b", "1")), 1);
    assert_int_equal(podset_put(s, named("a", "1")), 1);
    assert_int_equal(podset_put(s, named("c", "1")), 1);
    assert_int_equal(podset_put(s, named("b", "1")), 0);
    assert_int_equal(podset_put(s, named("b", "2")), 1);
    assert_int_equal(podset_sweep(s), 0);
    assert_names(s, "abc");
    assert_string_equal(pod_fact(podset_at(s, 1), POD_IP), "2");
    assert_true(podset_remove(s, gone));
    assert_false(podset_remove(s, gone));
    assert_names(s, "ac");
    /* While a list is under way, what it has not come to stays; also if it is begun again. */
    podset_begin(s);
    assert_int_equal(podset_put(s, named("a", "1")), 0);
    assert_names(s, "ac");
    podset_begin(s);
    assert_int_equal(podset_put(s, named("d", "1")), 1);
    assert_int_equal(podset_put(s, named("c", "1")), 0);
    assert_names(s, "acd");
    assert_int_equal(podset_sweep(s), 1);
    assert_names(s, "cd");
    pod_free(gone);
    podset_free(s);
}

static void test_full(void **state)
{
    struct podset *s = podset_new();
    char name[32];

    (void)state;
    for (int i = 0; i < PODSET_MAX; i++) {
        (void)snprintf(name, sizeof(name), "p%06d", i);
        assert_int_equal(podset_put(s, named(name, "1")), 1);
    }
    assert_int_equal(podset_put(s, named("q", "1")), -E2BIG);
    assert_int_equal(podset_put(s, named("p000007", "2")), 1);
    assert_int_equal(podset_count(s), PODSET_MAX);
    podset_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),    cmocka_unit_test(test_entries),
        cmocka_unit_test(test_none),     cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_workload), cmocka_unit_test(test_choice),
        cmocka_unit_test(test_set),      cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests_name("pod", tests, NULL, NULL);
}
