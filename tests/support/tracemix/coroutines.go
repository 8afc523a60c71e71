// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package main

import (
	"iter"
	"time"
)

// coroutines switches to and fro between two goroutines, which is an event of its own.
func (m *mix) coroutines(int) {
	next, stop := iter.Pull(func(yield func(int) bool) {
		for i := 0; i < 10; i++ {
			if !yield(i) {
				return
			}
		}
	})
	defer stop()
	for {
		if _, ok := next(); !ok {
			break
		}
	}
	time.Sleep(200 * time.Microsecond)
}
