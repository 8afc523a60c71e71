// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	chunkSize = 256 << 10
	// The recorder may hold more than MaxBytes by the last second or two of a trace.
	// More than this many times as much, and more than this in all, is not taken.
	tooManyTimes = 4
	tooMuch      = 64 << 20
)

// Recording is what the recorder held at one moment: an execution trace.
type Recording struct {
	Reason string    // why it was taken
	Taken  time.Time // when

	chunks [][]byte
	size   int64
}

// Snapshot takes a recording. It waits for others that are just being taken, and
// fails with [ErrHeldUp] if ctx ends before it has one.
func Snapshot(ctx context.Context, reason string) (*Recording, error) {
	return process.snapshot(ctx, reason)
}

func (k *keeper) snapshot(ctx context.Context, reason string) (*Recording, error) {
	if k.create == nil {
		return nil, ErrUnsupported
	}
	var taken *Recording
	err := k.do(ctx, func() error {
		if k.recorder == nil {
			return ErrStopped
		}
		into := &writer{limit: max(tooMuch, tooManyTimes*int64(min(k.config.MaxBytes, 1<<40)))}
		now := time.Now()
		if _, err := k.recorder.WriteTo(into); err != nil {
			return fmt.Errorf("flight: no recording: %w", err)
		}
		if into.size <= 16 || !bytes.HasPrefix(into.chunks[0], []byte("go 1.")) {
			return fmt.Errorf("flight: no recording: the recorder gave no trace")
		}
		taken = &Recording{Reason: reason, Taken: now, chunks: into.chunks, size: into.size}
		return nil
	})
	if err != nil {
		return nil, err // taken is not looked at: f may still be at it
	}
	return taken, nil
}

// Len is its size in bytes.
func (r *Recording) Len() int64 { return r.size }

// WriteTo writes it. It may be called again.
func (r *Recording) WriteTo(w io.Writer) (n int64, err error) {
	for _, chunk := range r.chunks {
		wrote, err := w.Write(chunk)
		n += int64(wrote)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Reader returns a new reader of it.
func (r *Recording) Reader() io.Reader {
	readers := make([]io.Reader, len(r.chunks))
	for i, chunk := range r.chunks {
		readers[i] = bytes.NewReader(chunk)
	}
	return io.MultiReader(readers...)
}

// Name is a file's name for it: program, time and process.
func (r *Recording) Name() string {
	program := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c) {
			return c
		}
		return '_'
	}, filepath.Base(os.Args[0]))
	return fmt.Sprintf("%.100s-%s-%d.flight.trace", program, r.Taken.UTC().Format("20060102-150405"), os.Getpid())
}

// writer keeps what is written in pieces, so that nothing is copied as it grows.
type writer struct {
	chunks      [][]byte
	size, limit int64
}

func (w *writer) Write(p []byte) (int, error) {
	if w.size+int64(len(p)) > w.limit {
		return 0, fmt.Errorf("%w: more than %d MiB", ErrTooLarge, w.limit>>20)
	}
	for rest := p; len(rest) > 0; {
		last := len(w.chunks) - 1
		if last < 0 || len(w.chunks[last]) == cap(w.chunks[last]) {
			w.chunks = append(w.chunks, make([]byte, 0, chunkSize))
			continue
		}
		n := min(len(rest), cap(w.chunks[last])-len(w.chunks[last]))
		w.chunks[last] = append(w.chunks[last], rest[:n]...)
		rest = rest[n:]
	}
	w.size += int64(len(p))
	return len(p), nil
}
