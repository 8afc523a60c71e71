/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "trace/stack/stackclass.h"

/* What the functions tell together; NULL stands for one without a name. A reader's strings have no
 * zero byte behind them, so there is none here. */
static struct stack_kind kind_of(const char *const *stack, size_t n)
{
    struct stack_reading r = {0};

    for (size_t i = 0; i < n; i++) {
        size_t len = stack[i] ? strlen(stack[i]) : 0;
        char text[200];

        memset(text, 'x', sizeof(text));
        memcpy(text, stack[i] ? stack[i] : "", len);
        stack_read(&r, stack_function(text, len));
    }
    return stack_told(&r);
}

#define CLASSIFY(...)                            \
    classify((const char *const[]){__VA_ARGS__}, \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

#define TRAITS(...)                               \
    traits_of((const char *const[]){__VA_ARGS__}, \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static uint32_t traits_of(const char *const *stack, size_t n)
{
    return kind_of(stack, n).traits;
}

static enum stack_class classify(const char *const *stack, size_t n)
{
    return kind_of(stack, n).class;
}

/* The table is in order, or some of it could not be found. */
static void test_every_name_is_found(void **state)
{
    unsigned of_class[STACK_N_CLASSES] = {0};
    uint32_t traits = 0;
    struct stack_kind kind;
    const char *func;

    (void)state;
    for (size_t n = 0; (func = stack_class_known(n, &kind)) != NULL; n++) {
        if (stack_class_of(func, strlen(func)) != kind.class)
            fail_msg("%s is not where it is looked for", func);
        if (kind.class == STACK_OTHER && kind.traits == 0)
            fail_msg("%s tells nothing", func);
        if ((kind.class == STACK_POOL || kind.class == STACK_LIMIT) && !stack_word(func))
            fail_msg("%s has no word", func);
        of_class[kind.class]++;
        traits |= kind.traits;
    }
    for (unsigned i = STACK_LOCK; i < STACK_RUNTIME; i++)
        assert_true(of_class[i] > 0);
    for (uint32_t trait = STACK_SERVES; trait <= STACK_SOCKET; trait <<= 1)
        assert_true(trait == STACK_DISPATCHES || (traits & trait)); /* that tells libraries.h */
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

#define SERVED "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve"

/* Whether a request is served is told by functions further out than those that decide the class. */
static void test_requests(void **state)
{
    (void)state;
    assert_true(TRAITS("runtime.chanrecv1", "main.page", SERVED) & STACK_SERVES);
    assert_true(TRAITS("sync.(*Mutex).Lock", "main.page", SERVED) & STACK_SERVES);
    assert_false(TRAITS("net/http.(*connReader).Read", "net/http.(*conn).serve") & STACK_SERVES);
    assert_true(TRAITS("syscall.write", "net.(*netFD).Write", "main.send") & STACK_SOCKET);
    assert_false(TRAITS("syscall.write", "os.(*File).Write", "main.save") & STACK_SOCKET);
    assert_false(TRAITS("runtime.chanrecv1", "main.worker") & STACK_SERVES);
    assert_true(
        TRAITS("runtime.selectgo", "main.get", "google.golang.org/grpc.(*Server).processUnaryRPC") &
        STACK_SERVES);
    assert_false(TRAITS("runtime.selectgo", "main.watch",
                        "google.golang.org/grpc.(*Server).processStreamingRPC") &
                 STACK_SERVES);
    assert_int_equal(TRAITS("runtime.chansend1", "main.page", SERVED),
                     STACK_SENDS | STACK_SERVES | STACK_NEXT);
    assert_true(TRAITS("net/http.(*connReader).Read", "net/http.(*conn).serve") & STACK_NEXT);
    assert_false(TRAITS("net/http.(*connReader).backgroundRead") & STACK_NEXT);
}

#define READS "internal/poll.(*FD).Read", "net.(*conn).Read", "bufio.(*Reader).Peek"

/* To read a request's body or write its answer is no wait for an answer; nor is the next request. */
static void test_clients(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY(READS, "net/http.(*connReader).Read", "bufio.(*Reader).fill",
                              "net/http.(*body).Read", "main.upload", SERVED),
                     STACK_CLIENT);
    assert_int_equal(CLASSIFY("internal/poll.(*FD).Write", "net.(*conn).Write",
                              "net/http.checkConnErrorWriter.Write", "net/http.(*response).Write",
                              "main.page", SERVED),
                     STACK_CLIENT);
    assert_int_equal(CLASSIFY("internal/poll.SendFile", "net.sendFile", "net.(*TCPConn).ReadFrom",
                              "net/http.(*response).ReadFrom", "io.copyBuffer", "main.download",
                              SERVED),
                     STACK_CLIENT);
    assert_int_equal(CLASSIFY(READS, "net/http.(*connReader).Read", "net/http.(*conn).serve"),
                     STACK_LISTENER);
    assert_int_equal(CLASSIFY("internal/poll.SendFile", "net.(*TCPConn).ReadFrom", "main.push"),
                     STACK_OTHER);
    assert_int_equal(CLASSIFY(READS, "net/http.(*bodyEOFSignal).Read",
                              "net/http.(*response).ReadFrom", "main.proxy", SERVED),
                     STACK_CALL);
}

/* The same loop of a server reads requests and calls the program, whatever its functions are called
 * in this version. */
static void test_dispatch(void **state)
{
    static const char *const loops[] = {
        "github.com/valyala/fasthttp.(*Server).serveConn",
        "github.com/valyala/fasthttp.(*Server).serveConnCounted",
        "golang.org/x/net/http2.(*serverConn).runHandler",
        "net/http/internal/http2.(*serverConn).runHandler",
        "github.com/quic-go/quic-go/http3.(*Server).handleRequest",
        "github.com/quic-go/quic-go/http3.(*RawServerConn).handleRequest",
        "github.com/miekg/dns.(*Server).serveDNS",
        "google.golang.org/grpc.(*Server).register.(*Server).wrapUnaryHandler.func1",
        "google.golang.org/grpc.(*Server).processUnaryRPC",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        assert_int_equal(CLASSIFY("runtime.chanrecv1", "main.page", loops[i]), STACK_HANDLER);
        assert_true(TRAITS("runtime.chanrecv1", "main.page", loops[i]) & STACK_SERVES);
        /* The library's own functions between the two change nothing. */
        assert_true(TRAITS("runtime.chanrecv1", "x.org/router.(*Router).Handle", loops[i],
                           "github.com/valyala/fasthttp.CompressHandler.func1", loops[0]) &
                    STACK_SERVES);
    }
    assert_int_equal(CLASSIFY(READS, loops[0]), STACK_LISTENER);
    assert_int_equal(CLASSIFY(READS, loops[1], loops[0]), STACK_LISTENER);
    assert_int_equal(
        CLASSIFY(READS, "github.com/valyala/fasthttp.(*RequestHeader).tryRead", loops[1]),
        STACK_LISTENER);
    /* Who reads through the program's own connection reads no less. */
    assert_int_equal(CLASSIFY(READS, "main.(*counted).Read", "bufio.(*Reader).fill", loops[1]),
                     STACK_LISTENER);
    assert_false(TRAITS(READS, loops[0]) & STACK_SERVES);
    assert_true(TRAITS(READS, loops[1], loops[0]) & STACK_NEXT);
    assert_int_equal(CLASSIFY("runtime.chanrecv1", "google.golang.org/grpc.(*Server).serverWorker"),
                     STACK_LISTENER);
}

/* Of a call of gRPC, a function's name tells that it has one answer. */
static void test_calls_of_grpc(void **state)
{
    static const char rpc[] = "google.golang.org/grpc.(*Server).processRPC";
    static const char unary[] =
        "google.golang.org/grpc.(*Server).register.(*Server).wrapUnaryHandler.func1";

    (void)state;
    assert_true(TRAITS("runtime.chansend1", "main.check", unary, rpc) & STACK_SERVES);
    assert_false(TRAITS("runtime.chansend1", "main.watch", rpc) & STACK_SERVES);
    assert_int_equal(CLASSIFY(READS, "main.watch", rpc), STACK_HANDLER);
    assert_false(TRAITS("runtime.chansend1", "main.watch",
                        "google.golang.org/grpc.(*Server).processStreamingRPC",
                        "google.golang.org/grpc.(*Server).handleStream") &
                 STACK_SERVES);
    assert_int_equal(CLASSIFY(READS, "main.(*creds).ServerHandshake",
                              "google.golang.org/grpc/internal/transport.NewServerTransport",
                              "google.golang.org/grpc.(*Server).handleRawConn"),
                     STACK_LISTENER);
}

/* Who accepts connections calls the program, too: its listener. */
static void test_accepting(void **state)
{
    static const char *const loops[] = {"google.golang.org/grpc.(*Server).Serve",
                                        "google.golang.org/grpc.(*Server).GracefulStop",
                                        "github.com/valyala/fasthttp.(*Server).ServeTLS",
                                        "github.com/miekg/dns.(*Server).ListenAndServe"};

    (void)state;
    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++)
        assert_false(TRAITS("runtime.chanrecv1", "main.(*listener).Accept", loops[i]) &
                     STACK_SERVES);
}

/* A pool is one however it waits; a semaphore says nothing of what it is for. */
static void test_pools(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("runtime.selectgo", "database/sql.(*DB).conn", "main.page", SERVED),
                     STACK_POOL);
    assert_int_equal(CLASSIFY("runtime.selectgo", "golang.org/x/sync/semaphore.(*Weighted).Acquire",
                              "github.com/jackc/puddle/v2.(*Pool[...]).Acquire", "main.page",
                              SERVED),
                     STACK_POOL);
    assert_int_equal(CLASSIFY("runtime.selectgo", "golang.org/x/sync/semaphore.(*Weighted).Acquire",
                              "main.page", SERVED),
                     STACK_LIMIT);
    assert_int_equal(CLASSIFY("sync.(*WaitGroup).Wait", "main.page", SERVED), STACK_JOIN);
    assert_int_equal(CLASSIFY("sync.(*Mutex).Lock", "database/sql.(*DB).conn"), STACK_LOCK);
    assert_string_equal(stack_word("database/sql.(*DB).conn"),
                        "a connection of the pool database/sql");
    assert_null(stack_word("main.page"));
}

/* Whatever the version of a library calls it. */
static void test_pools_of_libraries(void **state)
{
    static const char *const pools[] = {
        "github.com/valyala/fasthttp.(*HostClient).acquireConn",
        "github.com/valyala/fasthttp.(*HostClient).AcquireConn",
        "github.com/jackc/puddle.(*Pool).Acquire",
        "github.com/jackc/puddle/v2.(*Pool[...]).Acquire",
        "github.com/go-redis/redis/v8/internal/pool.(*ConnPool).waitTurn",
        "github.com/redis/go-redis/v9/internal/pool.(*ConnPool).getConn",
        "github.com/gomodule/redigo/redis.(*Pool).waitVacantConn",
        "go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology.(*pool).checkOut",
        "golang.org/x/net/http2.(*ClientConn).awaitOpenSlotForStreamLocked",
        "google.golang.org/grpc/internal/transport.(*http2Client).NewStream",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
        assert_int_equal(CLASSIFY("runtime.selectgo", pools[i], "main.page", SERVED), STACK_POOL);
        if (!stack_word(pools[i]))
            fail_msg("%s has no word", pools[i]);
    }
    assert_int_equal(
        CLASSIFY("runtime.selectgo", "github.com/panjf2000/ants/v2.(*Pool).retrieveWorker"),
        STACK_LIMIT);
    assert_int_equal(CLASSIFY("runtime.selectgo", "x.org/redis.(*ConnPool).Get", "main.warm"),
                     STACK_OTHER);
    assert_int_equal(
        CLASSIFY(READS, "github.com/valyala/fasthttp.(*HostClient).doNonNilReqResp", "main.fetch"),
        STACK_CALL);
}

/* An event loop in C waits for whatever may come. */
static void test_c(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("runtime.cgocall", "kafka._Cfunc_rd_kafka_consumer_poll"),
                     STACK_PARKED);
    assert_int_equal(CLASSIFY("runtime.cgocall", "main._Cfunc_query"), STACK_OTHER);
    assert_int_equal(CLASSIFY("main.pollers"), STACK_OTHER);
    assert_true(TRAITS("runtime.cgocall", "main._Cfunc_query") & STACK_C);
}

/* What only makes the call has one name everywhere. */
static void test_polls(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("syscall.Syscall6", "github.com/cloudwego/netpoll.EpollWait"),
                     STACK_PARKED);
    assert_int_equal(CLASSIFY("internal/poll.runtime_pollWait", "main.query"), STACK_OTHER);
}

/* A proxy of connections waits for whatever may come; what reads an answer does not. */
static void test_tunnels(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("internal/poll.runtime_pollWait", "internal/poll.(*FD).Read",
                              "net.(*conn).Read", "io.copyBuffer", "io.Copy", "main.pipe"),
                     STACK_LISTENER);
    assert_int_equal(CLASSIFY("internal/poll.Splice", "net.spliceFrom", "io.copyBuffer"),
                     STACK_LISTENER);
    assert_int_equal(CLASSIFY("internal/poll.runtime_pollWait", "net.(*conn).Read", "io.copyBuffer",
                              "main.page", SERVED),
                     STACK_HANDLER);
    assert_int_equal(CLASSIFY("internal/poll.runtime_pollWait", "net/http.(*bodyEOFSignal).Read",
                              "io.copyBuffer", "main.fetch"),
                     STACK_CALL);
    assert_int_equal(CLASSIFY("syscall.write", "io.copyBuffer", "main.save"), STACK_OTHER);
}

/* Who gives a mutex back is told from who waits for it; a name is looked up for its caller. */
static void test_calls(void **state)
{
    (void)state;
    assert_int_equal(TRAITS("sync.(*RWMutex).Unlock", "main.put"), STACK_UNLOCKS);
    assert_int_equal(CLASSIFY("sync.(*Mutex).Unlock", "main.put"), STACK_OTHER);
    assert_int_equal(CLASSIFY("runtime.cgocall", "net._C2func_getaddrinfo"), STACK_CALL);
}

/* A body comes over the network, though its reader waits for a condition. */
static void test_bodies(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("sync.(*Cond).Wait", "net/http.(*http2pipe).Read",
                              "net/http.(*http2requestBody).Read", "main.page", SERVED),
                     STACK_LISTENER);
    assert_int_equal(CLASSIFY("sync.(*Cond).Wait", "net/http.(*http2pipe).Read",
                              "net/http.http2transportResponseBody.Read", "main.fetch"),
                     STACK_CALL);
    assert_int_equal(CLASSIFY("sync.(*Cond).Wait", "main.page", SERVED), STACK_JOIN);
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("syscall.read", "os.(*File).Read", "main.stdin"), STACK_READ);
    assert_int_equal(CLASSIFY("syscall.read", "os.(*File).Read", "os.ReadFile", "main.load"),
                     STACK_OTHER);
}

/* Look-ups of names are calls; of commands, if a request waits for one. */
static void test_names_and_commands(void **state)
{
    (void)state;
    assert_int_equal(CLASSIFY("internal/poll.(*FD).Read", "net.(*netFD).Read", "net.(*conn).Read",
                              "net.dnsPacketRoundTrip", "net.(*Resolver).exchange",
                              "net.(*Resolver).tryOneName"),
                     STACK_CALL);
    assert_int_equal(CLASSIFY("runtime.chanrecv1", "net.(*Resolver).goLookupIPCNAMEOrder.func4",
                              "net.(*Resolver).goLookupIPCNAMEOrder", "main.find"),
                     STACK_CALL);
    assert_int_equal(CLASSIFY("os.(*Process).pidfdWait", "os.(*Process).Wait", "main.reap"),
                     STACK_PARKED);
    assert_int_equal(CLASSIFY("os.(*Process).pidfdWait", "os.(*Process).Wait", "main.convert",
                              "net/http.HandlerFunc.ServeHTTP"),
                     STACK_OTHER);
    assert_true(TRAITS("syscall.fstatat", "os.Stat", "main.look") & STACK_OS);
    assert_false(TRAITS("syscall.write", "os/exec.x", "main.look") & STACK_OS);
    assert_true(TRAITS("runtime.Gosched", "runtime.GC", "main.tidy") & STACK_COLLECTS);
}

static void test_strange_stacks(void **state)
{
    (void)state;
    assert_int_equal(kind_of(NULL, 0).class, STACK_OTHER);
    assert_int_equal(kind_of(NULL, 0).traits, 0);
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
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_dispatch),
        cmocka_unit_test(test_calls_of_grpc),
        cmocka_unit_test(test_accepting),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_pools_of_libraries),
        cmocka_unit_test(test_c),
        cmocka_unit_test(test_polls),
        cmocka_unit_test(test_tunnels),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_names_and_commands),
        cmocka_unit_test(test_strange_stacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
