// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// watched is a response that notices flushes and hijacking, and decides once
// whether its request was slow.
type watched struct {
	http.ResponseWriter
	watcher *watcher
	begin   time.Time
	late    *time.Timer
	settled atomic.Bool
	request *http.Request
	slow    Slow // what was known at its beginning
}

// settle decides. A request that is late is at work: its handler may be changing it.
func (w *watched) settle(open, late bool) {
	if !w.settled.CompareAndSwap(false, true) {
		return
	}
	slow := w.slow
	slow.Took, slow.Open = time.Since(w.begin), open
	if !late {
		w.late.Stop()
		slow.Pattern = pattern(w.request)
	}
	if slow.Took >= w.watcher.threshold {
		w.watcher.take(slow)
	}
}

// WriteString spares a copy.
func (w *watched) WriteString(s string) (int, error) { return io.WriteString(w.ResponseWriter, s) }

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type flusher struct{ of *watched }

func (f flusher) Flush() { _ = f.FlushError() }

// FlushError is what http.ResponseController calls.
func (f flusher) FlushError() error {
	f.of.settle(true, false)
	return http.NewResponseController(f.of.ResponseWriter).Flush()
}

type hijacker struct{ of *watched }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffered, err := http.NewResponseController(h.of.ResponseWriter).Hijack()
	if err == nil {
		h.of.settled.Store(true)
		h.of.late.Stop()
	}
	return c, buffered, err
}

// offering is the response with those of the optional methods that the inner one has.
func (w *watched) offering() http.ResponseWriter {
	f, flushes := flusher{w}, has[http.Flusher](w.ResponseWriter)
	h, hijacks := hijacker{w}, has[http.Hijacker](w.ResponseWriter)
	from, reads := w.ResponseWriter.(io.ReaderFrom)
	push, pushes := w.ResponseWriter.(http.Pusher)
	switch {
	case flushes && hijacks && reads: // net/http with HTTP/1
		return struct {
			*watched
			flusher
			hijacker
			io.ReaderFrom
		}{w, f, h, from}
	case flushes && pushes: // with HTTP/2
		return struct {
			*watched
			flusher
			http.Pusher
		}{w, f, push}
	case flushes && hijacks:
		return struct {
			*watched
			flusher
			hijacker
		}{w, f, h}
	case flushes:
		return struct {
			*watched
			flusher
		}{w, f}
	case hijacks:
		return struct {
			*watched
			hijacker
		}{w, h}
	}
	return w
}

// has tells whether w is a T, or wraps one as http.ResponseController unwraps it.
func has[T any](w http.ResponseWriter) bool {
	for {
		if _, ok := w.(T); ok {
			return true
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = wrapper.Unwrap()
	}
}
