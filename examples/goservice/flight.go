// SPDX-License-Identifier: Apache-2.0

//go:build go1.25

package main

import (
	"fmt"
	"net/http"
	"runtime/trace"
	"sync"
	"time"
)

// addFlightRecorder starts a flight recorder that keeps the last window or more,
// and serves its snapshot: a GET of /debug/flight answers at once with what has
// just happened, where /debug/pprof/trace has to wait for what is about to.
func addFlightRecorder(mux *http.ServeMux, window time.Duration) (stop func(), err error) {
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: window})
	if err := recorder.Start(); err != nil {
		return nil, fmt.Errorf("flight recorder: %w", err)
	}
	var one sync.Mutex // WriteTo refuses a second caller; here it waits instead
	mux.HandleFunc("GET /debug/flight", func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="trace"`)
		if _, err := recorder.WriteTo(w); err != nil {
			// Part of the body may be on its way with status 200: cut the
			// connection, so that the client cannot take it for a whole one.
			panic(http.ErrAbortHandler)
		}
	})
	return recorder.Stop, nil
}
