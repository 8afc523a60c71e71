// SPDX-License-Identifier: Apache-2.0

package main

import "runtime"

// imbalance passes tokens round rings of goroutines, each locked to its thread, as happens with
// libraries that insist on one thread (OpenGL, some cgo bindings, network namespaces). The
// scheduler does not keep goroutines waiting while Ps idle, if it can help it; here it cannot: a
// runnable goroutine that is locked can only run on its own thread, which sleeps. A P must be
// taken from whoever has it and handed to that thread, and the thread be woken by the kernel.
// For the length of two wake-ups the goroutine is runnable, and no P does anything.
func imbalance() error {
	runtime.GOMAXPROCS(4)
	const rings, members = 2, 3
	for i := 0; i < rings; i++ {
		var ring [members]chan int
		for j := range ring {
			ring[j] = make(chan int)
		}
		for j := range ring {
			in, out := ring[j], ring[(j+1)%members]
			go func() {
				runtime.LockOSThread()
				for token := range in {
					out <- token + 1
				}
			}()
		}
		ring[0] <- 0
	}
	return nil
}
