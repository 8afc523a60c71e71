// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ills are as those of examples/ills, which explains them; each lasts until the process ends.
var ills = map[string]func(){
	"lock": convoy,
	"cpu":  starve,
	"gc":   churn,
	"leak": leak,

	"hoard": hoard,
	"stuck": stuck,
	"slow":  func() { slow.Store(true) },
}

// slow is whether requests take half a second.
var slow atomic.Bool

var sink uint64

func spin(d time.Duration) uint64 {
	x := uint64(d)
	for end := time.Now().Add(d); time.Now().Before(end); {
		for range 100 {
			x = x*6364136223846793005 + 1442695040888963407
		}
	}
	return x
}

type ledger struct {
	mu    sync.Mutex
	total uint64
}

func (l *ledger) post(work time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total += spin(work)
}

func convoy() {
	l := &ledger{}
	for range 32 {
		go func() {
			for {
				l.post(100 * time.Microsecond)
				spin(10 * time.Microsecond)
			}
		}()
	}
}

func starve() {
	runtime.GOMAXPROCS(2)
	for range 48 {
		go func() {
			for {
				sink += spin(3 * time.Millisecond)
			}
		}()
	}
}

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

func churn() {
	debug.SetGCPercent(25)
	live := make([]*node, 2*runtime.GOMAXPROCS(0))
	for i := range live {
		live[i] = tree(18)
		go func() {
			for {
				for keep := tree(10); keep != nil; keep = nil {
					live[i].left.left = keep
				}
			}
		}()
	}
}

func forsake() {
	answer := make(chan int)
	go func() { answer <- 1 }()
}

func leak() {
	for range 5000 {
		forsake()
	}
	go every(5*time.Millisecond, func() {
		for range 10 {
			forsake()
		}
	})
}

// hoard keeps all that it ever had.
func hoard() {
	var kept [][]byte
	go every(10*time.Millisecond, func() {
		kept = append(kept, make([]byte, 256<<10))
		kept[0][0]++
	})
}

// stuck has system calls that never end, each in a thread of its own.
func stuck() {
	for range 150 {
		var ends [2]int
		if syscall.Pipe(ends[:]) != nil {
			return
		}
		go func() {
			if _, err := syscall.Read(ends[0], make([]byte, 1)); err == nil {
				syscall.Close(ends[1])
			}
		}()
	}
}
