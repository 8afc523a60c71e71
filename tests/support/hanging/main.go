// SPDX-License-Identifier: Apache-2.0

// Hanging writes a trace of a program in which much does not end: goroutines that send to nobody,
// since before the trace and within it, one that wants a lock that nobody gives back, system calls
// that hang, and a pool of connections that is too small. Beside them stands what is meant to wait:
// a server with an idle connection, and signals.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/trace"
	"sync"
	"syscall"
	"time"

	"example.com/hanging/store"
)

const (
	publishers = 8 // half of them from before the trace
	callers    = 12
	askers     = 5
)

var (
	events = make(chan int)
	lock   sync.Mutex
)

//go:noinline
func publish(n int) {
	events <- n
}

//go:noinline
func wantLock() {
	lock.Lock()
}

//go:noinline
func ask(s *store.Store) {
	for {
		s.Ask()
	}
}

func serve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, nil)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	c.Read(make([]byte, 1000))
}

func main() {
	directory, err := os.MkdirTemp("", "hanging")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	fifo := filepath.Join(directory, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		panic(err)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	serve()
	lock.Lock()
	for i := 0; i < publishers/2; i++ {
		go publish(i)
	}
	for i := 0; i < callers; i++ {
		go store.Wedge(fifo)
	}
	go wantLock()
	time.Sleep(100 * time.Millisecond)

	trace.Start(os.Stdout)
	s := store.New()
	for i := 0; i < askers; i++ {
		go ask(s)
	}
	for i := 0; i < publishers/2; i++ {
		go publish(i)
	}
	time.Sleep(400 * time.Millisecond)
	trace.Stop()
	store.Unwedge(fifo)
}
