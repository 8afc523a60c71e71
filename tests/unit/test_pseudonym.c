/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/random.h"
#include "trace/anonymise/pseudonym.h"
#include "trace/stack/stackclass.h"

/* Not a good hash, but one that differs. */
static int digest(void *userdata, const void *text, size_t n, uint8_t ret[PSEUDONYM_DIGEST])
{
    uint64_t h = RANDOM_FNV;

    (void)userdata;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)text)[i]) * 0x100000001b3ULL;
    h = random_mix(h);
    for (size_t i = 0; i < PSEUDONYM_DIGEST; i++)
        ret[i] = (uint8_t)(h >> 8 * (i % 8));
    return 0;
}

static struct pseudonyms plain = {.digest = digest};
static struct pseudonym name[2];

static const char *func(const char *text, bool kept, unsigned to)
{
    pseudonym_of_func(&plain, text, kept, &name[to]);
    assert_int_equal(name[to].len, strlen(name[to].text));
    return name[to].text;
}

/* How a name looks: # is a hash. */
static const char *form(const char *text)
{
    static char out[PSEUDONYM_MAX + 1];
    char *to = out;

    while (*text) {
        size_t n = *text == 'x' ? strspn(text + 1, "0123456789abcdef") : 0;

        *to++ = n >= 12 ? '#' : *text;
        text += n >= 12 ? n + 1 : 1;
    }
    *to = '\0';
    return out;
}

static void test_parts_of_functions(void **state)
{
    static const char *const rows[][2] = {
        {"example.com/shop/store.(*Store).Commit", "#.(*#).#"},
        {"example.com/shop/store.Store.Commit.func1.2", "#.#.#.func1.2"},
        {"shop/store.New", "#.#"},
        {"gopkg.in/yaml%2ev3.Unmarshal", "#.#"},
        {"main.main", "main.main"},
        {"main.main.func3.1", "main.main.func3.1"},
        {"main.main.(*books).sell.func1", "main.main.(*#).#.func1"},
        {"main.mainly", "main.#"},
        {"main.init.0", "main.init.0"},
        {"main.glob..func1", "main.glob..func1"},
        {"main.(*books).sell-fm", "main.(*#).#-fm"},
        {"main.sell.func1-range2", "main.#.func1-range2"},
        {"main.sell.gowrap1", "main.#.gowrap1"},
        {"main.sell-secret", "main.#"},
        {"main.Map[...]", "main.#[...]"},
        {"main.(*Cache[...]).Get.func1", "main.(*#[...]).#.func1"},
        {"main.Map[go.shape.struct { x/y.T }]", "main.#[#]"},
        {"main._Cfunc_secret", "main._Cfunc_#"},
        {"main.functional", "main.func#"},
        {"main.(*unclosed", "main.(*#)"},
        {"secret_in_c", "#"},
        {"type:.eq.example.com/shop.T", "#.#"},
        {".", "."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i][0]);
        assert_string_equal(form(func(rows[i][0], false, 0)), rows[i][1]);
    }
}

/* What belongs together still does: kin.h knows a method's function literals by their beginning. */
static void test_what_belongs_together(void **state)
{
    size_t n;

    (void)state;
    n = strlen(func("example.com/a.(*T).M", false, 0));
    assert_memory_equal(func("example.com/a.(*T).M.func1", false, 1), name[0].text, n);
    assert_string_equal(name[1].text + n, ".func1");
    assert_string_not_equal(func("example.com/b.M", false, 0), func("example.com/c.M", false, 1));
    assert_string_not_equal(strrchr(func("example.com/b.M", false, 0), '.'),
                            strrchr(func("example.com/c.M", false, 1), '.'));
}

static void test_what_everybody_knows(void **state)
{
    static const struct {
        const char *func, *file;
        bool kept;
    } rows[] = {
        {"net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go", true},
        {"net/http.(*conn).serve", "net/http/server.go", true},
        {"log.Secret", "/home/u/log/secret.go", false},
        {"net._Cfunc_getaddrinfo", "_cgo_gotypes.go", true},
        {"memeqbody", "/usr/local/go/src/internal/bytealg/equal_amd64.s", true},
        {"memeqbody", "/home/u/shop/equal_amd64.s", false},
        {"strlen", "", false},
        {"google.golang.org/grpc.(*Server).handleStream", "/m/grpc@v1.6.0/server.go", true},
        {"google.golang.org/grpcs.Secret", "/m/grpcs@v1.6.0/server.go", false},
        {"golang.org/x/sync/errgroup.(*Group).Go", "/m/x/sync@v0.1.0/errgroup.go", true},
        {"github.com/acme/database/sql.Open", "/m/acme@v0.1.0/sql.go", false},
        {"main.main", "/home/u/main.go", false},
        {"shop/internal.Sell", "/home/u/shop/internal/sell.go", false},
        {"internalshop.Sell", "/home/u/shop/sell.go", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s %s\n", rows[i].func, rows[i].file);
        assert_int_equal(pseudonym_keeps(&plain, rows[i].func, rows[i].file,
                                         owner_of(rows[i].func, rows[i].file, NULL)),
                         rows[i].kept);
    }
    assert_string_equal(func("slices.SortFunc[...]", true, 0), "slices.SortFunc[...]");
    assert_string_equal(form(func("sync.(*Pool[go.shape.*example.com/a.T]).Get", true, 0)),
                        "sync.(*Pool[#]).Get");
}

/* Every function that tells what a stack waits for tells the same afterwards. */
static void test_classes_stay(void **state)
{
    static const char *const more[] = {"example.com/loop.EpollWait", "main._Cfunc_secret_poll",
                                       "main._Cfunc_secret", "example.com/poll._Cfunc_secret",
                                       "example.com/uring.(*Ring).WaitCQE"};
    struct stack_kind kind;
    const char *text;

    (void)state;
    for (size_t i = 0; (text = stack_class_known(i, &kind)) != NULL; i++)
        assert_true(owner_is_std_name(text, strlen(text)) ||
                    pseudonym_keeps(&plain, text, "/m/v@v1.0.0/x.go", OWNER_DEPENDENCY));
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        print_message("%s\n", more[i]);
        func(more[i], false, 0);
        assert_null(strstr(name[0].text, "secret"));
        assert_int_equal(stack_function(name[0].text, name[0].len),
                         stack_function(more[i], strlen(more[i])));
    }
}

static void test_files(void **state)
{
    static const struct {
        const char *file;
        struct pseudonym_file known;
        const char *form;
    } rows[] = {
        {"/home/u/shop/main.go", {OWNER_PROGRAM, false, "main.main"}, "/x/#/#.go"},
        {"/home/u/shop/main.secret", {OWNER_PROGRAM, false, "main.main"}, "/x/#/#"},
        {"/m/a@v1.2.3/a.go", {OWNER_DEPENDENCY, false, "example.com/a.F"}, "/x/#@v0/#.go"},
        {"main.go", {OWNER_PROGRAM, false, NULL}, "/x/#/#.go"},
        {"/home/u/sdk/src/net/http/server.go",
         {OWNER_STD, true, "net/http.Get"},
         "/usr/local/go/src/net/http/server.go"},
        {"net/http/server.go", {OWNER_STD, true, "net/http.Get"}, "net/http/server.go"},
        {"/home/u/m/google.golang.org/grpc@v1.6.0/server.go",
         {OWNER_DEPENDENCY, true, "google.golang.org/grpc.Serve"},
         "/x/google.golang.org/grpc@v0/server.go"},
        {"<autogenerated>", {OWNER_DEPENDENCY, false, "main.F"}, "<autogenerated>"},
        {"<secret>", {OWNER_DEPENDENCY, false, "main.F"}, "<#>"},
        {"_cgo_gotypes.go", {OWNER_DEPENDENCY, false, "main.F"}, "_cgo_gotypes.go"},
        {"_cgo_secret.go", {OWNER_DEPENDENCY, false, "main.F"}, "_cgo_#"},
        {"", {OWNER_DEPENDENCY, false, "main.F"}, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].file);
        pseudonym_of_file(&plain, rows[i].file, &rows[i].known, &name[0]);
        assert_string_equal(form(name[0].text), rows[i].form);
        if (rows[i].known.func && rows[i].file[0])
            assert_int_equal(owner_of(rows[i].known.func, name[0].text, NULL), rows[i].known.owner);
    }
}

static const char *text(struct pseudonyms *p, const char *of, size_t len)
{
    pseudonym_of_text(p, of, len, &name[0]);
    return name[0].text;
}

static void test_texts(void **state)
{
    static const char *const keep[] = {"GET *", "example.com/open/*"};
    struct pseudonyms p = {.digest = digest, .keep = keep, .n_keep = 2};

    (void)state;
    assert_string_equal(text(&p, "chan receive", 12), "chan receive");
    assert_string_equal(text(&p, "", 0), "");
    assert_string_equal(form(text(&p, "runtime.secret", 14)), "#");
    assert_null(strstr(text(&p, "sync\0secret", 11), "sync"));
    assert_string_equal(form(text(&p, "acme.span_id.secret", 19)), "#.span_id");
    text(&p, "\1\2\3\4secr", 8);
    assert_int_equal(name[0].len, 8);
    assert_memory_not_equal(name[0].text + 4, "secr", 4);
    assert_int_equal(strlen(text(&p, "8 bytes.", 8)), 18);
    assert_int_equal(strchr(name[0].text, ' ') - name[0].text, 9);
    assert_string_equal(text(&p, "GET /users", 10), "GET /users");
    assert_string_equal(form(text(&p, "POST/users", 10)), "#");
    assert_true(pseudonym_keeps(&p, "example.com/open/a.F", "/a.go", OWNER_PROGRAM));
    assert_false(pseudonym_keeps(&p, "example.com/closed/a.F", "/a.go", OWNER_PROGRAM));
}

/* No name is too long, whatever it is made of. */
static void test_long_names(void **state)
{
    char many[PSEUDONYM_MAX + 1], deep[PSEUDONYM_MAX * 2];

    (void)state;
    for (size_t i = 0; i < PSEUDONYM_MAX; i++)
        many[i] = i % 2 ? '.' : 'a';
    many[PSEUDONYM_MAX] = '\0';
    assert_string_equal(form(func(many, false, 0)), "#.x");
    memset(deep, 'd', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    assert_string_equal(form(func(deep, false, 0)), "#");
    deep[4] = '.';
    assert_string_equal(form(func(deep, false, 0)), "#.#");
    assert_int_equal(strlen(text(&plain, deep, sizeof(deep))), 18);
}

static int no_digest(void *userdata, const void *data, size_t n, uint8_t ret[PSEUDONYM_DIGEST])
{
    (void)userdata;
    (void)data;
    (void)n;
    (void)ret;
    return -EIO;
}

static void test_a_digest_that_fails(void **state)
{
    struct pseudonyms p = {.digest = no_digest};

    (void)state;
    text(&p, "secret", 6);
    assert_int_equal(p.error, -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_of_functions),
        cmocka_unit_test(test_what_belongs_together),
        cmocka_unit_test(test_what_everybody_knows),
        cmocka_unit_test(test_classes_stay),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_a_digest_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
