// SPDX-License-Identifier: Apache-2.0

//go:build go1.25

package flight

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/trace"
	"strings"
	"sync"
	"testing"
	"time"
)

// real is a keeper of the runtime's recorder.
func real(t *testing.T) *keeper {
	k := newKeeper(newRecorder)
	t.Cleanup(k.stop)
	return k
}

func TestRecorder(t *testing.T) {
	k := real(t)
	if err := k.start(context.Background(), Config{MinAge: time.Second}, false); err != nil {
		t.Fatal(err)
	}
	_, task := trace.NewTask(context.Background(), "a task to be found")
	task.End()
	w := get(t, k.handler(), "GET")
	if w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), []byte("go 1.2")) || !bytes.Contains(w.Body.Bytes(), []byte("a task to be found")) {
		t.Error(w.Code, w.Body.Len())
	}
}

func TestRecorderBesideATrace(t *testing.T) {
	k := real(t)
	var before bytes.Buffer
	if err := trace.Start(&before); err != nil {
		t.Fatal(err)
	}
	if err := k.start(context.Background(), Config{}, false); err != nil {
		t.Error(err)
	}
	if w := get(t, k.handler(), "GET"); w.Code != 200 {
		t.Error(w.Code, w.Body)
	}
	trace.Stop()
	if before.Len() < 100 {
		t.Error("the trace:", before.Len())
	}
	var after bytes.Buffer
	if err := trace.Start(&after); err != nil {
		t.Fatal(err)
	}
	trace.Stop()
	if w := get(t, k.handler(), "GET"); w.Code != 200 {
		t.Error(w.Code, w.Body)
	}
}

func TestRecorderOfAnother(t *testing.T) {
	other := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	k := real(t)
	if err := k.start(context.Background(), Config{}, false); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	if w := get(t, k.handler(), "GET"); w.Code != http.StatusConflict {
		t.Error(w.Code, w.Body)
	}
	k.stop() // not the other one
	if !other.Enabled() {
		t.Error("it was stopped")
	}
	other.Stop()
	if err := k.start(context.Background(), Config{}, false); err != nil {
		t.Error(err)
	}
}

// stalling takes what it is given, but while it stalls.
type stalling struct{ sync.RWMutex }

func (s *stalling) Write(p []byte) (int, error) {
	s.RLock()
	defer s.RUnlock()
	return len(p), nil
}

// A reader of an execution trace that does not read holds up the tracer, but none of us for ever.
func TestRecorderIsHeldUp(t *testing.T) {
	takeLimit = 50 * time.Millisecond
	defer func() { takeLimit = 15 * time.Second }()
	k := real(t)
	if err := k.start(context.Background(), Config{}, false); err != nil {
		t.Fatal(err)
	}
	var reader stalling
	if err := trace.Start(&reader); err != nil {
		t.Fatal(err)
	}
	defer trace.Stop()
	reader.Lock()
	w := get(t, k.handler(), "GET")
	reader.Unlock()
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), ErrHeldUp.Error()) {
		t.Error(w.Code, w.Body)
	}
	takeLimit = time.Minute
	if w := get(t, k.handler(), "GET"); w.Code != 200 {
		t.Error("not once it reads:", w.Code, w.Body)
	}
}

// All of it at the same time, for the race detector.
func TestRecorderUnderLoad(t *testing.T) {
	k := real(t)
	c := newContraced(t)
	h := k.middleware(0, []Option{Cooldown(time.Millisecond), PushTo(c.url), OnError(func(error) {})})(sleeps(time.Microsecond))
	go func() {
		for range c.came {
		}
	}()
	var all sync.WaitGroup
	for _, f := range []func(){
		func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) },
		func() { k.handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) },
		func() { k.push(context.Background(), c.url, "", nil) },
		func() { k.stop(); k.start(context.Background(), Config{}, false) },
		func() { trace.Start(io.Discard); trace.Stop() },
	} {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20 {
				f()
			}
		}()
	}
	all.Wait()
	waitFor(t, "the last is delivered", func() bool { return !k.watching.Load() })
}
