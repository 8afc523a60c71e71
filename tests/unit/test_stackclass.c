/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "trace/summary/stackclass.h"

static const char *const *names;
static size_t n_names;

const uint32_t *gotrace_stack(const struct gotrace *trace, uint32_t handle, size_t *ret_n)
{
    static const uint32_t frames[] = {0, 1, 2, 3, 4, 5, 6, 7};

    (void)trace;
    *ret_n = handle == 1 ? n_names : 0;
    return handle == 1 ? frames : NULL;
}

/* The last frame's number is not known. */
const struct gotrace_frame *gotrace_frame(const struct gotrace *trace, uint32_t n)
{
    static struct gotrace_frame frame;

    (void)trace;
    frame.func = n + 1;
    return n < n_names && names[n] != NULL ? &frame : NULL;
}

/* Without a zero byte behind it, as a reader's strings. */
const char *gotrace_string(const struct gotrace *trace, uint64_t handle, size_t *ret_len)
{
    static char text[200];

    (void)trace;
    *ret_len = strlen(names[handle - 1]);
    memset(text, 'x', sizeof(text));
    memcpy(text, names[handle - 1], *ret_len);
    return text;
}

#define CLASSIFY(...)                            \
    classify((const char *const[]){__VA_ARGS__}, \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static enum stack_class classify(const char *const *stack, size_t n)
{
    names = stack;
    n_names = n;
    return stack_classify(NULL, 1);
}

/* The table is in order, or some of it could not be found. */
static void test_every_name_is_found(void **state)
{
    unsigned of_class[STACK_N_CLASSES] = {0};
    enum stack_class class;
    const char *func;

    (void)state;
    for (size_t n = 0; (func = stack_class_known(n, &class)) != NULL; n++) {
        if (stack_class_of(func, strlen(func)) != class)
            fail_msg("%s is not where it is looked for", func);
        of_class[class]++;
    }
    assert_int_equal(of_class[STACK_OTHER], 0);
    for (unsigned i = STACK_LOCK; i < STACK_RUNTIME; i++)
        assert_true(of_class[i] > 0);
}

static void test_names_are_whole(void **state)
{
    (void)state;
    assert_int_equal(stack_class_of("sync.(*Mutex).Lock", 18), STACK_LOCK);
    assert_int_equal(stack_class_of("sync.(*Mutex).Lock", 17), STACK_OTHER);
    assert_int_equal(stack_class_of("sync.(*Mutex).Locks", 19), STACK_OTHER);
    assert_int_equal(stack_class_of("tync.(*Mutex).Lock", 18), STACK_OTHER);
    assert_int_equal(stack_class_of("", 0), STACK_OTHER);
    assert_int_equal(stack_class_of("a.b", 3), STACK_OTHER);
}

static void test_locks(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("internal/sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).Lock",
                              "sync.(*Mutex).Lock", "main.post", "main.main"),
                     STACK_LOCK);
    assert_int_equal(CLASSIFY("sync.(*RWMutex).RLock", "main.get", "net/http.HandlerFunc.ServeHTTP",
                              "net/http.(*conn).serve"),
                     STACK_LOCK);
    assert_int_equal(CLASSIFY("sync.(*WaitGroup).Wait", "main.fanOut"), STACK_JOIN);
    assert_int_equal(CLASSIFY("runtime.semacquire", "runtime.gcStart"), STACK_RUNTIME);
    assert_int_equal(CLASSIFY("runtime.chanrecv1", "main.worker"), STACK_OTHER);
    /* Several that write to one connection are in each other's way; several that accept are not. */
    assert_int_equal(CLASSIFY("internal/poll.runtime_Semacquire", "internal/poll.(*fdMutex).rwlock",
                              "internal/poll.(*FD).writeLock", "internal/poll.(*FD).Write"),
                     STACK_LOCK);
    assert_int_equal(CLASSIFY("internal/poll.runtime_Semacquire", "internal/poll.(*fdMutex).rwlock",
                              "internal/poll.(*FD).readLock", "internal/poll.(*FD).Accept"),
                     STACK_LISTENER);
}

/* The innermost that is known: a handler's wait is not the connection's. */
static void test_network(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("internal/poll.(*FD).Read", "net.(*conn).Read",
                              "net/http.(*connReader).Read", "net/http.(*conn).serve"),
                     STACK_LISTENER);
    assert_int_equal(CLASSIFY("internal/poll.(*FD).Read", "net.(*conn).Read", "db.(*Conn).Query",
                              "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve"),
                     STACK_HANDLER);
    assert_int_equal(CLASSIFY("net/http.(*persistConn).roundTrip", "net/http.(*Client).Do",
                              "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve"),
                     STACK_CALL);
    assert_int_equal(CLASSIFY("internal/poll.(*FD).Accept", "net.(*TCPListener).Accept"),
                     STACK_LISTENER);
    assert_int_equal(CLASSIFY("internal/poll.(*FD).Read", "main.query"), STACK_OTHER);
}

static void test_syscalls(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("os/signal.signal_recv", "os/signal.loop"), STACK_PARKED);
    assert_int_equal(
        CLASSIFY("syscall.Syscall6", "os.(*Process).blockUntilWaitable", "os.(*Process).wait"),
        STACK_PARKED);
    assert_int_equal(CLASSIFY("syscall.read", "syscall.Read", "internal/poll.(*FD).Read",
                              "os.(*File).Read", "main.stdin"),
                     STACK_READ);
    /* A read for a request is more than a read. */
    assert_int_equal(CLASSIFY("syscall.read", "os.(*File).Read", "net/http.HandlerFunc.ServeHTTP"),
                     STACK_HANDLER);
    assert_int_equal(CLASSIFY("syscall.Syscall", "syscall.Flock", "main.lockFile"), STACK_OTHER);
}

static void test_strange_stacks(void **state)
{
    (void)state;
    assert_int_equal(stack_classify(NULL, 0), STACK_OTHER);
    assert_int_equal(CLASSIFY("runtime.gopark", NULL), STACK_OTHER);
    assert_int_equal(CLASSIFY(NULL, "sync.(*Mutex).Lock"), STACK_LOCK);
    assert_int_equal(CLASSIFY("runtime.", "runtime/trace.x"), STACK_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name_is_found),
        cmocka_unit_test(test_names_are_whole),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_network),
        cmocka_unit_test(test_syscalls),
        cmocka_unit_test(test_strange_stacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
