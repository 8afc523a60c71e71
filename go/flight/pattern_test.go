// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package flight

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The mux inside says how a request was routed: to the reason, and to who is outside.
func TestPatternOfTheMux(t *testing.T) {
	_, k := started(t)
	s := newSunk()
	mux := http.NewServeMux()
	mux.Handle("GET /users/{id}", sleeps(0))
	h := k.middleware(0, []Option{s.option()})(mux)
	traced(t, func() {
		r := httptest.NewRequest("GET", "/users/7", nil)
		h.ServeHTTP(httptest.NewRecorder(), r)
		if r.Pattern != "GET /users/{id}" {
			t.Error("outside:", r.Pattern)
		}
	})
	if r := receive(t, "the recording", s.came); !strings.HasPrefix(r.Reason, "slow GET /users/{id} ") {
		t.Error(r.Reason)
	}
}
