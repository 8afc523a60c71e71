// SPDX-License-Identifier: Apache-2.0

// Annotator writes a trace of a program that marks more than most do, or marks it wrongly.
//
//	annotator misnested   regions that end first to last, beside a lock convoy
//	annotator elsewhere   regions that end on another goroutine, or twice
//	annotator types       200 names with numbers in them, and then the one that matters
//	annotator names       6,000 names of tasks without a number, and then a lock convoy
//	annotator open        70,000 tasks that do not end, and then tasks that do
//	annotator stacks      20,000 different stacks, and then a lock convoy
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

var mu sync.Mutex

func spin(d time.Duration) {
	for t := time.Now(); time.Since(t) < d; {
	}
}

//go:noinline
func post() {
	mu.Lock()
	spin(500 * time.Microsecond)
	mu.Unlock()
}

// convoy has goroutines queue for a mutex until the time is over.
func convoy(d time.Duration) {
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(end) {
				post()
			}
		}()
	}
	wg.Wait()
}

func dispatch(end time.Time) {
	for time.Now().Before(end) {
		var regions []*trace.Region
		for i := range 3 {
			ctx, task := trace.NewTask(context.Background(), "request")
			defer task.End()
			regions = append(regions, trace.StartRegion(ctx, []string{"send", "send", "log"}[i]))
		}
		time.Sleep(5 * time.Millisecond)
		for _, region := range regions {
			region.End()
		}
	}
}

func misnested() {
	go dispatch(time.Now().Add(time.Second))
	convoy(1100 * time.Millisecond)
}

// elsewhere begins regions on one goroutine and ends them on another, and one twice.
func elsewhere() {
	for range 50 {
		region := trace.StartRegion(context.Background(), "handed over")
		done := make(chan bool)
		go func() {
			region.End()
			close(done)
		}()
		<-done
	}
	done := make(chan bool)
	go func() {
		region := trace.StartRegion(context.Background(), "twice")
		region.End()
		region.End()
		close(done)
	}()
	<-done
	time.Sleep(100 * time.Millisecond)
}

func types() {
	for i := range 200 {
		_, task := trace.NewTask(context.Background(), fmt.Sprintf("GET /item/%d", i))
		task.End()
	}
	for range 5 {
		ctx, task := trace.NewTask(context.Background(), "POST /checkout")
		trace.WithRegion(ctx, "charge card", func() { time.Sleep(50 * time.Millisecond) })
		task.End()
	}
}

// word is another one for each number, and has no digit.
func word(i int) string {
	var b []byte
	for ; i > 0 || len(b) < 3; i /= 20 {
		b = append(b, byte('g'+i%20))
	}
	return string(b)
}

func names() {
	for i := range 6000 {
		_, task := trace.NewTask(context.Background(), word(i))
		task.End()
	}
	convoy(1100 * time.Millisecond)
}

func open() {
	for range 70000 {
		trace.NewTask(context.Background(), "leaked")
	}
	for range 100 {
		_, task := trace.NewTask(context.Background(), "ended")
		time.Sleep(100 * time.Microsecond)
		task.End()
	}
}

// descend makes a stack of its own of each number: which way it goes at each level.
//
//go:noinline
func descend(n uint, depth int) {
	switch {
	case depth == 0:
		runtime.Gosched()
	case n%2 == 0:
		descend(n/2, depth-1)
	default:
		descend(n/2, depth-1)
	}
}

func stacks() {
	for n := range uint(20000) {
		descend(n, 15)
	}
	convoy(1100 * time.Millisecond)
}

func main() {
	modes := map[string]func(){"misnested": misnested, "elsewhere": elsewhere, "types": types, "names": names, "open": open,
		"stacks": stacks}
	if len(os.Args) != 2 || modes[os.Args[1]] == nil {
		log.Fatal("usage: annotator misnested|elsewhere|types|names|open|stacks")
	}
	runtime.GOMAXPROCS(2)
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	modes[os.Args[1]]()
	trace.Stop()
}
