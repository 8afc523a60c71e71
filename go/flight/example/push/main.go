// SPDX-License-Identifier: Apache-2.0

// Command push is a program that sends its own past: it works for a moment, and then
// gives a recording of that to contraced. It prints the key by which that is kept.
//
//	push -to http://127.0.0.1:7465/api/v1/push/checkout -reason "before the exit"
//	push -socket /run/contrace/contraced.sock -to http://contraced/api/v1/push/checkout
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime"
	"sync"
	"time"

	"github.com/contrace/contrace/go/flight"
)

// work has goroutines wait for each other, so that there is something to see.
func work(d time.Duration) {
	var (
		lock sync.Mutex
		all  sync.WaitGroup
	)
	for end := time.Now().Add(d); time.Now().Before(end); all.Wait() {
		for range 8 {
			all.Add(1)
			go func() {
				defer all.Done()
				lock.Lock()
				defer lock.Unlock()
				time.Sleep(time.Millisecond)
				runtime.Gosched()
			}()
		}
	}
}

func main() {
	to := flag.String("to", "http://127.0.0.1:7465/api/v1/push/checkout", "where to send it, by PUT")
	socket := flag.String("socket", "", "unix socket to send it over")
	token := flag.String("token", "", "bearer token")
	reason := flag.String("reason", "", "why")
	incident := flag.Bool("incident", false, "have contraced take a trace and profiles as well, now")
	serve := flag.String("serve", "", "address at which these are had, until it is killed")
	d := flag.Duration("for", 2*time.Second, "how long to work")
	flag.Parse()

	if err := flight.Start(flight.Config{MinAge: 10 * time.Second}); err != nil {
		log.Fatal(err)
	}
	work(*d)
	var options []flight.PushOption
	if *socket != "" {
		options = append(options, flight.Socket(*socket))
	}
	if *token != "" {
		options = append(options, flight.Token(*token))
	}
	if *incident {
		options = append(options, flight.Incident())
	}
	if *serve != "" {
		listener, err := net.Listen("tcp", *serve)
		if err != nil {
			log.Fatal(err)
		}
		go func() { log.Fatal(http.Serve(listener, nil)) }()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	key, err := flight.Push(ctx, *to, *reason, options...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	if *serve != "" {
		select {}
	}
}
