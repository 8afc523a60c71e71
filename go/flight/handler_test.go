// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestHandlerServesTheWholeRecording(t *testing.T) {
	_, k := started(t)
	w := get(t, k.handler(), "GET")
	if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), aTrace) {
		t.Fatal("not the recording:", w.Code)
	}
	h := w.Header()
	if h.Get("Content-Type") != "application/octet-stream" || h.Get("Content-Length") != strconv.Itoa(len(aTrace)) {
		t.Error(h)
	}
	name := regexp.MustCompile(`^attachment; filename="[A-Za-z0-9._-]+-\d{8}-\d{6}-\d+\.flight\.trace"$`)
	if !name.MatchString(h.Get("Content-Disposition")) {
		t.Error(h)
	}
}

func TestHandlerByMethod(t *testing.T) {
	f, k := started(t)
	f.entered = make(chan struct{}) // a snapshot would hang
	if w := get(t, k.handler(), "HEAD"); w.Code != 200 || w.Header().Get("Content-Type") != contentType {
		t.Error(w.Code, w.Header())
	}
	if w := get(t, k.handler(), "POST"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Error(w.Code, w.Header())
	}
}

func TestHandlerStartsTheRecorder(t *testing.T) {
	_, k := faked()
	w := get(t, k.handler(), "GET")
	if w.Code != 503 || w.Header().Get("Retry-After") != "10" || !strings.Contains(w.Body.String(), "just started") {
		t.Error(w.Code, w.Header(), w.Body)
	}
	if w := get(t, k.handler(), "GET"); w.Code != 200 {
		t.Error(w.Code, w.Body)
	}
	k.stop()
	if w := get(t, k.handler(), "GET"); w.Code != 503 || w.Header().Get("Retry-After") != "" {
		t.Error("after Stop:", w.Code, w.Body)
	}
}

func TestHandlerSaysWhyThereIsNone(t *testing.T) {
	f, k := faked()
	f.startErr = errors.New("flight recorder already enabled")
	if w := get(t, k.handler(), "GET"); w.Code != 409 || !strings.Contains(w.Body.String(), "already enabled") {
		t.Error(w.Code, w.Body)
	}
	f, k = started(t)
	f.writeErr = errors.New("no space")
	w := get(t, k.handler(), "GET")
	if w.Code != 500 || !strings.Contains(w.Body.String(), "no space") {
		t.Error("half a recording:", w.Code, w.Body)
	}
	if strings.HasPrefix(w.Header().Get("Content-Type"), contentType) || w.Header().Get("Content-Disposition") != "" {
		t.Error(w.Header())
	}
}

func TestHandlerServesOneAtATime(t *testing.T) {
	f, k := started(t)
	f.hold, f.entered = make(chan struct{}), make(chan struct{}, 1)
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- get(t, k.handler(), "GET") }()
	receive(t, "the first", f.entered)
	if w := get(t, k.handler(), "GET"); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
		t.Error(w.Code, w.Header())
	}
	close(f.hold)
	if w := receive(t, "its answer", first); w.Code != 200 {
		t.Error(w.Code)
	}
	f.entered = nil
	if w := get(t, k.handler(), "GET"); w.Code != 200 {
		t.Error("not after it:", w.Code)
	}
}

func TestHandlerIsHeldUp(t *testing.T) {
	takeLimit = 5 * time.Millisecond
	defer func() { takeLimit = 15 * time.Second }()
	f, k := started(t)
	f.hold = make(chan struct{})
	if w := get(t, k.handler(), "GET"); w.Code != 503 || w.Header().Get("Retry-After") != "10" {
		t.Error(w.Code, w.Header())
	}
	close(f.hold)
	waitFor(t, "it goes on", func() bool { return get(t, k.handler(), "GET").Code == 200 })
}

// A recording may take longer than the server lets an answer take.
func TestHandlerOfAServerWithATimeout(t *testing.T) {
	f, k := started(t)
	f.hold = make(chan struct{})
	server := httptest.NewUnstartedServer(k.handler())
	server.Config.WriteTimeout = 20 * time.Millisecond
	server.Start()
	defer server.Close()
	time.AfterFunc(60*time.Millisecond, func() { close(f.hold) })
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(body, aTrace) {
		t.Error(len(body), err)
	}
}

// A client that takes nothing is given up.
func TestHandlerAfterAClientThatStalls(t *testing.T) {
	stallLimit = 20 * time.Millisecond
	defer func() { stallLimit = 30 * time.Second }()
	f, k := started(t)
	f.data = append([]byte("go 1.26 trace\x00\x00\x00"), make([]byte, 30<<20)...)
	server := httptest.NewServer(k.handler())
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	waitFor(t, "another is served", func() bool { return get(t, k.handler(), "GET").Code == 200 })
}

// A client that goes away while its recording is sent does not keep others from theirs.
func TestHandlerAfterAClientThatWentAway(t *testing.T) {
	f, k := started(t)
	f.data = append([]byte("go 1.26 trace\x00\x00\x00"), make([]byte, 30<<20)...)
	server := httptest.NewServer(k.handler())
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	request, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "another is refused", func() bool { return get(t, k.handler(), "GET").Code == 429 })
	cancel()
	response.Body.Close()
	waitFor(t, "another is served", func() bool { return get(t, k.handler(), "GET").Code == 200 })
}
