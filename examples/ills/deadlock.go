// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

// account is one of two between which money is transferred.
type account struct {
	mu      sync.Mutex
	balance int
}

// transfer takes both locks, that of the payer first. Who pays into the other direction at the same
// time takes them the other way round.
func transfer(from, to *account, n int) {
	from.mu.Lock()
	defer from.mu.Unlock()
	time.Sleep(time.Millisecond)
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance -= n
	to.balance += n
}

func (a *account) read() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.balance
}

// mutexDeadlock has two goroutines that wait for each other, and three that ask what is there.
func mutexDeadlock() error {
	a, b := &account{}, &account{}
	go func() {
		for {
			transfer(a, b, 1)
		}
	}()
	go func() {
		for {
			transfer(b, a, 1)
		}
	}()
	for i := 0; i < 3; i++ {
		go func() {
			for range time.Tick(10 * time.Millisecond) {
				a.read()
			}
		}()
	}
	go some()
	return nil
}

// collect reads what its workers found when all of them are done. They are never done: each waits
// for somebody who reads.
func collect() {
	var workers sync.WaitGroup
	found := make(chan int)
	for i := 0; i < 4; i++ {
		i := i
		workers.Add(1)
		go func() {
			defer workers.Done()
			found <- i
		}()
	}
	workers.Wait()
	close(found)
	for range found {
	}
}

// channelDeadlock has a collector that waits for its workers, which wait for it.
func channelDeadlock() error {
	go collect()
	go some()
	return nil
}
