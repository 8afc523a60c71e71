/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/stackclass.h"

#include <stdbool.h>
#include <string.h>

/* Names are compared whole. Ordered by length, then by bytes. */
struct known {
    const char *func;
    enum stack_class class;
};

static const struct known table[] = {
    {"syscall.Read", STACK_READ},
    {"syscall.read", STACK_READ},
    {"syscall.Pause", STACK_PARKED},
    {"syscall.Wait4", STACK_PARKED},
    {"syscall.wait4", STACK_PARKED},
    {"os/signal.loop", STACK_PARKED},
    {"syscall.Accept", STACK_PARKED},
    {"syscall.Select", STACK_PARKED},
    {"syscall.Accept4", STACK_PARKED},
    {"syscall.Recvmsg", STACK_PARKED},
    {"syscall.Recvfrom", STACK_PARKED},
    {"sync.(*Cond).Wait", STACK_JOIN},
    {"syscall.EpollWait", STACK_PARKED},
    {"os.(*Process).Wait", STACK_PARKED},
    {"os.(*Process).wait", STACK_PARKED},
    {"runtime/trace.Stop", STACK_TRACER},
    {"sync.(*Mutex).Lock", STACK_LOCK},
    {"runtime/trace.Start", STACK_TRACER},
    {"net.(*netFD).connect", STACK_CALL},
    {"net/http/pprof.Trace", STACK_TRACER},
    {"net/http/pprof.sleep", STACK_TRACER},
    {"sync.(*RWMutex).Lock", STACK_LOCK},
    {"os/signal.signal_recv", STACK_PARKED},
    {"sync.(*RWMutex).RLock", STACK_LOCK},
    {"net/http.(*conn).serve", STACK_LISTENER},
    {"net/http/pprof.Profile", STACK_TRACER},
    {"net/rpc.(*Client).Call", STACK_CALL},
    {"sync.(*Mutex).lockSlow", STACK_LOCK},
    {"sync.(*WaitGroup).Wait", STACK_JOIN},
    {"net.(*UDPConn).ReadFrom", STACK_LISTENER},
    {"net/rpc.(*Client).input", STACK_LISTENER},
    {"net/rpc.(*service).call", STACK_HANDLER},
    {"os.(*Process).pidfdWait", STACK_PARKED},
    {"net.(*UDPConn).ReadMsgUDP", STACK_LISTENER},
    {"runtime/trace.Start.func1", STACK_TRACER},
    {"golang.org/x/sys/unix.Poll", STACK_PARKED},
    {"golang.org/x/sys/unix.Read", STACK_READ},
    {"golang.org/x/sys/unix.read", STACK_READ},
    {"internal/poll.(*FD).Accept", STACK_LISTENER},
    {"net.(*UDPConn).ReadFromUDP", STACK_LISTENER},
    {"golang.org/x/sys/unix.Pause", STACK_PARKED},
    {"golang.org/x/sys/unix.Ppoll", STACK_PARKED},
    {"golang.org/x/sys/unix.Wait4", STACK_PARKED},
    {"internal/sync.(*Mutex).Lock", STACK_LOCK},
    {"runtime/pprof.profileWriter", STACK_TRACER},
    {"golang.org/x/sys/unix.Accept", STACK_PARKED},
    {"golang.org/x/sys/unix.Select", STACK_PARKED},
    {"golang.org/x/sys/unix.Waitid", STACK_PARKED},
    {"internal/poll.(*FD).readLock", STACK_LISTENER},
    {"net.(*Resolver).lookupIPAddr", STACK_CALL},
    {"sync.runtime_SemacquireMutex", STACK_LOCK},
    {"golang.org/x/sys/unix.Accept4", STACK_PARKED},
    {"golang.org/x/sys/unix.Pselect", STACK_PARKED},
    {"golang.org/x/sys/unix.Recvmsg", STACK_PARKED},
    {"internal/poll.(*FD).writeLock", STACK_LOCK},
    {"net/http.(*Transport).getConn", STACK_CALL},
    {"net/rpc.(*Server).readRequest", STACK_LISTENER},
    {"golang.org/x/sys/unix.Recvfrom", STACK_PARKED},
    {"net/http.(*ServeMux).ServeHTTP", STACK_HANDLER},
    {"net/http.(*bodyEOFSignal).Read", STACK_CALL},
    {"net/http.HandlerFunc.ServeHTTP", STACK_HANDLER},
    {"sync.runtime_SemacquireRWMutex", STACK_LOCK},
    {"golang.org/x/sys/unix.EpollWait", STACK_PARKED},
    {"internal/sync.(*Mutex).lockSlow", STACK_LOCK},
    {"runtime/trace.(*recorder).Write", STACK_TRACER},
    {"sync.runtime_SemacquireRWMutexR", STACK_LOCK},
    {"net/http.(*persistConn).readLoop", STACK_LISTENER},
    {"net/http.serverHandler.ServeHTTP", STACK_HANDLER},
    {"os.(*Process).blockUntilWaitable", STACK_PARKED},
    {"net/http.(*persistConn).roundTrip", STACK_CALL},
    {"nhooyr.io/websocket.(*Conn).Reader", STACK_LISTENER},
    {"golang.org/x/sys/unix.RecvmsgBuffers", STACK_PARKED},
    {"net/http.(*http2ClientConn).readLoop", STACK_LISTENER},
    {"internal/sync.runtime_SemacquireMutex", STACK_LOCK},
    {"net/http.(*connReader).backgroundRead", STACK_LISTENER},
    {"net/http.(*http2ClientConn).RoundTrip", STACK_CALL},
    {"net/http.(*http2ClientConn).roundTrip", STACK_CALL},
    {"net/http.(*http2serverConn).readFrames", STACK_LISTENER},
    {"golang.org/x/net/websocket.(*Conn).Read", STACK_LISTENER},
    {"net/http.(*http2clientConnReadLoop).run", STACK_LISTENER},
    {"golang.org/x/sync/errgroup.(*Group).Wait", STACK_JOIN},
    {"github.com/coder/websocket.(*Conn).Reader", STACK_LISTENER},
    {"github.com/hashicorp/yamux.(*Session).recv", STACK_LISTENER},
    {"google.golang.org/grpc.(*ClientConn).Invoke", STACK_CALL},
    {"github.com/libp2p/go-yamux/v4.(*Session).recv", STACK_LISTENER},
    {"github.com/nats-io/nats%2ego.(*Conn).readLoop", STACK_LISTENER},
    {"golang.org/x/net/http2.(*ClientConn).readLoop", STACK_LISTENER},
    {"runtime/trace.(*traceMultiplexer).startLocked", STACK_TRACER},
    {"golang.org/x/net/http2.(*ClientConn).RoundTrip", STACK_CALL},
    {"golang.org/x/net/http2.(*ClientConn).roundTrip", STACK_CALL},
    {"github.com/gorilla/websocket.(*Conn).NextReader", STACK_LISTENER},
    {"github.com/valyala/fasthttp.(*Server).serveConn", STACK_LISTENER},
    {"golang.org/x/net/http2.(*serverConn).readFrames", STACK_LISTENER},
    {"github.com/IBM/sarama.(*Broker).responseReceiver", STACK_LISTENER},
    {"golang.org/x/net/http2.(*clientConnReadLoop).run", STACK_LISTENER},
    {"google.golang.org/grpc.(*Server).processUnaryRPC", STACK_HANDLER},
    {"github.com/fsnotify/fsnotify.(*Watcher).readEvents", STACK_LISTENER},
    {"github.com/fsnotify/fsnotify.(*inotify).readEvents", STACK_LISTENER},
    {"github.com/lib/pq.(*ListenerConn).listenerConnLoop", STACK_LISTENER},
    {"github.com/rabbitmq/amqp091-go.(*Connection).reader", STACK_LISTENER},
    {"runtime/trace.(*traceMultiplexer).startLocked.func1", STACK_TRACER},
    {"google.golang.org/grpc.(*Server).processStreamingRPC", STACK_HANDLER},
    {"github.com/redis/go-redis/v9.(*PubSub).ReceiveTimeout", STACK_LISTENER},
    {"golang.org/x/crypto/ssh.(*handshakeTransport).readLoop", STACK_LISTENER},
    {"github.com/twmb/franz-go/pkg/kgo.(*brokerCxn).handleResps", STACK_LISTENER},
    {"google.golang.org/grpc/internal/transport.(*http2Client).reader", STACK_LISTENER},
    {"google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams", STACK_LISTENER},
};

#define N_KNOWN (sizeof(table) / sizeof(table[0]))

static int compare(const char *func, size_t len, const struct known *known)
{
    size_t n = strlen(known->func);

    if (len != n)
        return len < n ? -1 : 1;
    return memcmp(func, known->func, n);
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

/* A read says little by itself: further out the stack may tell who needs it. */
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
