// SPDX-License-Identifier: Apache-2.0

// Holders writes a trace of a program whose goroutines keep each other waiting, each in a way of
// its own: for a mutex whose holder sleeps, writes to a disk and computes; for a condition of which
// all are told at once; for a channel whose sender asks a peer; and in goroutines that nobody ends.
package main

import (
	"io"
	"log"
	"net"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

var (
	ledger sync.Mutex
	disk   *os.File
	stop   = make(chan bool)
)

func spin(d time.Duration) {
	for t := time.Now(); time.Since(t) < d; {
	}
}

func stopped() bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

//go:noinline
func commit() {
	spin(300 * time.Microsecond)
	time.Sleep(2 * time.Millisecond)
	disk.Write(make([]byte, 4096))
	if err := disk.Sync(); err != nil {
		log.Fatal(err)
	}
}

//go:noinline
func post() {
	ledger.Lock()
	commit()
	ledger.Unlock()
}

func worker(group *sync.WaitGroup) {
	defer group.Done()
	for !stopped() {
		post()
	}
}

// tell wakes all who wait for a condition, every 5 ms.
func tell(cond *sync.Cond) {
	for !stopped() {
		time.Sleep(5 * time.Millisecond)
		cond.Broadcast()
	}
	cond.Broadcast()
}

func listen(cond *sync.Cond, group *sync.WaitGroup) {
	defer group.Done()
	for !stopped() {
		cond.L.Lock()
		cond.Wait()
		cond.L.Unlock()
	}
}

// peer answers after 3 ms.
func peer() net.Addr {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				b := make([]byte, 1)
				for {
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					time.Sleep(3 * time.Millisecond)
					c.Write(b)
				}
			}()
		}
	}()
	return l.Addr()
}

func ask(c net.Conn, answers chan<- byte) {
	b := []byte{1}
	for !stopped() {
		c.Write(b)
		if _, err := io.ReadFull(c, b); err != nil {
			log.Fatal(err)
		}
		answers <- b[0]
	}
	close(answers)
}

func consume(answers <-chan byte, group *sync.WaitGroup) {
	defer group.Done()
	for range answers {
	}
}

//go:noinline
func forgotten(never chan int) {
	<-never
}

// leak makes one goroutine a millisecond that nobody ends.
func leak(group *sync.WaitGroup) {
	defer group.Done()
	for !stopped() {
		go forgotten(make(chan int))
		time.Sleep(time.Millisecond)
	}
}

func main() {
	file, err := os.CreateTemp("", "holders")
	if err != nil {
		log.Fatal(err)
	}
	disk = file
	defer os.Remove(file.Name())
	for range 20 {
		go forgotten(make(chan int))
	}
	time.Sleep(20 * time.Millisecond)
	conn, err := net.Dial("tcp", peer().String())
	if err != nil {
		log.Fatal(err)
	}
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	var group sync.WaitGroup
	cond := sync.NewCond(&sync.Mutex{})
	answers := make(chan byte)
	group.Add(8 + 5 + 1 + 1)
	for range 8 {
		go worker(&group)
	}
	for range 5 {
		go listen(cond, &group)
	}
	go consume(answers, &group)
	go leak(&group)
	go tell(cond)
	go ask(conn, answers)
	time.Sleep(800 * time.Millisecond)
	close(stop)
	group.Wait()
	trace.Stop()
}
