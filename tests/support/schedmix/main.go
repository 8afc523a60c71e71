// SPDX-License-Identifier: Apache-2.0

// Schedmix is a program whose scheduler shows one pattern, for GODEBUG=schedtrace and gctrace to
// print. It ends after some time.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

var patterns = map[string]func(){
	"calm":    calm,
	"busy":    busy,
	"crash":   crash,
	"storm":   storm,
	"netpoll": netpoll,
	"gcstall": gcstall,
	"stuck":   stuck,
}

func main() {
	seconds := flag.Float64("s", 2, "how long it runs")
	flag.Parse()
	run := patterns[flag.Arg(0)]
	if run == nil {
		fmt.Fprintln(os.Stderr, "usage: schedmix [-s SECONDS] PATTERN")
		os.Exit(2)
	}
	debug.SetGCPercent(-1)
	go func() {
		time.Sleep(time.Duration(*seconds * float64(time.Second)))
		os.Exit(0)
	}()
	run()
	select {}
}

func compute(rounds int) (n uint64) {
	for i := 0; i < rounds; i++ {
		n = n*6364136223846793005 + 1442695040888963407
	}
	return n
}

// calm wakes up now and then.
func calm() {
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			compute(1000)
		}
	}()
}

// busy computes on all Ps, and a queue waits; nothing is wrong with the scheduler.
func busy() {
	for i := 0; i < 8*runtime.GOMAXPROCS(0); i++ {
		go func() {
			for {
				compute(1000)
			}
		}()
	}
}

// crash ends by a panic, at which the runtime prints a snapshot with details of its own accord.
func crash() {
	time.Sleep(700 * time.Millisecond)
	panic("crash")
}

// storm has 64 goroutines in system calls that block.
func storm() {
	for i := 0; i < 64; i++ {
		go func() {
			for {
				pause := syscall.NsecToTimespec(int64(20 * time.Millisecond))
				syscall.Nanosleep(&pause, nil)
			}
		}()
	}
}

// netpoll has more messages arrive on its connections than it can look at.
func netpoll() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				panic(err)
			}
			go talk(c, 20_000)
		}
	}()
	for i := 0; i < 200; i++ {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			panic(err)
		}
		c.Write(make([]byte, 64))
		go talk(c, 0)
	}
}

func talk(c net.Conn, rounds int) {
	message := make([]byte, 64)
	for {
		if _, err := io.ReadFull(c, message); err != nil {
			return
		}
		compute(rounds)
		c.Write(message)
	}
}

type node struct{ left, right *node }

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

// gcstall allocates faster than the collector marks.
func gcstall() {
	debug.SetGCPercent(25)
	live := make([]*node, 2*runtime.GOMAXPROCS(0))
	for i := range live {
		live[i] = tree(18)
		go func() {
			for {
				live[i].left.left = tree(10)
			}
		}()
	}
}

// stuck computes in a loop without a call, which GODEBUG=asyncpreemptoff=1 keeps from being stopped.
func stuck() {
	calm()
	time.Sleep(200 * time.Millisecond)
	go compute(1 << 60)
}
