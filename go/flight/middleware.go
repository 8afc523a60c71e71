// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"runtime/trace"
	"sync/atomic"
	"time"
)

const (
	defaultCooldown = 5 * time.Minute
	defaultTimeout  = 30 * time.Second
	lazyPause       = time.Minute // between two tries to start the recorder
	everything      = "/"         // a pattern that says nothing, of a mux around us
)

// Sink takes a recording somewhere. ctx ends after the [Timeout].
type Sink func(ctx context.Context, r *Recording) error

// Slow is a request that took longer than the threshold.
type Slow struct {
	Method, Path string
	Pattern      string // of the [http.ServeMux], if there is one, from Go 1.23 on
	Took         time.Duration
	Open         bool // it is not over yet
}

// Option is what Middleware does beside watching.
type Option func(*watcher)

// To has recordings handed to a function, which is called by a goroutine of its own.
func To(sink Sink) Option { return func(m *watcher) { m.sink = sink } }

// PushTo has recordings sent to a receiver, as [Push] does. With an empty url, as
// from a variable that is not set, none are taken.
func PushTo(url string, options ...PushOption) Option {
	if url == "" {
		return To(nil)
	}
	return To(func(ctx context.Context, r *Recording) error {
		_, err := r.Push(ctx, url, options...)
		return err
	})
}

// Cooldown is the least time between two recordings. The default is 5 minutes.
func Cooldown(d time.Duration) Option { return func(m *watcher) { m.cooldown = d } }

// Timeout is how long a recording and its sink may take. The default is 30 s.
func Timeout(d time.Duration) Option { return func(m *watcher) { m.timeout = d } }

// Reason words a recording's reason. The default is like "slow GET /users/{id} 1.2s";
// without a pattern it has no path, which may hold what is nobody's business.
func Reason(f func(Slow) string) Option { return func(m *watcher) { m.reason = f } }

// Skip leaves out requests for which f is true: those that are meant to be slow.
func Skip(f func(*http.Request) bool) Option { return func(m *watcher) { m.skip = f } }

// OnError is told when no recording could be taken, or the sink failed. The default
// is [log.Print].
func OnError(f func(error)) Option { return func(m *watcher) { m.onError = f } }

// NoTasks has Middleware make no tasks, where something else makes one for each request.
func NoTasks() Option { return func(m *watcher) { m.noTasks = true } }

// Middleware wraps a handler. When a request took longer than the threshold, it
// takes a recording and hands it to the sink of [To] or [PushTo], in a goroutine of
// its own: no request waits. It takes one at a time, and one within a [Cooldown].
//
// A request ends when its handler returns or panics; a streamed one at its first
// flush. One that is hijacked, as for a WebSocket, does not count. One that goes on
// until its beginning is about to be overwritten, after three quarters of
// [Config].MinAge, is recorded then.
//
// While an execution trace is taken, each request is a task in it, with the ids of
// its traceparent header; see [Stamp].
func Middleware(threshold time.Duration, options ...Option) func(http.Handler) http.Handler {
	return process.middleware(threshold, options)
}

func (k *keeper) middleware(threshold time.Duration, options []Option) func(http.Handler) http.Handler {
	m := &watcher{
		keeper: k, threshold: threshold, cooldown: defaultCooldown, timeout: defaultTimeout,
		reason:  Slow.String,
		onError: func(err error) { log.Print(err) },
	}
	for _, option := range options {
		option(m)
	}
	if k.create == nil {
		m.sink = nil
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(next, w, r) })
	}
}

// watcher is one Middleware.
type watcher struct {
	keeper              *keeper
	threshold           time.Duration
	cooldown, timeout   time.Duration
	sink                Sink
	reason              func(Slow) string
	skip                func(*http.Request) bool
	onError             func(error)
	noTasks             bool
	lastTaken, lastLazy atomic.Int64 // by ticks
}

func (m *watcher) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	if !m.noTasks && trace.IsEnabled() {
		ctx, task := trace.NewTask(r.Context(), taskName(r))
		defer task.End()
		stampParent(ctx, r.Header.Get("Traceparent"))
		whole := r
		r = r.WithContext(ctx)
		defer func() { routed(whole, r) }()
	}
	if m.sink == nil || !m.isReady() || m.skip != nil && m.skip(r) {
		next.ServeHTTP(w, r)
		return
	}
	seen := &watched{ResponseWriter: w, watcher: m, request: r, begin: time.Now(),
		slow: Slow{Method: r.Method, Path: r.URL.Path, Pattern: pattern(r)}}
	seen.late = time.AfterFunc(m.lateAfter(), func() { seen.settle(true, true) })
	defer seen.settle(false, false)
	next.ServeHTTP(seen.offering(), r)
}

// taskName is one of a few: names are kept as long as a trace.
func taskName(r *http.Request) string {
	if p := pattern(r); p != "" && p != everything {
		return p
	}
	return "http request"
}

// isReady tells whether the recorder runs. The first who asks has it started.
func (m *watcher) isReady() bool {
	switch m.keeper.phase.Load() {
	case running:
		return true
	case unused:
		if isDue(&m.lastLazy, lazyPause) {
			go m.startLazily()
		}
	}
	return false
}

func (m *watcher) startLazily() {
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	err := m.keeper.start(ctx, Config{}, true)
	if err != nil && !errors.Is(err, ErrStopped) {
		m.onError(err)
	}
}

// lateAfter is when a request that still goes on must be recorded.
func (m *watcher) lateAfter() time.Duration {
	return max(m.threshold, time.Duration(m.keeper.age.Load())/4*3)
}

// take begins to take a recording, unless there was one lately.
func (m *watcher) take(slow Slow) {
	if !m.keeper.watching.CompareAndSwap(false, true) {
		return
	}
	if !isDue(&m.lastTaken, m.cooldown) {
		m.keeper.watching.Store(false)
		return
	}
	go func() {
		defer m.keeper.watching.Store(false)
		if err := m.deliver(slow); err != nil {
			m.onError(fmt.Errorf("flight: a slow request's recording is lost: %w", err))
		}
	}()
}

func (m *watcher) deliver(slow Slow) (err error) {
	defer func() {
		if p := recover(); p != nil { // of the sink: no reason for the service to end
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	recording, err := m.keeper.snapshot(ctx, m.reason(slow))
	if err != nil {
		return err
	}
	return m.sink(ctx, recording)
}

// String is the default reason.
func (s Slow) String() string {
	text := "slow " + s.Method
	if s.Pattern != "" && s.Pattern != everything {
		text = "slow " + s.Pattern
	}
	text += " " + s.Took.Round(time.Millisecond).String()
	if s.Open {
		text += " and not over"
	}
	return text
}

var begin = time.Now()

// isDue tells whether the time since it last said so is over.
func isDue(last *atomic.Int64, pause time.Duration) bool {
	now, then := int64(time.Since(begin))+1, last.Load()
	return (then == 0 || now-then >= int64(pause)) && last.CompareAndSwap(then, now)
}
