// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fake is a recorder of any version of Go, and fails as it is told to.
type fake struct {
	data     []byte
	startErr error
	writeErr error
	started  atomic.Int32
	stopped  atomic.Int32
	configs  []Config
	hold     chan struct{} // if not nil: WriteTo waits until it is closed
	entered  chan struct{} // if not nil: WriteTo has begun
}

var aTrace = append([]byte("go 1.26 trace\x00\x00\x00"), bytes.Repeat([]byte("0123456789abcdef"), 40000)...)

func (f *fake) Start() error {
	if f.startErr != nil {
		return f.startErr
	}
	f.started.Add(1)
	return nil
}

func (f *fake) Stop() { f.stopped.Add(1) }

func (f *fake) WriteTo(w io.Writer) (int64, error) {
	if f.entered != nil {
		f.entered <- struct{}{}
	}
	if f.hold != nil {
		<-f.hold
	}
	half := len(f.data) / 2
	if n, err := w.Write(f.data[:half]); err != nil {
		return int64(n), err
	}
	if f.writeErr != nil {
		return int64(half), f.writeErr
	}
	n, err := w.Write(f.data[half:])
	return int64(half + n), err
}

func faked() (*fake, *keeper) {
	f := &fake{data: aTrace}
	return f, newKeeper(func(c Config) recorder {
		f.configs = append(f.configs, c)
		return f
	})
}

// started is a keeper whose recorder runs.
func started(t *testing.T) (*fake, *keeper) {
	t.Helper()
	f, k := faked()
	if err := k.start(context.Background(), Config{}, false); err != nil {
		t.Fatal(err)
	}
	return f, k
}

func get(t *testing.T, h http.Handler, method string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "/debug/flightrecorder", nil))
	return w
}

// waitFor waits as long as it takes, and a minute at most.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain until ", what)
		}
	}
}

func receive[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(time.Minute):
		t.Fatal("waited in vain for ", what)
	}
	return v
}

func TestStartAndStop(t *testing.T) {
	ctx := context.Background()
	f, k := faked()
	if _, err := k.snapshot(ctx, ""); !errors.Is(err, ErrStopped) {
		t.Error("a recording without a recorder:", err)
	}
	if err := k.start(ctx, Config{MinAge: time.Second, MaxBytes: 1 << 20}, false); err != nil {
		t.Fatal(err)
	}
	if err := k.start(ctx, Config{}, false); !errors.Is(err, ErrStarted) {
		t.Error("a second start:", err)
	}
	if err := k.start(ctx, Config{}, true); err != nil {
		t.Error("a lazy start while it runs:", err)
	}
	r, err := k.snapshot(ctx, "why")
	if err != nil || r.Reason != "why" || r.Len() != int64(len(aTrace)) {
		t.Error("a recording:", err)
	}
	k.stop()
	k.stop()
	if err := k.start(ctx, Config{}, true); !errors.Is(err, ErrStopped) {
		t.Error("a lazy start after Stop:", err)
	}
	if err := k.start(ctx, Config{}, false); err != nil {
		t.Error("a start after Stop:", err)
	}
	k.stop()
	want := []Config{{time.Second, 1 << 20}, {defaultAge, defaultBytes}}
	if len(f.configs) != 2 || f.configs[0] != want[0] || f.configs[1] != want[1] {
		t.Error("configurations:", f.configs)
	}
	if f.started.Load() != 2 || f.stopped.Load() != 2 {
		t.Error("not as often stopped as started")
	}
}

func TestStartAfterALazyOneIsHeeded(t *testing.T) {
	f, k := faked()
	for _, lazy := range []bool{true, false} {
		if err := k.start(context.Background(), Config{MinAge: 7 * time.Second}, lazy); err != nil {
			t.Fatal(err)
		}
	}
	if f.started.Load() != 2 || f.stopped.Load() != 1 {
		t.Error("the lazy one still runs")
	}
}

func TestStartFails(t *testing.T) {
	f, k := faked()
	f.startErr = errors.New("flight recorder already enabled")
	err := k.start(context.Background(), Config{}, false)
	if !errors.Is(err, ErrTaken) || !errors.Is(err, f.startErr) {
		t.Error(err)
	}
	f.startErr = nil
	if err := k.start(context.Background(), Config{}, true); err != nil {
		t.Error("it is not tried again:", err)
	}
}

func TestStopWaitsForASnapshot(t *testing.T) {
	f, k := started(t)
	f.hold, f.entered = make(chan struct{}), make(chan struct{}, 1)
	go k.snapshot(context.Background(), "")
	receive(t, "the snapshot", f.entered)
	stopped := make(chan struct{})
	go func() {
		k.stop()
		close(stopped)
	}()
	time.Sleep(10 * time.Millisecond)
	if f.stopped.Load() != 0 {
		t.Error("stopped under a snapshot")
	}
	close(f.hold)
	receive(t, "the stop", stopped)
	if f.stopped.Load() != 1 {
		t.Error("not stopped")
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	takeLimit = 5 * time.Millisecond
	defer func() { takeLimit = 15 * time.Second }()
	f, k := started(t)
	f.hold, f.entered = make(chan struct{}), make(chan struct{}, 1)
	go k.snapshot(context.Background(), "")
	receive(t, "the snapshot", f.entered)
	k.stop()
	if f.stopped.Load() != 0 {
		t.Error("stopped under a snapshot")
	}
	close(f.hold)
	waitFor(t, "it is stopped all the same", func() bool { return f.stopped.Load() == 1 && k.phase.Load() == stopped })
}

func TestSnapshotDoesNotWaitForEver(t *testing.T) {
	f, k := started(t)
	f.hold = make(chan struct{})
	for range 3 { // the first is in WriteTo, the others have no turn
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		if _, err := k.snapshot(ctx, ""); !errors.Is(err, ErrHeldUp) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
	}
	close(f.hold)
	if _, err := k.snapshot(context.Background(), ""); err != nil {
		t.Error("not once it goes on:", err)
	}
}

func TestSnapshotsAreTakenInTurn(t *testing.T) {
	_, k := started(t)
	var all sync.WaitGroup
	for range 20 {
		all.Add(1)
		go func() {
			defer all.Done()
			if r, err := k.snapshot(context.Background(), ""); err != nil || r.Len() != int64(len(aTrace)) {
				t.Error(err)
			}
		}()
	}
	all.Wait()
}

func TestSnapshotFails(t *testing.T) {
	f, k := started(t)
	f.writeErr = errors.New("no space")
	if _, err := k.snapshot(context.Background(), ""); !errors.Is(err, f.writeErr) {
		t.Error(err)
	}
	f.writeErr = nil
	for _, data := range []string{"", "go 1.26 trace\x00\x00\x00", "\x00\x00\x00\x00 and more than a header"} {
		f.data = []byte(data)
		if _, err := k.snapshot(context.Background(), ""); err == nil {
			t.Errorf("%q is a trace", data)
		}
	}
	f.data = append([]byte("go 1.26 trace"), make([]byte, tooMuch)...)
	if _, err := k.snapshot(context.Background(), ""); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestRecordingIsReadAgainAndAgain(t *testing.T) {
	_, k := started(t)
	r, err := k.snapshot(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var written bytes.Buffer
		n, err := r.WriteTo(&written)
		read, _ := io.ReadAll(r.Reader())
		if err != nil || n != r.Len() || !bytes.Equal(written.Bytes(), aTrace) || !bytes.Equal(read, aTrace) {
			t.Error("not what was recorded")
		}
	}
}

func TestWithoutARecorder(t *testing.T) {
	k := newKeeper(nil)
	if err := k.start(context.Background(), Config{}, false); !errors.Is(err, ErrUnsupported) || !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := k.push(context.Background(), "http://127.0.0.1:1", "", nil); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	k.stop()
	if w := get(t, k.handler(), "GET"); w.Code != http.StatusNotImplemented || w.Body.String() != ErrUnsupported.Error()+"\n" {
		t.Error(w.Code, w.Body)
	}
	called := false
	h := k.middleware(0, []Option{To(func(context.Context, *Recording) error { t.Error("a recording"); return nil })})(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	get(t, h, "GET")
	if !called {
		t.Error("no handler was called")
	}
}
