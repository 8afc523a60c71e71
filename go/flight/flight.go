// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// What can be in the way of a recording. Errors of this package wrap them.
var (
	// ErrUnsupported is for programs built with a Go before 1.25.
	ErrUnsupported = fmt.Errorf("flight: Go has no flight recorder before 1.25: %w", errors.ErrUnsupported)
	// ErrStarted is for a second Start.
	ErrStarted = errors.New("flight: the recorder is started already")
	// ErrTaken is for a process in which somebody else runs a flight recorder.
	ErrTaken = errors.New("flight: the recorder cannot start")
	// ErrStopped is for recordings without a recorder: before Start and after Stop.
	ErrStopped = errors.New("flight: the recorder does not run")
	// ErrBusy is for a push while another one is under way.
	ErrBusy = errors.New("flight: another recording is on its way")
	// ErrHeldUp is for a tracer that does not give its data in time. It waits for
	// whoever reads an execution trace at the same time, for one.
	ErrHeldUp = errors.New("flight: the tracer is held up")
	// ErrTooLarge is for a recording larger than memory is set aside for.
	ErrTooLarge = errors.New("flight: the recording is too large")
)

const (
	defaultAge   = 10 * time.Second
	defaultBytes = 10 << 20
)

// Config says how much of the past the recorder keeps.
type Config struct {
	// MinAge is how far back it reaches at least, unless MaxBytes is less than
	// that. Twice the longest request is a good choice. 0 is 10 s.
	MinAge time.Duration
	// MaxBytes is about how much memory it may take. A busy service writes
	// several MB a second. 0 is 10 MiB.
	MaxBytes uint64
}

// recorder is what runtime/trace.FlightRecorder does.
type recorder interface {
	Start() error
	Stop()
	WriteTo(io.Writer) (int64, error)
}

// What the recorder does.
const (
	unused  int32 = iota // never started: the first who needs it starts it
	running              //
	stopped              // by Stop: it stays so until Start
)

// keeper owns the recorder. There is one in a process, and more in tests.
type keeper struct {
	create func(Config) recorder // nil: none in this version of Go
	phase  atomic.Int32
	age    atomic.Int64 // MinAge while it runs

	// One place each for recordings that wait in memory until somebody has taken them.
	serving, pushing, watching atomic.Bool

	// The runtime's recorder may not be called by two at a time, and each call may
	// wait for long. Whoever has put something into turn may call, and use what is below.
	turn     chan struct{}
	recorder recorder
	config   Config
	lazy     bool // started without being asked to
}

func newKeeper(create func(Config) recorder) *keeper {
	return &keeper{create: create, turn: make(chan struct{}, 1)}
}

var process = newKeeper(newRecorder)

// Start starts the recorder. [Handler] and [Middleware] do so themselves at the
// first request, with an empty Config; a Start after that is heeded all the same.
func Start(c Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), takeLimit)
	defer cancel()
	return process.start(ctx, c, false)
}

// Stop stops the recorder and frees its memory, after recordings that are just
// being taken. It does not wait for longer than 15 s, so that no tracer that is
// held up keeps a program from its end. Nothing starts the recorder again but Start.
func Stop() { process.stop() }

// Running tells whether the recorder runs.
func Running() bool { return process.phase.Load() == running }

// do calls f when it is its turn. It does not wait for longer than ctx, but f goes
// on, and nobody else has a turn until it has ended.
func (k *keeper) do(ctx context.Context, f func() error) error {
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w (%w)", ErrHeldUp, ctx.Err())
	}
	done := make(chan error, 1)
	go func() {
		err := f()
		<-k.turn
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w (%w)", ErrHeldUp, ctx.Err())
	}
}

func (k *keeper) start(ctx context.Context, c Config, lazy bool) error {
	if k.create == nil {
		return ErrUnsupported
	}
	if c.MinAge <= 0 {
		c.MinAge = defaultAge
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultBytes
	}
	return k.do(ctx, func() error { return k.startInTurn(c, lazy) })
}

func (k *keeper) startInTurn(c Config, lazy bool) error {
	switch {
	case lazy && k.phase.Load() == stopped:
		return ErrStopped
	case lazy && k.recorder != nil:
		return nil
	case k.recorder != nil && !k.lazy:
		return ErrStarted
	}
	k.halt()
	r := k.create(c)
	if err := r.Start(); err != nil {
		k.phase.Store(unused)
		return fmt.Errorf("%w: %w", ErrTaken, err)
	}
	k.recorder, k.config, k.lazy = r, c, lazy
	k.age.Store(int64(c.MinAge))
	k.phase.Store(running)
	return nil
}

// halt stops the recorder that runs, if any.
func (k *keeper) halt() {
	if k.recorder != nil {
		k.recorder.Stop()
		k.recorder = nil
	}
}

func (k *keeper) stop() {
	if k.create == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		_ = k.do(context.Background(), func() error {
			k.halt()
			k.phase.Store(stopped)
			return nil
		})
		close(done)
	}()
	limit := time.NewTimer(takeLimit)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C: // it goes on by itself
	}
}
