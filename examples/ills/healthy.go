// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// silent are kept, lest the collector close them.
var silent []net.Conn

// idle is a server that nobody asks anything: 200 connections wait for a request, 500 goroutines
// for work, one for a child process, and a ticker ticks.
func idle() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	accepted := make(chan struct{})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerLines(c, 0)
			accepted <- struct{}{}
		}
	}()
	for i := 0; i < 200; i++ {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return err
		}
		silent = append(silent, c)
		<-accepted // or the work of that falls into the trace
	}
	jobs := make(chan int)
	for i := 0; i < 500; i++ {
		go func() { <-jobs }()
	}
	child := exec.Command("sleep", "20")
	if err := child.Start(); err != nil {
		return err
	}
	go child.Wait()
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			spin(20 * time.Microsecond)
		}
	}()
	return nil
}

// timers has goroutines that wake 2000 times a second together and do next to nothing: Ps start and
// stop all the time, and what is woken waits for a P to start, but there is no work.
func timers() error {
	for i := 0; i < 20; i++ {
		go func() {
			for {
				time.Sleep(10 * time.Millisecond)
			}
		}()
	}
	return nil
}

// shop is a small service: a bit of everything, and nothing too much.
type shop struct {
	mu    sync.RWMutex
	stock map[int][]byte
}

func (s *shop) buy(n int) {
	s.mu.RLock()
	_, have := s.stock[n%100]
	s.mu.RUnlock()
	spin(500 * time.Microsecond)
	if !have || n%10 == 0 {
		s.mu.Lock()
		s.stock[n%100] = make([]byte, 4096)
		s.mu.Unlock()
	}
}

func (s *shop) serve(c net.Conn) {
	defer c.Close()
	for n, r := 0, bufio.NewReader(c); ; n++ {
		if _, err := r.ReadString('\n'); err != nil {
			return
		}
		var parts sync.WaitGroup
		for i := 0; i < 2; i++ {
			i := i
			parts.Add(1)
			go func() {
				defer parts.Done()
				s.buy(2*n + i)
			}()
		}
		parts.Wait()
		if _, err := fmt.Fprintln(c, "sold"); err != nil {
			return
		}
	}
}

// healthy is a server with 10 clients that ask it 160 times a second in all.
func healthy() error {
	runtime.GOMAXPROCS(2)
	s := &shop{stock: make(map[int][]byte)}
	for i := 0; i < 10; i++ {
		inside, outside := net.Pipe()
		go s.serve(inside)
		go func() {
			for r := bufio.NewReader(outside); query(outside, r) == nil; {
				time.Sleep(60 * time.Millisecond)
			}
		}()
	}
	return nil
}

// busy computes on every P without anyone waiting.
func busy() error {
	for i := 0; i < runtime.GOMAXPROCS(0); i++ {
		go func() {
			for {
				spin(3 * time.Millisecond)
			}
		}()
	}
	return nil
}

// pingPong has two goroutines that wait for each other, 100,000 times a second: many waits of less
// than a microsecond are not a long one.
func pingPong() error {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for n := range ping {
			spin(5 * time.Microsecond)
			pong <- n
		}
	}()
	go func() {
		for n := 0; ; n++ {
			ping <- n
			spin(5 * time.Microsecond)
			<-pong
		}
	}()
	return nil
}
