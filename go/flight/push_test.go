// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const pushPath = "/api/v1/push/checkout"

type pushed struct {
	method, path, reason string
	header               http.Header
	body                 []byte
	length               int64
	incident             string
}

// contraced answers as contraced does.
type contraced struct {
	url  string
	came chan pushed
}

func newContraced(t *testing.T) *contraced {
	c := &contraced{came: make(chan pushed, 10)}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL + pushPath
	return c
}

func (c *contraced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.came <- pushed{r.Method, r.URL.Path, r.URL.Query().Get("reason"), r.Header, body, r.ContentLength, r.URL.Query().Get("incident")}
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, `{"key":"checkout/web-1/20261130/203410-4711.flight.trace","bytes":640016}`+"\n")
}

func TestPush(t *testing.T) {
	_, k := started(t)
	c := newContraced(t)
	key, err := k.push(context.Background(), c.url+"?x=1", "slow & “late”\n", []PushOption{Token("secret")})
	if err != nil || key != "checkout/web-1/20261130/203410-4711.flight.trace" {
		t.Fatal(key, err)
	}
	r := receive(t, "the push", c.came)
	if r.method != "PUT" || r.path != pushPath || r.reason != "slow & ?late?" || r.length != int64(len(aTrace)) {
		t.Error(r.method, r.path, r.reason, r.length)
	}
	if !bytes.Equal(r.body, aTrace) {
		t.Error("another body")
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Expect": "100-continue", "Authorization": "Bearer secret",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestPushOfALongReason(t *testing.T) {
	_, k := started(t)
	c := newContraced(t)
	if _, err := k.push(context.Background(), c.url, strings.Repeat("x", 1000), nil); err != nil {
		t.Fatal(err)
	}
	if r := receive(t, "the push", c.came); len(r.reason) != reasonMax {
		t.Error(len(r.reason))
	}
}

func TestPushAsksForAnIncident(t *testing.T) {
	_, k := started(t)
	c := newContraced(t)
	for _, want := range []string{"", "1"} {
		var options []PushOption
		if want != "" {
			options = append(options, Incident())
		}
		if _, err := k.push(context.Background(), c.url+"?x=1", "slow", options); err != nil {
			t.Fatal(err)
		}
		if r := receive(t, "the push", c.came); r.incident != want || r.reason != "slow" {
			t.Errorf("incident=%q, %q", r.incident, r.reason)
		}
	}
}

func TestPushOverAUnixSocket(t *testing.T) {
	_, k := started(t)
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := &contraced{came: make(chan pushed, 10)}
	server := &http.Server{Handler: c}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	for name, option := range map[string]PushOption{"Socket": Socket(path), "Client": Client(client)} {
		if _, err := k.push(context.Background(), "http://contraced"+pushPath, "", []PushOption{option}); err != nil {
			t.Fatal(name, err)
		}
		if r := receive(t, "the push", c.came); r.path != pushPath || !bytes.Equal(r.body, aTrace) {
			t.Error(name, r.path)
		}
	}
	if client.CheckRedirect != nil {
		t.Error("the client is not as it was")
	}
}

func answering(t *testing.T, status int, header, text string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", header)
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL + pushPath
}

func TestPushIsRefused(t *testing.T) {
	_, k := started(t)
	for _, c := range []struct {
		status     int
		text, want string
	}{
		{413, "larger than body_size_limit\nand more", "flight: the push was answered with 413 Request Entity Too Large: larger than body_size_limit"},
		{404, "", "flight: the push was answered with 404 Not Found"},
		{500, "\x1b[31m" + strings.Repeat("x", 1<<20), "flight: the push was answered with 500 Internal Server Error: ?[31m" + strings.Repeat("x", lineMax-5)},
	} {
		_, err := k.push(context.Background(), answering(t, c.status, "", c.text), "", nil)
		var refused *PushError
		if !errors.As(err, &refused) || refused.Status != c.status || err.Error() != c.want {
			t.Error(err)
		}
	}
}

func TestPushFollowsNoRedirect(t *testing.T) {
	_, k := started(t)
	c := newContraced(t)
	for _, status := range []int{301, 303, 307, 308} {
		_, err := k.push(context.Background(), answering(t, status, c.url, ""), "", nil)
		var refused *PushError
		if !errors.As(err, &refused) || refused.Status != status {
			t.Error(err)
		}
	}
	if len(c.came) != 0 {
		t.Error("it was followed")
	}
}

// Whoever says no before it is sent is not sent megabytes.
func TestPushWaitsForTheGoAhead(t *testing.T) {
	f, k := started(t)
	f.data = append([]byte("go 1.26 trace\x00\x00\x00"), make([]byte, 20<<20)...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	came := make(chan int64, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		head := make([]byte, 64<<10)
		n, _ := c.Read(head)
		for !bytes.HasSuffix(head[:n], []byte("\r\n\r\n")) {
			more, _ := c.Read(head[n:])
			n += more
		}
		io.WriteString(c, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 8\r\nConnection: close\r\n\r\nbudget\r\n")
		rest, _ := io.Copy(io.Discard, c)
		c.Close()
		came <- rest
	}()
	// So long as it takes, not the second after which net/http goes on by itself.
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	_, err = k.push(context.Background(), "http://"+listener.Addr().String()+pushPath, "", []PushOption{Client(client)})
	var refused *PushError
	if !errors.As(err, &refused) || refused.Status != 429 || refused.Text != "budget" {
		t.Error(err)
	}
	if n := receive(t, "the connection's end", came); n > 0 {
		t.Error("bytes sent all the same:", n)
	}
}

func TestPushEndsWithItsContext(t *testing.T) {
	_, k := started(t)
	hangs := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-hangs }))
	defer server.Close()
	defer close(hangs)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := k.push(ctx, server.URL, "", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestPushOneAtATime(t *testing.T) {
	f, k := started(t)
	f.hold, f.entered = make(chan struct{}), make(chan struct{}, 2)
	c := newContraced(t)
	first := make(chan error)
	go func() {
		_, err := k.push(context.Background(), c.url, "", nil)
		first <- err
	}()
	receive(t, "the first", f.entered)
	if _, err := k.push(context.Background(), c.url, "", nil); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	close(f.hold)
	if err := receive(t, "its end", first); err != nil {
		t.Error(err)
	}
	if _, err := k.push(context.Background(), c.url, "", nil); err != nil {
		t.Error("not after it:", err)
	}
}

func TestPushToNowhere(t *testing.T) {
	_, k := started(t)
	for _, url := range []string{"http://127.0.0.1:1/", "no url", "http://[::1"} {
		if _, err := k.push(context.Background(), url, "", nil); err == nil || !strings.HasPrefix(err.Error(), "flight: ") {
			t.Error(url, err)
		}
	}
}

func TestPushWithAnAnswerWithoutAKey(t *testing.T) {
	_, k := started(t)
	for _, text := range []string{"", "ok", `{"key": 5}`} {
		if key, err := k.push(context.Background(), answering(t, 200, "", text), "", nil); err != nil || key != "" {
			t.Error(key, err)
		}
	}
}
