// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// deaf is an address of this machine where nobody listens, nor can: it is bound.
func deaf() (string, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", err
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port), nil
}

// retryStorm has 20 goroutines that dial an address where nobody listens, and try again at once.
func retryStorm() error {
	gone, err := deaf()
	if err != nil {
		return err
	}
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

// closeHerd has 500 goroutines that wait for the same channel, which is closed and made anew for each
// of 200 jobs a second.
func closeHerd() error {
	var (
		mu   sync.Mutex
		jobs int
		more = make(chan struct{})
	)
	for i := 0; i < 500; i++ {
		go func() {
			for {
				mu.Lock()
				wait, found := more, jobs > 0
				if found {
					jobs--
				}
				mu.Unlock()
				if found {
					spin(20 * time.Microsecond)
					continue
				}
				<-wait
			}
		}()
	}
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			mu.Lock()
			jobs++
			close(more)
			more = make(chan struct{})
			mu.Unlock()
		}
	}()
	return nil
}
