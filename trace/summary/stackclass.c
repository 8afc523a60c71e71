/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/stackclass.h"

#include <stdbool.h>
#include <string.h>

/* The table is ordered by the names' length, then by their bytes. Names are compared whole. */
struct known {
    const char *func;
    size_t len;
    enum stack_class class;
};

#define NAME(text) (text), sizeof(text) - 1

static const struct known table[] = {
    {NAME("syscall.Read"), STACK_READ},
    {NAME("syscall.read"), STACK_READ},
    {NAME("syscall.Pause"), STACK_PARKED},
    {NAME("syscall.Wait4"), STACK_PARKED},
    {NAME("syscall.wait4"), STACK_PARKED},
    {NAME("os/signal.loop"), STACK_PARKED},
    {NAME("syscall.Accept"), STACK_PARKED},
    {NAME("syscall.Select"), STACK_PARKED},
    {NAME("syscall.Accept4"), STACK_PARKED},
    {NAME("syscall.Recvmsg"), STACK_PARKED},
    {NAME("syscall.Recvfrom"), STACK_PARKED},
    {NAME("sync.(*Cond).Wait"), STACK_JOIN},
    {NAME("syscall.EpollWait"), STACK_PARKED},
    {NAME("os.(*Process).Wait"), STACK_PARKED},
    {NAME("os.(*Process).wait"), STACK_PARKED},
    {NAME("runtime/trace.Stop"), STACK_TRACER},
    {NAME("sync.(*Mutex).Lock"), STACK_LOCK},
    {NAME("runtime/trace.Start"), STACK_TRACER},
    {NAME("net.(*netFD).connect"), STACK_CALL},
    {NAME("net/http/pprof.Trace"), STACK_TRACER},
    {NAME("net/http/pprof.sleep"), STACK_TRACER},
    {NAME("sync.(*RWMutex).Lock"), STACK_LOCK},
    {NAME("os/signal.signal_recv"), STACK_PARKED},
    {NAME("sync.(*RWMutex).RLock"), STACK_LOCK},
    {NAME("net/http.(*conn).serve"), STACK_LISTENER},
    {NAME("net/http/pprof.Profile"), STACK_TRACER},
    {NAME("net/rpc.(*Client).Call"), STACK_CALL},
    {NAME("sync.(*Mutex).lockSlow"), STACK_LOCK},
    {NAME("sync.(*WaitGroup).Wait"), STACK_JOIN},
    {NAME("net.(*UDPConn).ReadFrom"), STACK_LISTENER},
    {NAME("net/rpc.(*Client).input"), STACK_LISTENER},
    {NAME("net/rpc.(*service).call"), STACK_HANDLER},
    {NAME("os.(*Process).pidfdWait"), STACK_PARKED},
    {NAME("net.(*UDPConn).ReadMsgUDP"), STACK_LISTENER},
    {NAME("runtime/trace.Start.func1"), STACK_TRACER},
    {NAME("golang.org/x/sys/unix.Poll"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Read"), STACK_READ},
    {NAME("golang.org/x/sys/unix.read"), STACK_READ},
    {NAME("internal/poll.(*FD).Accept"), STACK_LISTENER},
    {NAME("net.(*UDPConn).ReadFromUDP"), STACK_LISTENER},
    {NAME("golang.org/x/sys/unix.Pause"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Ppoll"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Wait4"), STACK_PARKED},
    {NAME("internal/sync.(*Mutex).Lock"), STACK_LOCK},
    {NAME("runtime/pprof.profileWriter"), STACK_TRACER},
    {NAME("database/sql.(*Tx).awaitDone"), STACK_LISTENER},
    {NAME("golang.org/x/sys/unix.Accept"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Select"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Waitid"), STACK_PARKED},
    {NAME("internal/poll.(*FD).readLock"), STACK_LISTENER},
    {NAME("net.(*Resolver).lookupIPAddr"), STACK_CALL},
    {NAME("sync.runtime_SemacquireMutex"), STACK_LOCK},
    {NAME("golang.org/x/sys/unix.Accept4"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Pselect"), STACK_PARKED},
    {NAME("golang.org/x/sys/unix.Recvmsg"), STACK_PARKED},
    {NAME("internal/poll.(*FD).writeLock"), STACK_LOCK},
    {NAME("net/http.(*Transport).getConn"), STACK_CALL},
    {NAME("net/rpc.(*Server).readRequest"), STACK_LISTENER},
    {NAME("os/signal.NotifyContext.func1"), STACK_PARKED},
    {NAME("database/sql.(*Rows).awaitDone"), STACK_LISTENER},
    {NAME("golang.org/x/sys/unix.Recvfrom"), STACK_PARKED},
    {NAME("net/http.(*ServeMux).ServeHTTP"), STACK_HANDLER},
    {NAME("net/http.(*bodyEOFSignal).Read"), STACK_CALL},
    {NAME("net/http.HandlerFunc.ServeHTTP"), STACK_HANDLER},
    {NAME("sync.runtime_SemacquireRWMutex"), STACK_LOCK},
    {NAME("golang.org/x/sys/unix.EpollWait"), STACK_PARKED},
    {NAME("internal/sync.(*Mutex).lockSlow"), STACK_LOCK},
    {NAME("runtime/trace.(*recorder).Write"), STACK_TRACER},
    {NAME("sync.runtime_SemacquireRWMutexR"), STACK_LOCK},
    {NAME("net/http.(*persistConn).readLoop"), STACK_LISTENER},
    {NAME("net/http.serverHandler.ServeHTTP"), STACK_HANDLER},
    {NAME("os.(*Process).blockUntilWaitable"), STACK_PARKED},
    {NAME("net/http.(*persistConn).roundTrip"), STACK_CALL},
    {NAME("net/http.(*persistConn).writeLoop"), STACK_LISTENER},
    {NAME("nhooyr.io/websocket.(*Conn).Reader"), STACK_LISTENER},
    {NAME("database/sql.(*DB).connectionOpener"), STACK_LISTENER},
    {NAME("database/sql.(*DB).connectionCleaner"), STACK_LISTENER},
    {NAME("golang.org/x/sys/unix.RecvmsgBuffers"), STACK_PARKED},
    {NAME("net/http.(*http2ClientConn).readLoop"), STACK_LISTENER},
    {NAME("internal/sync.runtime_SemacquireMutex"), STACK_LOCK},
    {NAME("net/http.(*connReader).backgroundRead"), STACK_LISTENER},
    {NAME("net/http.(*http2ClientConn).RoundTrip"), STACK_CALL},
    {NAME("net/http.(*http2ClientConn).roundTrip"), STACK_CALL},
    {NAME("net/http.(*http2serverConn).readFrames"), STACK_LISTENER},
    {NAME("golang.org/x/net/websocket.(*Conn).Read"), STACK_LISTENER},
    {NAME("net/http.(*http2clientConnReadLoop).run"), STACK_LISTENER},
    {NAME("golang.org/x/sync/errgroup.(*Group).Wait"), STACK_JOIN},
    {NAME("github.com/coder/websocket.(*Conn).Reader"), STACK_LISTENER},
    {NAME("github.com/hashicorp/yamux.(*Session).recv"), STACK_LISTENER},
    {NAME("google.golang.org/grpc.(*ClientConn).Invoke"), STACK_CALL},
    {NAME("github.com/libp2p/go-yamux/v4.(*Session).recv"), STACK_LISTENER},
    {NAME("github.com/nats-io/nats%2ego.(*Conn).readLoop"), STACK_LISTENER},
    {NAME("golang.org/x/net/http2.(*ClientConn).readLoop"), STACK_LISTENER},
    {NAME("runtime/trace.(*traceMultiplexer).startLocked"), STACK_TRACER},
    {NAME("golang.org/x/net/http2.(*ClientConn).RoundTrip"), STACK_CALL},
    {NAME("golang.org/x/net/http2.(*ClientConn).roundTrip"), STACK_CALL},
    {NAME("github.com/gorilla/websocket.(*Conn).NextReader"), STACK_LISTENER},
    {NAME("github.com/valyala/fasthttp.(*Server).serveConn"), STACK_LISTENER},
    {NAME("golang.org/x/net/http2.(*serverConn).readFrames"), STACK_LISTENER},
    {NAME("github.com/IBM/sarama.(*Broker).responseReceiver"), STACK_LISTENER},
    {NAME("golang.org/x/net/http2.(*clientConnReadLoop).run"), STACK_LISTENER},
    {NAME("google.golang.org/grpc.(*Server).processUnaryRPC"), STACK_HANDLER},
    {NAME("github.com/fsnotify/fsnotify.(*Watcher).readEvents"), STACK_LISTENER},
    {NAME("github.com/fsnotify/fsnotify.(*inotify).readEvents"), STACK_LISTENER},
    {NAME("github.com/lib/pq.(*ListenerConn).listenerConnLoop"), STACK_LISTENER},
    {NAME("github.com/rabbitmq/amqp091-go.(*Connection).reader"), STACK_LISTENER},
    {NAME("runtime/trace.(*traceMultiplexer).startLocked.func1"), STACK_TRACER},
    {NAME("google.golang.org/grpc.(*Server).processStreamingRPC"), STACK_HANDLER},
    {NAME("github.com/redis/go-redis/v9.(*PubSub).ReceiveTimeout"), STACK_LISTENER},
    {NAME("golang.org/x/crypto/ssh.(*handshakeTransport).readLoop"), STACK_LISTENER},
    {NAME("github.com/twmb/franz-go/pkg/kgo.(*brokerCxn).handleResps"), STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.(*http2Client).reader"), STACK_LISTENER},
    {NAME("google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams"),
     STACK_LISTENER},
};

#define N_KNOWN (sizeof(table) / sizeof(table[0]))

static int compare(const char *func, size_t len, const struct known *known)
{
    if (len != known->len)
        return len < known->len ? -1 : 1;
    return memcmp(func, known->func, len);
}

enum stack_class stack_class_of(const char *func, size_t len)
{
    size_t low = 0;
    size_t high = N_KNOWN;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = compare(func, len, &table[middle]);

        if (c == 0)
            return table[middle].class;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return STACK_OTHER;
}

const char *stack_class_known(size_t n, enum stack_class *ret)
{
    if (n >= N_KNOWN)
        return NULL;
    *ret = table[n].class;
    return table[n].func;
}

const char *stack_class_name(enum stack_class class)
{
    static const char *const names[STACK_N_CLASSES] = {
        [STACK_OTHER] = "other",       [STACK_LOCK] = "lock", [STACK_JOIN] = "join",
        [STACK_LISTENER] = "listener", [STACK_CALL] = "call", [STACK_HANDLER] = "handler",
        [STACK_PARKED] = "parked",     [STACK_READ] = "read", [STACK_TRACER] = "tracer",
        [STACK_RUNTIME] = "runtime",
    };

    return names[class] ? names[class] : "other";
}

/* A read says little by itself: frames further out may tell who needs it. */
static bool decides(enum stack_class class)
{
    return class != STACK_OTHER && class != STACK_READ;
}

enum stack_class stack_classify(const struct gotrace *trace, uint32_t stack)
{
    enum stack_class ret = STACK_OTHER;
    bool only_runtime = true;
    size_t n;
    const uint32_t *frames = gotrace_stack(trace, stack, &n);

    for (size_t i = 0; i < n; i++) {
        const struct gotrace_frame *frame = gotrace_frame(trace, frames[i]);
        size_t len = 0;
        const char *func = frame != NULL ? gotrace_string(trace, frame->func, &len) : "";
        enum stack_class class = stack_class_of(func, len);

        if (decides(class))
            return class;
        if (class == STACK_READ)
            ret = class;
        if (len < 8 || memcmp(func, "runtime.", 8) != 0)
            only_runtime = false;
    }
    return n > 0 && only_runtime ? STACK_RUNTIME : ret;
}
