// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"runtime/trace"
	"time"
)

// stuck waits for a file's lock that somebody else keeps for 900 ms in every second. The P that the
// goroutine had is taken from it after 10 ms or so; the goroutine and its thread are gone until the
// kernel lets go of them. Some computation goes on beside it.
func stuck() error {
	files, err := unlinkedFiles(2)
	if err != nil {
		return err
	}
	held := make(chan bool)
	go func() {
		awaitTrace()
		for {
			if lockFile(files[0]) != nil {
				return
			}
			held <- true
			time.Sleep(900 * time.Millisecond)
			unlockFile(files[0])
			<-held
			time.Sleep(100 * time.Millisecond)
		}
	}()
	go func() {
		for {
			<-held
			if lockFile(files[1]) != nil {
				return
			}
			unlockFile(files[1])
			held <- true
		}
	}()
	go some()
	return nil
}

// awaitTrace returns when a trace begins. Whoever is stuck for most of a second is so in the middle
// of the trace then; a trace that begins in the middle of it has two halves.
func awaitTrace() {
	for !trace.IsEnabled() {
		time.Sleep(5 * time.Millisecond)
	}
}

// stuckRun computes for 800 ms at a time in a loop that has no call in it. Normally the runtime
// stops such a goroutine by a signal; it is told not to (see godebug in main.go), as it also
// cannot in long pieces of assembly. The P belongs to the goroutine until the loop is done, and
// whoever must stop the world, such as the collector, waits with everyone else stopped.
func stuckRun() error {
	rounds := 20_000_000
	go func() {
		for {
			begin := time.Now()
			multiply(rounds)
			rounds = int(float64(rounds) * float64(800*time.Millisecond) / float64(time.Since(begin)))
			runtime.Gosched()
		}
	}()
	go some()
	return nil
}

func multiply(rounds int) (n uint64) {
	for i := 0; i < rounds; i++ {
		n = n*6364136223846793005 + 1442695040888963407
	}
	return n
}

// some is a bit of work: 2 ms in every 10.
func some() {
	for range time.Tick(10 * time.Millisecond) {
		spin(2 * time.Millisecond)
	}
}
