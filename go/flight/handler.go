// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// A test waits for less.
var (
	takeLimit  = 15 * time.Second // how long Handler, Start and Stop wait for the tracer
	stallLimit = 30 * time.Second // how long its client may take nothing
)

// Handler answers GET with a recording, whole or not at all:
//
//	200  the recording
//	409  another flight recorder runs in this process
//	429  another recording is being fetched: ask again after Retry-After
//	500  there is no recording; the text says why
//	501  Go before 1.25
//	503  the recorder was stopped, the tracer is held up, or this request has only
//	     just started the recorder, so that there is no past yet
//
// HEAD answers the same without taking one. It has no access control of its own:
// a trace names functions and files, and holds what the program logs into it.
func Handler() http.Handler { return process.handler() }

func (k *keeper) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, 0, "flight: only GET and HEAD")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), takeLimit)
		defer cancel()
		if !k.ready(ctx, w) {
			return
		}
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Type", contentType)
			return
		}
		if !k.serving.CompareAndSwap(false, true) {
			refuse(w, http.StatusTooManyRequests, time.Second, ErrBusy.Error())
			return
		}
		defer k.serving.Store(false)
		recording, err := k.snapshot(ctx, "")
		if err != nil {
			refuseFor(w, err)
			return
		}
		serve(w, recording)
	})
}

// ready tells whether there is a past to give; if not, it has answered.
func (k *keeper) ready(ctx context.Context, w http.ResponseWriter) bool {
	if k.create != nil && k.phase.Load() == running {
		return true
	}
	err := k.start(ctx, Config{}, true)
	if err != nil {
		refuseFor(w, err)
		return false
	}
	age := time.Duration(k.age.Load())
	refuse(w, http.StatusServiceUnavailable, age, "flight: the recorder has just started, by this request")
	return false
}

func refuseFor(w http.ResponseWriter, err error) {
	status, after := http.StatusInternalServerError, time.Duration(0)
	switch {
	case errors.Is(err, ErrUnsupported):
		status = http.StatusNotImplemented
	case errors.Is(err, ErrTaken):
		status = http.StatusConflict
	case errors.Is(err, ErrStopped):
		status = http.StatusServiceUnavailable
	case errors.Is(err, ErrHeldUp):
		status, after = http.StatusServiceUnavailable, 10*time.Second
	}
	refuse(w, status, after, err.Error())
}

func refuse(w http.ResponseWriter, status int, after time.Duration, text string) {
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	}
	http.Error(w, text, status)
}

func serve(w http.ResponseWriter, recording *Recording) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", `attachment; filename="`+recording.Name()+`"`)
	h.Set("Content-Length", strconv.FormatInt(recording.Len(), 10))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = recording.WriteTo(patient{w, http.NewResponseController(w)})
}

// patient gives the client time for each piece, however long the server's WriteTimeout is.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(stallLimit))
	return p.ResponseWriter.Write(b)
}
