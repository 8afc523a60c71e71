// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"runtime/debug"
	"time"
)

// node is a small object with pointers, which costs the collector more than its size.
type node struct {
	left, right *node
	word        [2]uint64
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

// gcChurn keeps a heap of some 64 MB of small objects alive and throws away trees as fast as it can
// grow them. With GOGC=25 the heap's goal is near at all times, so that a cycle follows the other;
// a quarter of the Ps for marking is not enough, and whoever allocates must assist.
func gcChurn() error {
	debug.SetGCPercent(25)
	live := make([]*node, 2*runtime.GOMAXPROCS(0))
	for i := range live {
		i := i
		live[i] = tree(20 - bits(len(live)))
		go func() {
			for {
				for keep := tree(10); keep != nil; keep = nil {
					live[i].left.left = keep
				}
			}
		}()
	}
	return nil
}

func bits(n int) (b int) {
	for ; n > 1; n /= 2 {
		b++
	}
	return b
}

// forcedGC has goroutines that collect garbage by themselves, though there is next to none.
func forcedGC() error {
	kept := tree(19)
	for i := 0; i < 2; i++ {
		go func() {
			for {
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
		}()
	}
	go func() {
		time.Sleep(time.Hour)
		runtime.KeepAlive(kept)
	}()
	return nil
}
