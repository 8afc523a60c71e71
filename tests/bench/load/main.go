// SPDX-License-Identifier: Apache-2.0

// Load makes what the benchmark of traces reads: it asks a server for work, or writes a trace of
// work of one kind to standard output.
//
//	load http URL…       a few clients ask for these, one after the other, until killed
//	load nats ADDRESS    publishers and subscribers, until killed
//	load trace KIND MIB  a trace of at least so much: syscalls, annotations, spawn or handoffs
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const clients = 24

// askFor gets each URL in turn, from each client, over connections that are kept.
func askFor(urls []string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	for i := 0; i < clients; i++ {
		go func() {
			for n := i; ; n++ {
				answer, err := client.Get(urls[n%len(urls)])
				if err != nil {
					time.Sleep(10 * time.Millisecond)
					continue
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}()
	}
	select {}
}

func dial(address string) net.Conn {
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// subscribe answers the server's pings and reads all else.
func subscribe(address, subject string) {
	c := dial(address)
	fmt.Fprintf(c, "CONNECT {\"verbose\":false}\r\nSUB %s 1\r\n", subject)
	r := bufio.NewReaderSize(c, 1<<16)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if strings.HasPrefix(line, "PING") {
			fmt.Fprint(c, "PONG\r\n")
		}
	}
}

// publish sends a few messages at a time, and waits for the server to have had them.
func publish(address, subject string) {
	c := dial(address)
	fmt.Fprint(c, "CONNECT {\"verbose\":false}\r\n")
	r := bufio.NewReader(c)
	message := fmt.Sprintf("PUB %s 64\r\n%064d\r\n", subject, 0)
	for {
		if _, err := fmt.Fprint(c, strings.Repeat(message, 4)+"PING\r\n"); err != nil {
			return
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "PONG") {
				break
			}
		}
	}
}

func exchange(address string) {
	for i := 0; i < clients/2; i++ {
		subject := fmt.Sprintf("bench.%d", i)
		go subscribe(address, subject)
		go publish(address, subject)
	}
	select {}
}

func main() {
	log.SetFlags(0)
	args := os.Args[1:]
	switch {
	case len(args) > 1 && args[0] == "http":
		askFor(args[1:])
	case len(args) == 2 && args[0] == "nats":
		exchange(args[1])
	case len(args) == 3 && args[0] == "trace":
		kind := kinds[args[1]]
		size, err := strconv.Atoi(args[2])
		if kind == nil || err != nil {
			log.Fatal("no such kind or size")
		}
		write(kind, int64(size)<<20)
	default:
		log.Fatal("usage: load http URL… | nats ADDRESS | trace KIND MIB")
	}
}
