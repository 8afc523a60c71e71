// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"sync"
	"time"
)

// retryStorm has 20 goroutines that dial an address where nobody listens any more, and try again at
// once.
func retryStorm() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	gone := l.Addr().String()
	l.Close()
	for i := 0; i < 20; i++ {
		go func() {
			for {
				if c, err := net.Dial("tcp", gone); err == nil {
					c.Close()
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
	}
	return nil
}

// thunderingHerd has 200 workers, all of whom are woken for each of 200 jobs a second.
func thunderingHerd() error {
	var (
		mu   sync.Mutex
		jobs int
	)
	more := sync.NewCond(&mu)
	for i := 0; i < 200; i++ {
		go func() {
			for {
				mu.Lock()
				for jobs == 0 {
					more.Wait()
				}
				jobs--
				mu.Unlock()
				spin(100 * time.Microsecond)
			}
		}()
	}
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			mu.Lock()
			jobs++
			mu.Unlock()
			more.Broadcast()
		}
	}()
	return nil
}
