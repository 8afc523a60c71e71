// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// sunk is a sink and what came to it.
type sunk struct{ came chan *Recording }

func newSunk() *sunk { return &sunk{make(chan *Recording, 100)} }

func (s *sunk) option() Option {
	return To(func(_ context.Context, r *Recording) error {
		s.came <- r
		return nil
	})
}

func (s *sunk) none(t *testing.T) {
	t.Helper()
	time.Sleep(20 * time.Millisecond)
	if n := len(s.came); n != 0 {
		t.Error("recordings:", n)
	}
}

func sleeps(d time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(d)
		io.WriteString(w, "done")
	})
}

func TestMiddlewareTakesARecordingOfASlowRequest(t *testing.T) {
	_, k := started(t)
	s := newSunk()
	h := k.middleware(5*time.Millisecond, []Option{s.option()})(sleeps(10 * time.Millisecond))
	if w := get(t, h, "GET"); w.Body.String() != "done" {
		t.Error(w.Body)
	}
	r := receive(t, "the recording", s.came)
	if !strings.HasPrefix(r.Reason, "slow GET ") || !strings.HasSuffix(r.Reason, "ms") || r.Len() != int64(len(aTrace)) {
		t.Error(r.Reason, r.Len())
	}
	get(t, h, "GET")
	s.none(t) // it cools down
}

func TestMiddlewareLeavesFastRequests(t *testing.T) {
	_, k := started(t)
	s := newSunk()
	get(t, k.middleware(time.Minute, []Option{s.option()})(sleeps(0)), "GET")
	get(t, k.middleware(0, []Option{s.option(), Skip(func(*http.Request) bool { return true })})(sleeps(0)), "GET")
	s.none(t)
}

func TestMiddlewareAfterTheCooldown(t *testing.T) {
	_, k := started(t)
	s := newSunk()
	h := k.middleware(0, []Option{s.option(), Cooldown(30 * time.Millisecond)})(sleeps(0))
	begin := time.Now()
	for n := 0; n < 3; {
		get(t, h, "GET")
		select {
		case <-s.came:
			n++
		case <-time.After(time.Millisecond):
		}
	}
	if took := time.Since(begin); took < 60*time.Millisecond {
		t.Error("three within", took)
	}
}

func TestMiddlewareOfManyRequests(t *testing.T) {
	_, k := started(t)
	s := newSunk()
	h := k.middleware(0, []Option{s.option()})(sleeps(0))
	var all sync.WaitGroup
	for range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			get(t, h, "GET")
		}()
	}
	all.Wait()
	receive(t, "one", s.came)
	s.none(t)
}

// A sink that hangs keeps no request waiting, and no second recording is begun.
func TestMiddlewareNeverWaits(t *testing.T) {
	_, k := started(t)
	begun, ended := make(chan struct{}, 10), make(chan struct{})
	h := k.middleware(0, []Option{Cooldown(0), To(func(ctx context.Context, _ *Recording) error {
		begun <- struct{}{}
		<-ended
		return nil
	})})(sleeps(0))
	get(t, h, "GET")
	receive(t, "the sink", begun)
	for range 10 {
		get(t, h, "GET")
	}
	time.Sleep(20 * time.Millisecond)
	if len(begun) != 0 {
		t.Error("another one is begun")
	}
	close(ended)
	waitFor(t, "there is a place again", func() bool { get(t, h, "GET"); return len(begun) > 0 })
}

func TestMiddlewareTellsErrors(t *testing.T) {
	f, k := started(t)
	told := make(chan error, 10)
	try := func(sink Sink) error {
		get(t, k.middleware(0, []Option{To(sink), OnError(func(err error) { told <- err })})(sleeps(0)), "GET")
		err := receive(t, "the error", told)
		waitFor(t, "its place is free", func() bool { return !k.watching.Load() })
		return err
	}
	gone := errors.New("gone")
	if err := try(func(context.Context, *Recording) error { return gone }); !errors.Is(err, gone) {
		t.Error(err)
	}
	if err := try(func(context.Context, *Recording) error { panic("at the sink") }); !strings.Contains(err.Error(), "at the sink") {
		t.Error(err)
	}
	f.writeErr = errors.New("no space")
	if err := try(func(context.Context, *Recording) error { return nil }); !errors.Is(err, f.writeErr) {
		t.Error(err)
	}
}

func TestMiddlewareGivesTheSinkATimeout(t *testing.T) {
	_, k := started(t)
	told := make(chan error, 1)
	h := k.middleware(0, []Option{
		Timeout(time.Millisecond), OnError(func(err error) { told <- err }),
		To(func(ctx context.Context, _ *Recording) error {
			<-ctx.Done()
			return ctx.Err()
		}),
	})(sleeps(0))
	get(t, h, "GET")
	if err := receive(t, "the error", told); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestMiddlewareStartsTheRecorder(t *testing.T) {
	f, k := faked()
	s := newSunk()
	h := k.middleware(0, []Option{s.option()})(sleeps(0))
	get(t, h, "GET")
	waitFor(t, "the recorder runs", func() bool { return k.phase.Load() == running })
	get(t, h, "GET")
	receive(t, "the recording", s.came)
	k.stop()
	get(t, h, "GET")
	if f.started.Load() != 1 {
		t.Error("it is started again after Stop")
	}
}

func TestMiddlewareWithoutASink(t *testing.T) {
	f, k := faked()
	for _, options := range [][]Option{nil, {PushTo("")}} {
		if w := get(t, k.middleware(0, options)(sleeps(0)), "GET"); w.Body.String() != "done" {
			t.Error(w.Body)
		}
	}
	time.Sleep(10 * time.Millisecond)
	if f.started.Load() != 0 {
		t.Error("a recorder for nobody")
	}
}

func TestMiddlewarePanicsGoThrough(t *testing.T) {
	for _, value := range []any{"of the handler", http.ErrAbortHandler} {
		_, k := started(t)
		s := newSunk()
		h := k.middleware(0, []Option{s.option()})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(value) }))
		func() {
			defer func() {
				if got := recover(); got != value {
					t.Error("another panic:", got)
				}
			}()
			get(t, h, "GET")
		}()
		receive(t, "the recording", s.came)
	}
}

// A request that goes on is recorded before its beginning is overwritten, and once.
func TestMiddlewareOfARequestThatGoesOn(t *testing.T) {
	_, k := faked()
	if err := k.start(context.Background(), Config{MinAge: 40 * time.Millisecond}, false); err != nil {
		t.Fatal(err)
	}
	s, ended := newSunk(), make(chan struct{})
	h := k.middleware(time.Millisecond, []Option{s.option(), Cooldown(0)})(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-ended
			r.Method, r.URL.Path = "CHANGED", "/changed"
		}))
	answered := make(chan struct{})
	go func() {
		get(t, h, "GET")
		close(answered)
	}()
	if r := receive(t, "the recording", s.came); !strings.HasPrefix(r.Reason, "slow GET ") || !strings.HasSuffix(r.Reason, " and not over") {
		t.Error(r.Reason)
	}
	close(ended)
	receive(t, "the answer", answered)
	s.none(t)
}

func TestMiddlewareOfAStream(t *testing.T) {
	_, k := started(t)
	s := newSunk()
	pause := 500 * time.Millisecond
	stream := func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
			time.Sleep(pause)
		}
	}
	// Only what was before the first flush counts.
	w := get(t, k.middleware(2*pause, []Option{s.option()})(http.HandlerFunc(stream)), "GET")
	if !w.Flushed {
		t.Error("nothing was flushed")
	}
	s.none(t)
	late := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(pause)
		pause = 0
		stream(w, r)
	}
	get(t, k.middleware(pause, []Option{s.option(), Cooldown(0)})(http.HandlerFunc(late)), "GET")
	receive(t, "the recording", s.came)
	s.none(t)
}

func TestMiddlewareLeavesHijackedOnes(t *testing.T) {
	_, k := started(t)
	s := newSunk()
	ways := map[string]func(http.ResponseWriter) (net.Conn, error){
		"an assertion": func(w http.ResponseWriter) (net.Conn, error) {
			c, _, err := w.(http.Hijacker).Hijack()
			return c, err
		},
		"a ResponseController": func(w http.ResponseWriter) (net.Conn, error) {
			c, _, err := http.NewResponseController(w).Hijack()
			return c, err
		},
	}
	for name, hijack := range ways {
		server := httptest.NewServer(k.middleware(0, []Option{s.option(), Cooldown(0)})(
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				c, err := hijack(w)
				if err != nil {
					t.Error(name, err)
					return
				}
				io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
				c.Close()
			})))
		response, err := http.Get(server.URL)
		if err != nil || response.StatusCode != 101 {
			t.Error(name, err)
		} else {
			response.Body.Close()
		}
		server.Close()
		s.none(t)
	}
}

// What a handler can do without the middleware, it can do with it, and nothing else.
func TestMiddlewareOffersWhatTheResponseHas(t *testing.T) {
	_, k := started(t)
	abilities := func(w http.ResponseWriter) (can [4]bool) {
		_, can[0] = w.(http.Flusher)
		_, can[1] = w.(http.Hijacker)
		_, can[2] = w.(io.ReaderFrom)
		_, can[3] = w.(http.Pusher)
		return can
	}
	var without, with [4]bool
	var deadline error
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		with = abilities(w)
		deadline = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute))
		io.WriteString(w, "done")
	})
	wrapped := k.middleware(time.Minute, []Option{newSunk().option()})(inner)
	for _, version := range []int{1, 2} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			without = abilities(w)
			wrapped.ServeHTTP(w, r)
		}))
		server.EnableHTTP2 = version == 2
		server.StartTLS()
		response, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.ProtoMajor != version || with != without || deadline != nil {
			t.Error("HTTP", response.Proto, with, "instead of", without, deadline)
		}
		server.Close()
	}
	// Of a response that can flush alone, of one behind a wrapper, and of one that can nothing.
	wrapped.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if with != [4]bool{true, false, false, false} {
		t.Error("a recorder:", with)
	}
	wrapped.ServeHTTP(&watched{ResponseWriter: httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil))
	if with != [4]bool{true, false, false, false} {
		t.Error("a wrapped recorder:", with)
	}
	wrapped.ServeHTTP(struct{ http.ResponseWriter }{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil))
	if with != [4]bool{} {
		t.Error("a plain one:", with)
	}
}

func TestReasons(t *testing.T) {
	for want, slow := range map[string]Slow{
		"slow GET 1.234s":             {Method: "GET", Path: "/users/alice", Took: 1234 * time.Millisecond},
		"slow GET /users/{id} 20ms":   {Method: "GET", Pattern: "GET /users/{id}", Took: 20 * time.Millisecond},
		"slow PUT 20ms":               {Method: "PUT", Pattern: "/", Took: 20 * time.Millisecond},
		"slow POST 7.5s and not over": {Method: "POST", Took: 7500 * time.Millisecond, Open: true},
	} {
		if got := slow.String(); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	_, k := started(t)
	s := newSunk()
	get(t, k.middleware(0, []Option{s.option(), Reason(func(s Slow) string { return "p " + s.Path })})(sleeps(0)), "GET")
	if r := receive(t, "the recording", s.came); r.Reason != "p /debug/flightrecorder" {
		t.Error(r.Reason)
	}
}

func TestMiddlewarePushes(t *testing.T) {
	_, k := started(t)
	c := newContraced(t)
	h := k.middleware(0, []Option{PushTo(c.url, Token("secret"))})(sleeps(0))
	get(t, h, "GET")
	r := receive(t, "the push", c.came)
	if !strings.HasPrefix(r.reason, "slow GET ") || r.header.Get("Authorization") != "Bearer secret" {
		t.Error(r.reason, r.header)
	}
}

func BenchmarkMiddleware(b *testing.B) {
	_, k := faked()
	if err := k.start(context.Background(), Config{}, false); err != nil {
		b.Fatal(err)
	}
	h := k.middleware(time.Minute, []Option{newSunk().option()})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	b.ReportAllocs()
	for range b.N {
		h.ServeHTTP(w, r)
	}
}
