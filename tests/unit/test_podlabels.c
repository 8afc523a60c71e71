/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/source/podlabels.h"
#include "lib/config/group.h"

#define TEXT(s) ((char *)(uintptr_t)(s)) /* configuration is not const; nothing here changes it */
#define META "__meta_kubernetes_"

/* The labels of all targets that were put, a line each, as name=value, by name. */
struct seen {
    char text[16384];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct labelset_item *)a)->name, ((const struct labelset_item *)b)->name);
}

static void on_fate(void *userdata, const struct target_fate *fate)
{
    struct labelset_item *items = calloc(LABELSET_MAX, sizeof(*items));
    size_t n = labelset_snapshot(fate->labels, items);
    struct seen *seen = userdata;

    qsort(items, n, sizeof(*items), by_name);
    for (size_t i = 0; i < n; i++) {
        strcat(seen->text, items[i].name);
        strcat(seen->text, "=");
        strcat(seen->text, items[i].value);
        strcat(seen->text, "\n");
    }
    strcat(seen->text, "--\n");
    free(items);
}

/* The targets of a pod that is given as JSON with ' for ". */
static void targets_of(const char *text, bool relabelled, struct seen *seen)
{
    const struct job_config job = {.name = TEXT("pods"), .path = TEXT("/debug/pprof/trace")};
    struct target_list list = {0};
    struct target_sink *sink = target_sink_new(&job, &list, on_fate, seen);
    char *json = strdup(text);
    json_t *parsed;
    struct pod *p;

    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    parsed = json_loads(json, 0, NULL);
    seen->text[0] = '\0';
    assert_non_null(parsed);
    assert_int_equal(pod_read(parsed, &p), 0);
    assert_int_equal(podlabels_put(p, relabelled, sink), 0);
    pod_free(p);
    json_decref(parsed);
    free(json);
    target_sink_free(sink);
    target_list_done(&list);
}

static const char shop[] =
    "{'metadata':{'name':'shop-0','namespace':'prod','uid':'u-1',"
    "'labels':{'app.kubernetes.io/name':'shop'},'annotations':{'note-1':'a'},"
    "'ownerReferences':[{'kind':'StatefulSet','name':'shop','controller':true}]},"
    "'spec':{'nodeName':'node-1','containers':["
    "{'name':'web','image':'shop:1','ports':[{'containerPort':8080,'name':'http'},"
    "{'containerPort':53,'protocol':'UDP'}]},{'name':'bare','image':'bare:1'}],"
    "'initContainers':[{'name':'init','image':'init:1'}]},"
    "'status':{'phase':'Running','podIP':'fd00::7','hostIP':'10.0.0.1',"
    "'conditions':[{'type':'Ready','status':'False'}],"
    "'containerStatuses':[{'name':'bare','containerID':'containerd://b'}]}}";

#define OF_CONTAINER(id, image, init, name)                                             \
    id META "pod_container_image=" image "\n" META "pod_container_init=" init "\n" META \
            "pod_container_name=" name "\n"
#define OF_POD_A                                                  \
    META "namespace=prod\n" META "pod_annotation_note_1=a\n" META \
         "pod_annotationpresent_note_1=true\n"
#define OF_POD_B                                                                           \
    META "pod_controller_kind=StatefulSet\n" META "pod_controller_name=shop\n" META        \
         "pod_host_ip=10.0.0.1\n" META "pod_ip=fd00::7\n" META                             \
         "pod_label_app_kubernetes_io_name=shop\n" META                                    \
         "pod_labelpresent_app_kubernetes_io_name=true\n" META "pod_name=shop-0\n" META    \
         "pod_node_name=node-1\n" META "pod_phase=Running\n" META "pod_ready=false\n" META \
         "pod_uid=u-1\n"
#define FIRST(address) "__address__=" address "\n__host__=shop-0\n"
#define LAST(container)                                                  \
    "__path__=/debug/pprof/trace\n__scheme__=http\ncontainer=" container \
    "\njob=pods\nnamespace=prod\n"                                       \
    "node=node-1\npod=shop-0\nservice=shop\n--\n"

/* As Prometheus has them: a target for each port of each container, and one for each container
 * without any. */
static void test_relabelled(void **state)
{
    static const char expected[] =
        FIRST("[fd00::7]:8080") OF_POD_A OF_CONTAINER("", "shop:1", "false", "web") META
        "pod_container_port_name=http\n" META "pod_container_port_number=8080\n" META
        "pod_container_port_protocol=TCP\n" OF_POD_B LAST("web") FIRST("[fd00::7]:53")
            OF_POD_A OF_CONTAINER("", "shop:1", "false", "web") META
        "pod_container_port_number=53\n" META
        "pod_container_port_protocol=UDP\n" OF_POD_B LAST("web") FIRST("[fd00::7]")
            OF_POD_A OF_CONTAINER(META "pod_container_id=containerd://b\n", "bare:1", "false",
                                  "bare") OF_POD_B LAST("bare") FIRST("[fd00::7]")
                OF_POD_A OF_CONTAINER("", "init:1", "true", "init") OF_POD_B LAST("init");
    struct seen seen;

    (void)state;
    targets_of(shop, true, &seen);
    assert_string_equal(seen.text, expected);
    /* Without relabel_configs it would have to ask for it. */
    targets_of(shop, false, &seen);
    assert_string_equal(seen.text, "");
}

static void test_chosen(void **state)
{
    static const char annotated[] =
        "{'metadata':{'name':'shop-0','namespace':'prod','annotations':{'contrace/scrape':'TRUE',"
        "'contrace/port':'6060','contrace/scheme':'https','contrace/path':'/t',"
        "'contrace/artifacts':'trace,heap','resource.opentelemetry.io/service.name':'pay'}},"
        "'spec':{'nodeName':'node-1'},'status':{'phase':'Running','podIP':'10.1.2.3'}}";
    struct seen seen;

    (void)state;
    targets_of(annotated, false, &seen);
    assert_string_equal(
        seen.text,
        "__address__=10.1.2.3:6060\n__artifacts__=trace,heap\n__host__=shop-0\n__path__=/t\n"
        "__scheme__=https\njob=pods\nnamespace=prod\nnode=node-1\npod=shop-0\nservice=pay\n--\n");
}

/* A pod that has no address yet, or has ended, is no target. */
static void test_down(void **state)
{
    static const char *const statuses[] = {
        "{'phase':'Pending'}",
        "{'phase':'Succeeded','podIP':'10.1.2.3'}",
        "{'phase':'Failed','podIP':'10.1.2.3'}",
    };
    struct seen seen;

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        char text[512];

        (void)snprintf(text, sizeof(text),
                       "{'metadata':{'name':'a','namespace':'b','annotations':"
                       "{'contrace/scrape':'true','contrace/port':'1'}},"
                       "'spec':{'containers':[{'name':'web'}]},'status':%s}",
                       statuses[i]);
        targets_of(text, false, &seen);
        assert_string_equal(seen.text, "");
        targets_of(text, true, &seen);
        assert_string_equal(seen.text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relabelled),
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_down),
    };

    return cmocka_run_group_tests_name("podlabels", tests, NULL, NULL);
}
