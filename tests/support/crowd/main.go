// SPDX-License-Identifier: Apache-2.0

// Command crowd traces itself while many goroutines wait in the network poller, each for its
// connection, which stays idle:
//
//	crowd SOCKET N > TRACE
//
// The clients are another process, as each end takes a descriptor.
package main

import (
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"runtime/trace"
	"strconv"
	"time"
)

// connect opens n connections, says so, and keeps them until its standard input ends.
func connect(socket string, n int) {
	conns := make([]net.Conn, 0, n)
	for len(conns) < n {
		c, err := net.Dial("unix", socket)
		if err != nil {
			log.Fatal(err)
		}
		conns = append(conns, c)
	}
	os.Stdout.WriteString("!")
	io.Copy(io.Discard, os.Stdin)
}

// serve waits on each connection with a goroutine of its own. It tells of each one that is there.
func serve(l net.Listener, there chan<- struct{}) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			there <- struct{}{}
			io.Copy(io.Discard, c)
		}()
	}
}

func main() {
	socket := os.Args[1]
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 3 {
		connect(socket, n)
		return
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	there := make(chan struct{})
	go serve(l, there)
	clients := exec.Command(os.Args[0], socket, os.Args[2], "clients")
	clients.Stderr = os.Stderr
	stop, err := clients.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := clients.Start(); err != nil {
		log.Fatal(err)
	}
	for i := 0; i < n; i++ {
		<-there
	}
	time.Sleep(100 * time.Millisecond)
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	trace.Stop()
	stop.Close()
	clients.Wait()
}
