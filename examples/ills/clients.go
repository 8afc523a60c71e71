// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// clients is how many ask a server at the same time.
const clients = 40

// askServer is the clients of a server, in a process of its own. To a URL each sends one request
// after the other; to an address, a line every 100 ms. It ends with its standard input.
func askServer(where string) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	for i := 0; i < clients; i++ {
		if strings.HasPrefix(where, "http://") {
			go askPages(&http.Client{Transport: transport}, where)
		} else {
			go chat(where, time.Duration(i)*100*time.Millisecond/clients)
		}
	}
	io.Copy(io.Discard, os.Stdin)
}

func askPages(client *http.Client, url string) {
	for {
		answer, err := client.Get(url)
		if err != nil {
			return
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

func chat(addr string, first time.Duration) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	time.Sleep(first)
	for range time.Tick(100 * time.Millisecond) {
		if _, err := fmt.Fprintln(c, "hello"); err != nil {
			return
		}
	}
}

// crowd is kept, lest the collector close the pipe to its standard input.
var crowd *exec.Cmd

// invite starts this program again as the clients of a server.
func invite(where string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	crowd = exec.Command(self, "-ask", where)
	crowd.Stderr = os.Stderr
	if _, err := crowd.StdinPipe(); err != nil {
		return err
	}
	return crowd.Start()
}

// servePages serves one page and has it asked for. It returns when all clients are there: another
// process may take long to start.
func servePages(page http.HandlerFunc) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	came := make(chan struct{}, clients)
	server := &http.Server{Handler: page, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			count(came)
		}
	}}
	go server.Serve(l)
	if err := invite("http://" + l.Addr().String()); err != nil {
		return err
	}
	return await(came)
}

// count counts one client; more than are awaited are not counted.
func count(came chan<- struct{}) {
	select {
	case came <- struct{}{}:
	default:
	}
}

// await waits for all clients.
func await(came <-chan struct{}) error {
	late := time.After(30 * time.Second)
	for i := 0; i < clients; i++ {
		select {
		case <-came:
		case <-late:
			return fmt.Errorf("%d of %d clients came", i, clients)
		}
	}
	return nil
}
