// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// board hands every message to all who wait for it.
type board struct {
	mu   sync.Mutex
	next chan struct{}
}

func (b *board) waiting() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

func (b *board) post() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}

// longPoll serves clients that each ask for the next message, of which one comes every 250 ms.
func longPoll() error {
	b := &board{next: make(chan struct{})}
	go func() {
		for range time.Tick(250 * time.Millisecond) {
			b.post()
		}
	}()
	return servePages(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-b.waiting():
			fmt.Fprintln(w, "message")
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
		}
	})
}

// messageReaders is a server of a protocol of its own, with a goroutine for each client that reads
// what it says. That takes 100 ms each time, as the client has no more to say.
func messageReaders() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	came := make(chan struct{}, clients)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go listen(c)
			count(came)
		}
	}()
	if err := invite(l.Addr().String()); err != nil {
		return err
	}
	return await(came)
}

func listen(c net.Conn) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		if _, err := r.ReadString('\n'); err != nil {
			return
		}
	}
}
