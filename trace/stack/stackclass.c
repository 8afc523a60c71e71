/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/stack/stackclass.h"

#include <string.h>

#include "trace/stack/libraries.h"
#include "trace/stack/owner.h"

/* The table is ordered by the names' length, then by their bytes. Names are compared whole. */
struct known {
    const char *func;
    size_t len;
    uint32_t kind; /* an enum stack_class and any enum stack_trait */
};

#define CLASS_MASK 0x0fU

#define NAME(text) (text), sizeof(text) - 1
#define BOTH(class, trait) ((uint32_t)(class) | (trait))

static const struct known table[] = {
    {NAME("runtime.GC"), STACK_COLLECTS},
    {NAME("time.Sleep"), STACK_SLEEPS},
    {NAME("os.ReadFile"), STACK_FILE},
    {NAME("syscall.Read"), STACK_READ},
    {NAME("syscall.read"), STACK_READ},
    {NAME("io.copyBuffer"), STACK_COPIES},
    {NAME("syscall.Pause"), STACK_PARKED},
    {NAME("syscall.Wait4"), STACK_PARKED},
    {NAME("syscall.wait4"), STACK_PARKED},
    {NAME("os/signal.loop"), STACK_PARKED},
    {NAME("syscall.Accept"), STACK_PARKED},
    {NAME("syscall.Select"), STACK_PARKED},
    {NAME("runtime.cgocall"), STACK_C},
    {NAME("syscall.Accept4"), STACK_PARKED},
    {NAME("syscall.Recvmsg"), STACK_PARKED},
    {NAME("runtime.selectgo"), STACK_SELECTS},
    {NAME("syscall.Recvfrom"), STACK_PARKED},
    {NAME("net.(*netFD).Read"), STACK_SOCKET},
    {NAME("runtime.ReadTrace"), STACK_TRACER},
    {NAME("runtime.StopTrace"), STACK_TRACER},
    {NAME("runtime.chansend1"), STACK_SENDS},
    {NAME("sync.(*Cond).Wait"), BOTH(STACK_JOIN, STACK_CONDITION)},
    {NAME("syscall.EpollWait"), STACK_PARKED},
    {NAME("net.(*netFD).Write"), STACK_SOCKET},
    {NAME("os.(*Process).Wait"), BOTH(STACK_PARKED, STACK_CHILD)},
    {NAME("os.(*Process).wait"), STACK_PARKED},
    {NAME("runtime.StartTrace"), STACK_TRACER},
    {NAME("runtime/trace.Stop"), STACK_TRACER},
    {NAME("sync.(*Mutex).Lock"), STACK_LOCK},
    {NAME("runtime/trace.Start"), STACK_TRACER},
    {NAME("internal/poll.Splice"), STACK_LISTENER},
    {NAME("net.(*netFD).connect"), STACK_CALL},
    {NAME("net.(*netFD).writeTo"), STACK_SOCKET},
    {NAME("net/http/pprof.Trace"), STACK_TRACER},
    {NAME("net/http/pprof.sleep"), STACK_TRACER},
    {NAME("runtime.traceAdvance"), STACK_TRACER},
    {NAME("sync.(*Mutex).Unlock"), STACK_UNLOCKS},
    {NAME("sync.(*RWMutex).Lock"), STACK_LOCK},
    {NAME("net.(*netFD).writeMsg"), STACK_SOCKET},
    {NAME("os/signal.signal_recv"), STACK_PARKED},
    {NAME("sync.(*RWMutex).RLock"), STACK_LOCK},
    {NAME("internal/poll.SendFile"), STACK_TAKES},
    {NAME("net._Cfunc_getaddrinfo"), STACK_CALL},
    {NAME("net/http.(*conn).serve"), BOTH(STACK_LISTENER, STACK_NEXT)},
    {NAME("net/http/pprof.Profile"), STACK_TRACER},
    {NAME("net/rpc.(*Client).Call"), STACK_CALL},
    {NAME("sync.(*Mutex).lockSlow"), STACK_LOCK},
    {NAME("sync.(*RWMutex).Unlock"), STACK_UNLOCKS},
    {NAME("sync.(*WaitGroup).Wait"), STACK_JOIN},
    {NAME("database/sql.(*DB).conn"), STACK_POOL},
    {NAME("net.(*UDPConn).ReadFrom"), STACK_LISTENER},
    {NAME("net._C2func_getaddrinfo"), STACK_CALL},
    {NAME("net/rpc.(*Client).input"), STACK_LISTENER},
    {NAME("net/rpc.(*service).call"), BOTH(STACK_HANDLER, STACK_SERVES)},
    {NAME("os.(*Process).pidfdWait"), STACK_PARKED},
    {NAME("sync.(*RWMutex).RUnlock"), STACK_UNLOCKS},
    {NAME("net.(*Resolver).LookupMX"), STACK_CALL},
    {NAME("net.(*Resolver).LookupNS"), STACK_CALL},
    {NAME("net.(*Resolver).exchange"), STACK_CALL},
    {NAME("net/http.(*Server).Serve"), STACK_KNOWN_SERVER},
    {NAME("database/sql.(*DB).execDC"), STACK_CALL},
    {NAME("database/sql.(*Tx).Commit"), STACK_CALL},
    {NAME("net.(*Resolver).LookupSRV"), STACK_CALL},
    {NAME("net.(*Resolver).LookupTXT"), STACK_CALL},
    {NAME("net.(*UDPConn).ReadMsgUDP"), STACK_LISTENER},
    {NAME("net.(*netFD).writeToInet4"), STACK_SOCKET},
    {NAME("net.(*netFD).writeToInet6"), STACK_SOCKET},
    {NAME("runtime/trace.Start.func1"), STACK_TRACER},
    {NAME("database/sql.(*DB).queryDC"), STACK_CALL},
    {NAME("golang.org/x/sys/unix.Poll"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Read"), STACK_READ},
    {NAME("golang.org/x/sys/unix.read"), STACK_READ},
    {NAME("internal/poll.(*FD).Accept"), BOTH(STACK_LISTENER, STACK_ACCEPTS)},
    {NAME("net.(*Resolver).LookupAddr"), STACK_CALL},
    {NAME("net.(*Resolver).LookupHost"), STACK_CALL},
    {NAME("net.(*Resolver).lookupHost"), STACK_CALL},
    {NAME("net.(*Resolver).tryOneName"), STACK_CALL},
    {NAME("net.(*UDPConn).ReadFromUDP"), STACK_LISTENER},
    {NAME("net.(*netFD).writeMsgInet4"), STACK_SOCKET},
    {NAME("net.(*netFD).writeMsgInet6"), STACK_SOCKET},
    {NAME("net/http.(*response).Flush"), STACK_FLUSHES},
    {NAME("runtime/debug.FreeOSMemory"), STACK_COLLECTS},
    {NAME("golang.org/x/sys/unix.Pause"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Ppoll"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Wait4"), STACK_PARKED},
    {NAME("internal/sync.(*Mutex).Lock"), STACK_LOCK},
    {NAME("net.(*Resolver).LookupCNAME"), STACK_CALL},
    {NAME("net/http.(*connReader).Read"), STACK_TAKES},
    {NAME("runtime/pprof.profileWriter"), STACK_TRACER},
    {NAME("database/sql.(*Tx).awaitDone"), STACK_LISTENER},
    {NAME("golang.org/x/sys/unix.Accept"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Select"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Waitid"), STACK_PARKED},
    {NAME("internal/poll.(*FD).readLock"), STACK_LISTENER},
    {NAME("net.(*Resolver).lookupIPAddr"), STACK_CALL},
    {NAME("sync.runtime_SemacquireMutex"), STACK_LOCK},
    {NAME("database/sql.ctxDriverPrepare"), STACK_CALL},
    {NAME("golang.org/x/sys/unix.Accept4"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Pselect"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Recvmsg"), STACK_PARKED},
    {NAME("internal/poll.(*FD).writeLock"), STACK_LOCK},
    {NAME("internal/sync.(*Mutex).Unlock"), STACK_UNLOCKS},
    {NAME("net/http.(*Transport).getConn"), STACK_CONN},
    {NAME("net/rpc.(*Server).readRequest"), STACK_LISTENER},
    {NAME("os/signal.NotifyContext.func1"), STACK_PARKED},
    {NAME("database/sql.(*Rows).awaitDone"), STACK_LISTENER},
    {NAME("golang.org/x/sys/unix.Recvfrom"), STACK_PARKED},
    {NAME("internal/poll.runtime_pollWait"), STACK_POLLS},
    {NAME("net/http.(*ServeMux).ServeHTTP"), BOTH(STACK_HANDLER, STACK_SERVES)},
    {NAME("net/http.(*Transport).dialConn"), STACK_DIALS},
    {NAME("net/http.(*bodyEOFSignal).Read"), STACK_CALL},
    {NAME("net/http.HandlerFunc.ServeHTTP"), BOTH(STACK_HANDLER, STACK_SERVES)},
    {NAME("sync.runtime_SemacquireRWMutex"), STACK_LOCK},
    {NAME("database/sql.(*Rows).nextLocked"), STACK_CALL},
    {NAME("database/sql.rowsiFromStatement"), STACK_CALL},
    {NAME("golang.org/x/sys/unix.EpollWait"), STACK_PARKED},
    {NAME("internal/sync.(*Mutex).lockSlow"), STACK_LOCK},
    {NAME("net/http.(*response).FlushError"), STACK_FLUSHES},
    {NAME("runtime/trace.(*recorder).Write"), STACK_TRACER},
    {NAME("sync.runtime_SemacquireRWMutexR"), STACK_LOCK},
    {NAME("database/sql.resultFromStatement"), STACK_CALL},
    {NAME("net/http.(*persistConn).readLoop"), STACK_LISTENER},
    {NAME("net/http.serverHandler.ServeHTTP"), BOTH(STACK_HANDLER, STACK_SERVES)},
    {NAME("os.(*Process).blockUntilWaitable"), STACK_PARKED},
    {NAME("net/http.(*Transport).dialConnFor"), STACK_DIALS},
    {NAME("net/http.(*http2requestBody).Read"), BOTH(STACK_LISTENER, STACK_BODY)},
    {NAME("net/http.(*persistConn).roundTrip"), STACK_CALL},
    {NAME("net/http.(*persistConn).writeLoop"), STACK_LISTENER},
    {NAME("nhooyr.io/websocket.(*Conn).Reader"), STACK_LISTENER},
    {NAME("database/sql.(*DB).connectionOpener"), STACK_LISTENER},
    {NAME("net/http.checkConnErrorWriter.Write"), STACK_CLIENT},
    {NAME("database/sql.(*DB).connectionCleaner"), STACK_LISTENER},
    {NAME("github.com/jackc/pgx/v5.(*Conn).Exec"), STACK_CALL},
    {NAME("github.com/miekg/dns.(*Conn).ReadMsg"), STACK_CALL},
    {NAME("golang.org/x/sys/unix.RecvmsgBuffers"), STACK_PARKED},
    {NAME("net.(*Resolver).goLookupIPCNAMEOrder"), STACK_CALL},
    {NAME("net/http.(*http2ClientConn).readLoop"), STACK_LISTENER},
    {NAME("github.com/jackc/pgx/v5.(*Conn).Query"), STACK_CALL},
    {NAME("internal/sync.runtime_SemacquireMutex"), STACK_LOCK},
    {NAME("net/http.(*connReader).backgroundRead"), STACK_LISTENER},
    {NAME("net/http.(*http2ClientConn).RoundTrip"), STACK_CALL},
    {NAME("net/http.(*http2ClientConn).roundTrip"), STACK_CALL},
    {NAME("net/http.(*http2responseWriter).Flush"), STACK_FLUSHES},
    {NAME("github.com/soheilhy/cmux.(*cMux).Serve"), STACK_KNOWN_SERVER},
    {NAME("golang.org/x/time/rate.(*Limiter).wait"), STACK_LIMIT},
    {NAME("google.golang.org/grpc.(*Server).Serve"), STACK_KNOWN_SERVER},
    {NAME("net/http.(*http2serverConn).readFrames"), STACK_LISTENER},
    {NAME("golang.org/x/net/websocket.(*Conn).Read"), STACK_LISTENER},
    {NAME("golang.org/x/time/rate.(*Limiter).WaitN"), STACK_LIMIT},
    {NAME("net/http.(*http2clientConnReadLoop).run"), STACK_LISTENER},
    {NAME("github.com/jackc/pgx/v5.(*baseRows).Next"), STACK_CALL},
    {NAME("github.com/juju/ratelimit.(*Bucket).Wait"), STACK_LIMIT},
    {NAME("golang.org/x/sync/errgroup.(*Group).Wait"), STACK_JOIN},
    {NAME("net/http.http2transportResponseBody.Read"), BOTH(STACK_CALL, STACK_BODY)},
    {NAME("github.com/coder/websocket.(*Conn).Reader"), STACK_LISTENER},
    {NAME("runtime.(*traceAdvancerState).start.func1"), STACK_TRACER},
    {NAME("github.com/hashicorp/yamux.(*Session).recv"), STACK_LISTENER},
    {NAME("github.com/miekg/dns.(*Conn).ReadMsgHeader"), STACK_CALL},
    {NAME("go.uber.org/ratelimit.(*mutexLimiter).Take"), STACK_LIMIT},
    {NAME("golang.org/x/net/http2.(*requestBody).Read"), BOTH(STACK_LISTENER, STACK_BODY)},
    {NAME("net/http.(*http2responseWriter).FlushError"), STACK_FLUSHES},
    {NAME("github.com/valyala/fasthttp.(*Server).Serve"), STACK_KNOWN_SERVER},
    {NAME("go.uber.org/ratelimit.(*atomicLimiter).Take"), STACK_LIMIT},
    {NAME("google.golang.org/grpc.(*ClientConn).Invoke"), STACK_CALL},
    {NAME("github.com/libp2p/go-yamux/v4.(*Session).recv"), STACK_LISTENER},
    {NAME("github.com/nats-io/nats%2ego.(*Conn).readLoop"), STACK_LISTENER},
    {NAME("golang.org/x/net/http2.(*ClientConn).readLoop"), STACK_LISTENER},
    {NAME("runtime/trace.(*traceMultiplexer).startLocked"), STACK_TRACER},
    {NAME("golang.org/x/net/http2.(*ClientConn).RoundTrip"), STACK_CALL},
    {NAME("golang.org/x/net/http2.(*ClientConn).roundTrip"), STACK_CALL},
    {NAME("google.golang.org/grpc.(*serverStream).RecvMsg"), STACK_LISTENER},
    {NAME("github.com/gorilla/websocket.(*Conn).NextReader"), STACK_LISTENER},
    {NAME("golang.org/x/net/http2.(*serverConn).readFrames"), STACK_LISTENER},
    {NAME("golang.org/x/sync/semaphore.(*Weighted).Acquire"), STACK_LIMIT},
    {NAME("github.com/IBM/sarama.(*Broker).responseReceiver"), STACK_LISTENER},
    {NAME("go.uber.org/ratelimit.(*atomicInt64Limiter).Take"), STACK_LIMIT},
    {NAME("golang.org/x/net/http2.(*clientConnReadLoop).run"), STACK_LISTENER},
    {NAME("net/http.(*http2serverConn).writeDataFromHandler"), STACK_LISTENER},
    {NAME("golang.org/x/net/http2.transportResponseBody.Read"), BOTH(STACK_CALL, STACK_BODY)},
    {NAME("github.com/fsnotify/fsnotify.(*Watcher).readEvents"), STACK_LISTENER},
    {NAME("github.com/fsnotify/fsnotify.(*inotify).readEvents"), STACK_LISTENER},
    {NAME("github.com/lib/pq.(*ListenerConn).listenerConnLoop"), STACK_LISTENER},
    {NAME("github.com/rabbitmq/amqp091-go.(*Connection).reader"), STACK_LISTENER},
    {NAME("runtime/trace.(*traceMultiplexer).startLocked.func1"), STACK_TRACER},
    {NAME("google.golang.org/grpc.(*Server).processStreamingRPC"),
     BOTH(STACK_HANDLER, STACK_STREAMS)},
    {NAME("github.com/redis/go-redis/v9.(*PubSub).ReceiveTimeout"), STACK_LISTENER},
    {NAME("connectrpc.com/connect.NewBidiStreamHandler[...].func1"), STACK_STREAMS},
    {NAME("golang.org/x/crypto/ssh.(*handshakeTransport).readLoop"), STACK_LISTENER},
    {NAME("connectrpc.com/connect.NewClientStreamHandler[...].func1"), STACK_STREAMS},
    {NAME("connectrpc.com/connect.NewServerStreamHandler[...].func1"), STACK_STREAMS},
    {NAME("net/http.(*http2ClientConn).awaitOpenSlotForStreamLocked"), STACK_POOL},
    {NAME("github.com/twmb/franz-go/pkg/kgo.(*brokerCxn).handleResps"), STACK_LISTENER},
    {NAME("golang.org/x/net/http2.(*serverConn).writeDataFromHandler"), STACK_LISTENER},
    {NAME("github.com/nats-io/nats-server/v2/server.(*client).readLoop"), STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.(*writeQuota).get"), STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.NewServerTransport"), STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.(*http2Client).reader"), STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.(*recvBufferReader).read"), STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams"),
     STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.(*recvBufferReader).readMessageHeader"),
     STACK_LISTENER},
};

#define N_KNOWN (sizeof(table) / sizeof(table[0]))

/* What is waited for, by the beginning of the function's name. */
static const struct {
    const char *prefix;
    const char *word;
} words[] = {
    {"database/sql.(*DB).conn", "a connection of the pool database/sql"},
    {"github.com/jackc/puddle", "a connection of the pool pgx (puddle)"},
    {"github.com/redis/go-redis/", "a connection of the pool go-redis"},
    {"github.com/go-redis/redis/", "a connection of the pool go-redis"},
    {"github.com/gomodule/redigo/", "a connection of the pool redigo"},
    {"go.mongodb.org/mongo-driver/", "a connection of the pool of the MongoDB driver"},
    {"github.com/valyala/fasthttp.(*HostClient)", "a connection of the fasthttp client"},
    {"google.golang.org/grpc/internal/transport.(*http2Client)", "a stream of the gRPC connection"},
    {"net/http.(*http2ClientConn).await", "a stream of the HTTP/2 connection"},
    {"golang.org/x/net/http2.(*ClientConn).await", "a stream of the HTTP/2 connection"},
    {"net/http.(*Transport).getConn", "a connection of the HTTP client (MaxConnsPerHost)"},
    {"golang.org/x/time/rate.", "the rate limiter golang.org/x/time/rate"},
    {"go.uber.org/ratelimit.", "the rate limiter go.uber.org/ratelimit"},
    {"github.com/juju/ratelimit.", "the rate limiter github.com/juju/ratelimit"},
    {"golang.org/x/sync/semaphore.", "a semaphore (golang.org/x/sync/semaphore)"},
    {"golang.org/x/sync/singleflight.", "another request's result (singleflight)"},
    {"github.com/panjf2000/ants/", "a worker of the pool ants"},
};

/* Functions in C whose purpose is to wait, by a part of their names. */
static const char *const c_polls[] = {"poll",  "_select", "recv",     "listen",
                                      "_loop", "Loop",    "sem_wait", "cond_wait"};

/* Functions that only make a system call whose purpose is to wait, in whatever library. */
static const char *const polls[] = {".EpollWait",  ".epollWait",   ".epollwait",
                                    ".EpollPwait", ".epoll_wait",  ".io_uring_enter",
                                    ".WaitCQE",    ".IoUringEnter"};

static bool begins(const char *func, size_t len, const char *with)
{
    size_t n = strlen(with);

    return len >= n && memcmp(func, with, n) == 0;
}

static bool has(const char *func, size_t len, const char *part)
{
    return memmem(func, len, part, strlen(part)) != NULL;
}

/* Where the name ends as one of those does; NULL: it does not. */
static const char *poll_ending(const char *func, size_t len)
{
    for (size_t i = 0; i < sizeof(polls) / sizeof(polls[0]); i++) {
        size_t n = strlen(polls[i]);

        if (len > n && memcmp(func + len - n, polls[i], n) == 0)
            return func + len - n;
    }
    return NULL;
}

const char *stack_c_word(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(c_polls) / sizeof(c_polls[0]); i++) {
        if (has(name, len, c_polls[i]))
            return c_polls[i];
    }
    return "";
}

/* An event loop of a library in C sits there for good. cgo calls a function F as _Cfunc_F. */
static const char *poll_in_c(const char *func, size_t len)
{
    const char *word = has(func, len, "._Cfunc_") ? stack_c_word(func, len) : "";

    return *word ? memmem(func, len, word, strlen(word)) : NULL;
}

const char *stack_telling(const char *func, size_t len)
{
    const char *at = poll_ending(func, len);

    return at ? at : poll_in_c(func, len);
}

static int compare(const char *func, size_t len, const struct known *known)
{
    if (len != known->len)
        return len < known->len ? -1 : 1;
    return memcmp(func, known->func, len);
}

/* What the roles of libraries.h tell. */
static const uint32_t roles[] = {
    [LIBRARIES_UNKNOWN] = STACK_OTHER,
    [LIBRARIES_POOL] = STACK_POOL,
    [LIBRARIES_LIMIT] = STACK_LIMIT,
    [LIBRARIES_CALL] = STACK_CALL,
    [LIBRARIES_HANDLES] = BOTH(STACK_HANDLER, STACK_SERVES),
    [LIBRARIES_SERVES] = STACK_SERVES,
    [LIBRARIES_LOOP] = BOTH(STACK_LISTENER, STACK_DISPATCHES),
    [LIBRARIES_CONNECTION] = BOTH(STACK_LISTENER, STACK_DISPATCHES | STACK_NEXT),
    [LIBRARIES_MIXED] = BOTH(STACK_LISTENER, STACK_DISPATCHES | STACK_MIXED),
};

static uint32_t kind_of(const char *func, size_t len)
{
    size_t low = 0;
    size_t high = N_KNOWN;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = compare(func, len, &table[middle]);

        if (c == 0)
            return table[middle].kind;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return stack_telling(func, len) ? STACK_PARKED : roles[libraries_role(func, len)];
}

enum stack_class stack_class_of(const char *func, size_t len)
{
    return kind_of(func, len) & CLASS_MASK;
}

const char *stack_class_known(size_t n, struct stack_kind *ret)
{
    if (n >= N_KNOWN)
        return NULL;
    *ret = (struct stack_kind){table[n].kind & CLASS_MASK, table[n].kind & ~CLASS_MASK};
    return table[n].func;
}

const char *stack_class_name(enum stack_class class)
{
    static const char *const names[STACK_N_CLASSES] = {
        [STACK_OTHER] = "other",       [STACK_LOCK] = "lock",       [STACK_JOIN] = "join",
        [STACK_LISTENER] = "listener", [STACK_CALL] = "call",       [STACK_HANDLER] = "handler",
        [STACK_PARKED] = "parked",     [STACK_READ] = "read",       [STACK_TRACER] = "tracer",
        [STACK_POOL] = "pool",         [STACK_LIMIT] = "limit",     [STACK_CONN] = "conn",
        [STACK_CLIENT] = "client",     [STACK_RUNTIME] = "runtime",
    };

    return names[class] ? names[class] : "other";
}

const char *stack_word(const char *func)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strncmp(func, words[i].prefix, strlen(words[i].prefix)) == 0)
            return words[i].word;
    }
    return NULL;
}

/* Whether a class further out in the stack counts more than the one that is known so far. A read
 * says little by itself. A semaphore or a condition may be how a pool waits. */
static bool outdoes(enum stack_class class, enum stack_class so_far)
{
    switch (so_far) {
    case STACK_OTHER: return true;
    case STACK_READ: return class != STACK_OTHER;
    case STACK_JOIN:
    case STACK_LIMIT: return class == STACK_POOL;
    default: return false;
    }
}

/* The row's package, and the dot behind it. */
static bool is_in_package_of(const char *func, size_t len, const char *known)
{
    size_t n = owner_package(known) + 1;

    return memchr(known, '.', strcspn(known, "/")) && len >= n && memcmp(func, known, n) == 0;
}

bool stack_of_known_package(const char *func, size_t len)
{
    const char *package;

    if (begins(func, len, "golang.org/x/"))
        return true;
    for (size_t i = 0; i < N_KNOWN; i++) {
        if (is_in_package_of(func, len, table[i].func))
            return true;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (is_in_package_of(func, len, words[i].prefix))
            return true;
    }
    for (size_t i = 0; (package = libraries_package(i)) != NULL; i++) {
        if (begins(func, len, package))
            return true;
    }
    return false;
}

#define TRAITS ((STACK_OF_RUNTIME - 1) & ~(CLASS_MASK | STACK_OF_SERVER))

_Static_assert(STACK_OTHER == 0, "a function of no class has no bit of one");

/* The part of net/http that is HTTP/2 has a package of its own from some version on. */
#define HTTP2 "net/http/internal/http2."
#define HTTP2_KNOWN "golang.org/x/net/http2."
#define HTTP2_NAME_MAX 100

static uint32_t kind_in_go(const char *func, size_t len)
{
    char name[sizeof(HTTP2_KNOWN) + HTTP2_NAME_MAX] = HTTP2_KNOWN;
    size_t skip = sizeof(HTTP2) - 1, known = sizeof(HTTP2_KNOWN) - 1;

    if (!begins(func, len, HTTP2) || len - skip > HTTP2_NAME_MAX)
        return kind_of(func, len);
    memcpy(name + known, func + skip, len - skip);
    return kind_of(name, known + len - skip);
}

uint32_t stack_function(const char *func, size_t len)
{
    return kind_in_go(func, len) | (begins(func, len, "os.") ? STACK_OS : 0) |
           (begins(func, len, "runtime.") ? STACK_OF_RUNTIME : 0) |
           (libraries_serve(func, len) ? STACK_OF_SERVER : 0) |
           (len == 0 || owner_is_std_name(func, len) ? STACK_OF_GO : 0) | STACK_MET;
}

void stack_read_telling(struct stack_reading *r, uint32_t function)
{
    uint32_t traits = function & TRAITS;
    enum stack_class class = function & CLASS_MASK;

    if ((traits & STACK_DISPATCHES) && r->in_program) {
        class = STACK_HANDLER;
        traits |= traits & STACK_MIXED ? 0 : STACK_SERVES;
    }
    /* What a body is read from is a condition, too. */
    if (outdoes(class, r->class) || ((traits & STACK_BODY) && r->class == STACK_JOIN))
        r->class = class;
    r->traits |= traits;
}

/* Who passes on what a connection brings, as a proxy does, waits for whatever may come. */
#define TUNNEL (STACK_COPIES | STACK_POLLS)

struct stack_kind stack_told(const struct stack_reading *r)
{
    struct stack_kind kind = {r->class, r->traits};

    if (kind.traits & STACK_STREAMS)
        kind.traits &= ~(uint32_t)STACK_SERVES;
    if (kind.class == STACK_PARKED && (kind.traits & STACK_CHILD) && (kind.traits & STACK_SERVES))
        kind.class = STACK_OTHER; /* a request waits for it */
    if (kind.class == STACK_HANDLER && (kind.traits & STACK_TAKES))
        kind.class = STACK_CLIENT;
    if (kind.class == STACK_READ && (kind.traits & STACK_FILE))
        kind.class = STACK_OTHER;
    if (kind.class == STACK_OTHER && (kind.traits & TUNNEL) == TUNNEL)
        kind.class = STACK_LISTENER;
    if (r->any && !r->beyond_runtime && kind.class == STACK_OTHER)
        kind.class = STACK_RUNTIME;
    return kind;
}
