// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// timerStorm has 500 goroutines that ask every 100 microseconds whether there is something to do, so
// that Ps do little but run timers and wake those who wait for them.
func timerStorm() error {
	for i := 0; i < 500; i++ {
		go func() {
			for {
				time.Sleep(100 * time.Microsecond)
			}
		}()
	}
	return nil
}

// take takes one piece of work, if there is one.
func take(work *atomic.Int64) bool {
	n := work.Load()
	return n > 0 && work.CompareAndSwap(n, n-1)
}

// busyPoll has goroutines that ask again and again whether there is work, and let others run in
// between.
func busyPoll() error {
	var work atomic.Int64
	for i := 0; i < 4; i++ {
		go func() {
			for {
				for !take(&work) {
					runtime.Gosched()
				}
				spin(50 * time.Microsecond)
			}
		}()
	}
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			work.Add(1)
		}
	}()
	return nil
}

// pollSelect has a goroutine that asks in a loop whether something was sent to it, and never waits.
func pollSelect() error {
	jobs := make(chan time.Duration)
	go func() {
		var asked atomic.Int64
		for {
			select {
			case d := <-jobs:
				spin(d)
			default:
				asked.Add(1)
			}
		}
	}()
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			jobs <- 10 * time.Microsecond
		}
	}()
	return nil
}

// pollSleep has goroutines that look for work, and sleep for half a millisecond if there is none.
func pollSleep() error {
	var work atomic.Int64
	for i := 0; i < 24; i++ {
		go func() {
			for {
				if take(&work) {
					spin(50 * time.Microsecond)
				}
				time.Sleep(500 * time.Microsecond)
			}
		}()
	}
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			work.Add(1)
		}
	}()
	return nil
}
