// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// peerDelay is how long the slow server thinks.
const peerDelay = 60 * time.Millisecond

// servePeer is the slow server, in a process of its own so that it has no part in the trace. It
// prints two addresses: the first answers lines, the second HTTP. It ends with its standard input.
func servePeer(delay time.Duration) {
	lines, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	pages, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	fmt.Println(lines.Addr(), pages.Addr())
	go http.Serve(pages, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(delay)
		fmt.Fprintln(w, "page")
	}))
	go func() {
		for {
			c, err := lines.Accept()
			if err != nil {
				return
			}
			go answerLines(c, delay)
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}

func answerLines(c net.Conn, delay time.Duration) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		if _, err := r.ReadString('\n'); err != nil {
			return
		}
		time.Sleep(delay)
		if _, err := fmt.Fprintln(c, "row"); err != nil {
			return
		}
	}
}

// peer is kept, lest the collector close the pipe to the slow server's standard input.
var peer *exec.Cmd

// startPeer starts this program again as the slow server. The pipe to its standard input is open as
// long as this process lives.
func startPeer() (lines, pages string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	peer = exec.Command(self, "-peer", peerDelay.String())
	peer.Stderr = os.Stderr
	if _, err = peer.StdinPipe(); err != nil {
		return "", "", err
	}
	out, err := peer.StdoutPipe()
	if err != nil {
		return "", "", err
	}
	if err = peer.Start(); err != nil {
		return "", "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", "", err
	}
	lines, pages, _ = strings.Cut(strings.TrimSpace(line), " ")
	return lines, pages, nil
}

// query asks and waits for the answer, as database drivers do.
func query(c net.Conn, r *bufio.Reader) error {
	if _, err := fmt.Fprintln(c, "select"); err != nil {
		return err
	}
	_, err := r.ReadString('\n')
	return err
}

// slowPeer has 40 workers that each wait for their database most of the time.
func slowPeer() error {
	lines, _, err := startPeer()
	if err != nil {
		return err
	}
	for i := 0; i < 40; i++ {
		c, err := net.Dial("tcp", lines)
		if err != nil {
			return err
		}
		go func() {
			for r := bufio.NewReader(c); query(c, r) == nil; {
				spin(200 * time.Microsecond)
			}
		}()
	}
	return nil
}

// slowHTTP is the same with another service's pages.
func slowHTTP() error {
	_, pages, err := startPeer()
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 40}}
	for i := 0; i < 40; i++ {
		go func() {
			for {
				answer, err := client.Get("http://" + pages)
				if err != nil {
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				spin(200 * time.Microsecond)
			}
		}()
	}
	return nil
}

// firstOfAll has 40 workers that wait for the first of them to fetch what all need, row by row.
func firstOfAll() error {
	lines, _, err := startPeer()
	if err != nil {
		return err
	}
	c, err := net.Dial("tcp", lines)
	if err != nil {
		return err
	}
	var fetched sync.Once
	for i := 0; i < 40; i++ {
		go func() {
			fetched.Do(func() {
				for r := bufio.NewReader(c); query(c, r) == nil; {
				}
			})
		}()
	}
	return nil
}
