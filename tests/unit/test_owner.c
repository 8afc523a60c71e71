/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "trace/stack/owner.h"

struct row {
    const char *func;
    const char *file;
    enum owner owner;
};

#define CHECK(rows, main_file)                                                                  \
    for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) {                             \
        print_message("%s %s\n", (rows)[i].func, (rows)[i].file);                               \
        assert_int_equal(owner_of((rows)[i].func, (rows)[i].file, main_file), (rows)[i].owner); \
    }

/* As go build leaves it. */
static void modules(void **state)
{
    static const struct row rows[] = {
        {"main.main", "/home/u/shop/cmd/shop/main.go", OWNER_PROGRAM},
        {"main.main.func1", "/home/u/shop/cmd/shop/main.go", OWNER_PROGRAM},
        {"main.(*store).commit", "/home/u/shop/store.go", OWNER_PROGRAM},
        {"main.(*Cache[...]).Get", "/home/u/shop/cache.go", OWNER_PROGRAM},
        {"example.com/shop/store.(*Store).Commit", "/home/u/shop/store/store.go", OWNER_PROGRAM},
        {"shop/store.(*Store).Commit", "/home/u/shop/store/store.go", OWNER_PROGRAM},
        {"example.com/shop/store.Map[go.shape.int,github.com/a/b.T]", "/home/u/shop/store/store.go",
         OWNER_PROGRAM},
        {"runtime.chanrecv1", "/usr/local/go/src/runtime/chan.go", OWNER_STD},
        {"database/sql.(*DB).conn", "/usr/local/go/src/database/sql/sql.go", OWNER_STD},
        {"os/signal.signal_recv", "/usr/local/go/src/runtime/sigqueue.go", OWNER_STD},
        {"runtime.mapassign_faststr", "/usr/local/go/src/internal/runtime/maps/runtime_faststr.go",
         OWNER_STD},
        {"net/http.(*conn).serve", "C:/Program Files/Go/src/net/http/server.go", OWNER_STD},
        {"vendor/golang.org/x/net/http2/hpack.(*Decoder).Write",
         "/usr/lib/go-1.24/src/vendor/golang.org/x/net/http2/hpack/hpack.go", OWNER_STD},
        {"github.com/jackc/pgx/v5.(*Conn).Query",
         "/root/go/pkg/mod/github.com/jackc/pgx/v5@v5.7.1/conn.go", OWNER_DEPENDENCY},
        {"gopkg.in/yaml%2ev3.Unmarshal", "/root/go/pkg/mod/gopkg.in/yaml.v3@v3.0.1/yaml.go",
         OWNER_DEPENDENCY},
    };

    (void)state;
    CHECK(rows, NULL)
    CHECK(rows, "/home/u/shop/cmd/shop/main.go")
}

/* A module may be called like a package of Go's. */
static void called_like_std(void **state)
{
    static const struct row rows[] = {
        {"image/store.(*Store).Put", "/home/u/image/store/store.go", OWNER_PROGRAM},
        {"image/png.Encode", "/usr/local/go/src/image/png/writer.go", OWNER_STD},
    };

    (void)state;
    CHECK(rows, "/home/u/image/main.go")
}

static void trimmed(void **state)
{
    static const struct row rows[] = {
        {"main.main", "example.com/shop/cmd/shop/main.go", OWNER_PROGRAM},
        {"example.com/shop/store.(*Store).Commit", "example.com/shop/store/store.go",
         OWNER_PROGRAM},
        {"shop/store.(*Store).Commit", "shop/store/store.go", OWNER_PROGRAM},
        {"net/http.(*conn).serve", "net/http/server.go", OWNER_STD},
        {"go.etcd.io/bbolt.(*DB).Update", "go.etcd.io/bbolt@v1.4.0/db.go", OWNER_DEPENDENCY},
    };

    (void)state;
    CHECK(rows, NULL)
    CHECK(rows, "example.com/shop/cmd/shop/main.go")
}

static void vendored(void **state)
{
    static const struct row rows[] = {
        {"go.etcd.io/bbolt.(*DB).Update", "/home/u/shop/vendor/go.etcd.io/bbolt/db.go",
         OWNER_DEPENDENCY},
        {"github.com/me/shop/vendor/github.com/a/b.F",
         "/go/src/github.com/me/shop/vendor/github.com/a/b/b.go", OWNER_DEPENDENCY},
        {"example.com/shop/vendors.F", "/home/u/shop/vendors/vendors.go", OWNER_PROGRAM},
    };

    (void)state;
    CHECK(rows, NULL)
}

/* go install path@version: the main module has a version, too. */
static void installed(void **state)
{
    static const char main_file[] = "/root/go/pkg/mod/github.com/me/shop@v1.2.3/cmd/shop/main.go";
    static const struct row rows[] = {
        {"main.main", "/root/go/pkg/mod/github.com/me/shop@v1.2.3/cmd/shop/main.go", OWNER_PROGRAM},
        {"github.com/me/shop/store.F", "/root/go/pkg/mod/github.com/me/shop@v1.2.3/store/store.go",
         OWNER_PROGRAM},
        {"github.com/me/shop/api.F", "/root/go/pkg/mod/github.com/me/shop/api@v1.2.3/api.go",
         OWNER_DEPENDENCY},
        {"go.etcd.io/bbolt.F", "/root/go/pkg/mod/go.etcd.io/bbolt@v1.4.0/db.go", OWNER_DEPENDENCY},
    };
    static const struct row trimmed_rows[] = {
        {"github.com/me/shop/store.F", "github.com/me/shop@v1.2.3/store/store.go", OWNER_PROGRAM},
        {"go.etcd.io/bbolt.F", "go.etcd.io/bbolt@v1.2.3/db.go", OWNER_DEPENDENCY},
    };

    (void)state;
    CHECK(rows, main_file)
    CHECK(trimmed_rows, "github.com/me/shop@v1.2.3/main.go")
}

/* Trees of sources without versions: GOPATH, distributions, Bazel. */
static void trees(void **state)
{
    static const struct row rows[] = {
        {"github.com/me/shop/store.F", "/build/src/github.com/me/shop/store/store.go",
         OWNER_PROGRAM},
        {"github.com/me/other.F", "/build/src/github.com/me/other/other.go", OWNER_DEPENDENCY},
        {"golang.org/x/sys/unix.F", "/build/src/golang.org/x/sys/unix/z.go", OWNER_DEPENDENCY},
        {"gopkg.in/yaml%2ev3.F", "/build/src/gopkg.in/yaml.v3/yaml.go", OWNER_DEPENDENCY},
        {"net/http.F", "/usr/lib/go-1.24/src/net/http/server.go", OWNER_STD},
    };
    static const struct row module_below_src[] = {
        {"shop/store.F", "/home/u/src/example.com-shop/store/store.go", OWNER_PROGRAM},
        {"github.com/me/shop/store.F", "/home/u/src/shop/store/store.go", OWNER_PROGRAM},
    };
    static const struct row bazel[] = {
        {"github.com/a/b.F", "external/com_github_a_b/b.go", OWNER_DEPENDENCY},
        {"example.com/shop/external.F", "shop/external/external.go", OWNER_PROGRAM},
        {"net/http.F", "GOROOT/src/net/http/server.go", OWNER_STD},
    };

    (void)state;
    CHECK(rows, "/build/src/github.com/me/shop/cmd/shop/main.go")
    CHECK(module_below_src, "/home/u/src/shop/main.go")
    CHECK(bazel, "shop/cmd/main.go")
}

static void made_up(void **state)
{
    static const struct row rows[] = {
        {"main._Cfunc_pause_ms", "_cgo_gotypes.go", OWNER_DEPENDENCY},
        {"main.(*T).Read", "<autogenerated>", OWNER_DEPENDENCY},
        {"", "", OWNER_DEPENDENCY},
    };

    (void)state;
    CHECK(rows, NULL)
    assert_true(owner_tells_main("main.main", "/home/u/main.go"));
    assert_false(owner_tells_main("main._Cfunc_f", "_cgo_gotypes.go"));
    assert_false(owner_tells_main("mainly.F", "/home/u/mainly/f.go"));
    assert_false(owner_tells_main("main.main", ""));
}

/* By the name alone, as far as it goes. */
static void test_names_of_go(void **state)
{
    static const char *const go[] = {"net.(*conn).Read", "net/http.HandlerFunc.ServeHTTP",
                                     "slices.SortFunc[go.shape.struct { x/y.T }]",
                                     "vendor/golang.org/x/net/http2/hpack.x"};
    static const char *const others[] = {"main.page",
                                         "network.(*conn).Read",
                                         "net",
                                         "golang.org/x/net/http2.(*Framer).ReadFrame",
                                         "x.org/net/http.Get",
                                         ""};

    (void)state;
    for (size_t i = 0; i < sizeof(go) / sizeof(go[0]); i++)
        assert_true(owner_is_std_name(go[i], strlen(go[i])));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(owner_is_std_name(others[i], strlen(others[i])));
    assert_false(owner_is_std_name("net.x", 3)); /* no zero byte ends a name */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_go),
        cmocka_unit_test(modules),
        cmocka_unit_test(called_like_std),
        cmocka_unit_test(trimmed),
        cmocka_unit_test(vendored),
        cmocka_unit_test(installed),
        cmocka_unit_test(trees),
        cmocka_unit_test(made_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
