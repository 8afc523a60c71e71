// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"time"
)

// cpuStarved has 48 goroutines that compute for two Ps: each runs until it is preempted, 10 ms, and
// then waits for all the others.
func cpuStarved() error {
	runtime.GOMAXPROCS(2)
	for i := 0; i < 48; i++ {
		go func() {
			for {
				spin(3 * time.Millisecond)
			}
		}()
	}
	return nil
}
