// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"
)

// ledger is a service's one big lock. Whoever posts or reads holds it while computing.
type ledger struct {
	mu    sync.Mutex
	total uint64
}

func (l *ledger) post() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total += spin(100 * time.Microsecond)
}

func (l *ledger) balance() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	spin(50 * time.Microsecond)
	return l.total
}

// lockConvoy has 32 goroutines that post and read, with a little work of their own in between. One
// makes progress at a time, and the others queue: the lock is handed on from one to the next, and
// more Ps do not help.
func lockConvoy() error {
	l := &ledger{}
	for i := 0; i < 32; i++ {
		go func() {
			for {
				l.post()
				spin(10 * time.Microsecond)
				l.balance()
			}
		}()
	}
	return nil
}
