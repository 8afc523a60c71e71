// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/contrace/contrace/go/flight"
)

func TestService(t *testing.T) {
	pushed := make(chan string, 1)
	contraced := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		pushed <- r.URL.Query().Get("reason")
	}))
	defer contraced.Close()
	err := flight.Start(flight.Config{})
	defer flight.Stop()
	service := httptest.NewServer(newHandler(0, contraced.URL+"/api/v1/push/shop"))
	defer service.Close()

	get := func(path string) int {
		response, err := http.Get(service.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if get("/pay/7") != 200 || get("/metrics") != 200 {
		t.Error("it does not serve")
	}
	if err != nil { // before Go 1.25
		if get("/debug/flightrecorder") != 501 {
			t.Error("a recording without a recorder")
		}
		return
	}
	if get("/debug/flightrecorder") != 200 {
		t.Error("no recording")
	}
	select {
	case <-pushed:
	case <-time.After(time.Minute):
		t.Error("nothing was pushed")
	}
}
