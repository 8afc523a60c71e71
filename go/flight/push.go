// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	contentType = "application/octet-stream"
	answerMax   = 64 << 10 // of what is read of an answer
	lineMax     = 200      // of what is quoted of it
	reasonMax   = 100      // as much as a record of contraced has
)

// PushOption is how to push.
type PushOption func(*pusher)

type pusher struct {
	client   http.Client
	token    string
	incident bool
}

// Client has requests made by this client: for TLS, a proxy, or a unix socket by
// the transport's DialContext. Its CheckRedirect is not used.
func Client(c *http.Client) PushOption { return func(p *pusher) { p.client = *c } }

// Socket has requests go over a unix socket, whatever host the URL names: contraced
// learns the process's id by that, and asks for no token. It takes the place of a [Client].
func Socket(path string) PushOption {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, ExpectContinueTimeout: time.Second, DisableKeepAlives: true}}
	return func(p *pusher) { p.client = client }
}

// Token has each request carry this bearer token.
func Token(token string) PushOption { return func(p *pusher) { p.token = token } }

// Incident asks contraced to begin an incident with the recording: a trace and profiles
// of the process follow, and share its id. Where the process is none of contraced's
// targets, or its budget of incidents is used up, the recording is kept all the same, and
// contraced's log says why it is by itself.
func Incident() PushOption { return func(p *pusher) { p.incident = true } }

// PushError is an answer other than 2xx.
type PushError struct {
	Status int    // of the answer
	Text   string // the first line of its body
}

// Error is the status and the text.
func (e *PushError) Error() string {
	s := fmt.Sprintf("flight: the push was answered with %d %s", e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Push takes a recording and sends it to a receiver by PUT: to contraced, at
// http://HOST:7465/api/v1/push/SERVICE, or to one of yours. It returns the key
// by which the receiver keeps it: the member "key" of its JSON answer, if it has
// one. The reason goes along in the query: 100 printable ASCII characters of it.
//
// The recording is taken first. One push is made at a time; another one gets
// [ErrBusy]. Redirects are not followed. An answer other than 2xx is a [*PushError].
func Push(ctx context.Context, url, reason string, options ...PushOption) (key string, err error) {
	return process.push(ctx, url, reason, options)
}

func (k *keeper) push(ctx context.Context, url, reason string, options []PushOption) (string, error) {
	if !k.pushing.CompareAndSwap(false, true) {
		return "", ErrBusy
	}
	defer k.pushing.Store(false)
	recording, err := k.snapshot(ctx, reason)
	if err != nil {
		return "", err
	}
	return recording.Push(ctx, url, options...)
}

// Push sends the recording as [Push] does.
func (r *Recording) Push(ctx context.Context, url string, options ...PushOption) (key string, err error) {
	p := &pusher{}
	for _, option := range options {
		option(p)
	}
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	request, err := r.request(ctx, url, p.incident)
	if err != nil {
		return "", fmt.Errorf("flight: %w", err)
	}
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("flight: %w", err)
	}
	defer response.Body.Close()
	body := io.LimitReader(response.Body, answerMax)
	if response.StatusCode/100 != 2 {
		return "", &PushError{Status: response.StatusCode, Text: firstLine(body)}
	}
	return keyOf(body), nil
}

func (r *Recording) request(ctx context.Context, to string, incident bool) (*http.Request, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	query := u.Query()
	if r.Reason != "" {
		query.Set("reason", printable(r.Reason, reasonMax))
	}
	if incident {
		query.Set("incident", "1")
	}
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, u.String(), r.Reader())
	if err != nil {
		return nil, err
	}
	request.ContentLength = r.size
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(r.Reader()), nil }
	request.Header.Set("Content-Type", contentType)
	// Whoever refuses it says so before megabytes are sent.
	request.Header.Set("Expect", "100-continue")
	return request, nil
}

// printable has other characters replaced, and what is too long cut off.
func printable(s string, most int) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, strings.TrimSpace(s))
	return s[:min(len(s), most)]
}

func firstLine(body io.Reader) string {
	line, _ := bufio.NewReader(body).ReadString('\n')
	return printable(line, lineMax)
}

// keyOf reads {"key": "…"}. An answer without a key is none to complain of.
func keyOf(body io.Reader) string {
	var answer struct {
		Key string `json:"key"`
	}
	_ = json.NewDecoder(body).Decode(&answer)
	return answer.Key
}
