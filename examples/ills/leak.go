// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net"
	"time"
)

// forsake starts a goroutine whose answer nobody takes, as after a time-out.
func forsake() {
	answer := make(chan int)
	go func() {
		spin(5 * time.Microsecond)
		answer <- 1
	}()
}

// leak has forsaken 5000 goroutines before, and forsakes 2000 more each second.
func leak() error {
	for i := 0; i < 5000; i++ {
		forsake()
	}
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			for i := 0; i < 10; i++ {
				forsake()
			}
		}
	}()
	return nil
}

// burst is the healthy server with peaks: every 700 ms it starts 2000 goroutines that wait 400 ms
// for the end of their batch, and each second 300 new clients connect and stay.
func burst() error {
	if err := healthy(); err != nil {
		return err
	}
	go func() {
		for range time.Tick(700 * time.Millisecond) {
			done := make(chan struct{})
			for i := 0; i < 2000; i++ {
				go func() { <-done }()
			}
			time.AfterFunc(400*time.Millisecond, func() { close(done) })
		}
	}()
	return welcome()
}

// welcome has 300 new clients each second. For each connection there is a goroutine that reads and
// one that waits for what is to be written.
func welcome() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			messages := make(chan []byte)
			go func() {
				io.Copy(io.Discard, c)
				close(messages)
			}()
			go func() {
				for m := range messages {
					c.Write(m)
				}
			}()
		}
	}()
	go func() {
		var kept []net.Conn
		for range time.Tick(10 * time.Millisecond) {
			for i := 0; i < 3; i++ {
				if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
					kept = append(kept, c)
				}
			}
		}
	}()
	return nil
}
