// SPDX-License-Identifier: Apache-2.0

//go:build !go1.25

package main

import (
	"net/http"
	"time"
)

// addFlightRecorder does nothing: runtime/trace has no flight recorder before
// Go 1.25, so that /debug/flight is a 404 here.
func addFlightRecorder(*http.ServeMux, time.Duration) (stop func(), err error) {
	return func() {}, nil
}
