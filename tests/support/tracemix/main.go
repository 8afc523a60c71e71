// SPDX-License-Identifier: Apache-2.0

// Tracemix writes an execution trace of a bit of everything to standard output: locks, channels,
// timers, the network, syscalls, GC with mark assist, tasks, regions, logs, coroutine switches, a
// changing GOMAXPROCS and goroutines that were there before the trace.
//
//	tracemix [-s SECONDS] [-w WORKERS] [-cpu]
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

type mix struct {
	until   time.Time
	workers int
	group   sync.WaitGroup
	lock    sync.Mutex
	count   int
	heap    [][]byte
}

// each runs f in as many goroutines as there are workers, again and again until the time is over.
func (m *mix) each(f func(int)) {
	for i := 0; i < m.workers; i++ {
		i := i
		m.group.Add(1)
		go func() {
			defer m.group.Done()
			for time.Now().Before(m.until) {
				f(i)
			}
		}()
	}
}

func (m *mix) locks(int) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.count++
	if m.count%64 == 0 {
		runtime.Gosched()
	}
}

func (m *mix) channels() func(int) {
	c := make(chan int)
	return func(int) {
		select {
		case c <- 1:
		case <-c:
		case <-time.After(time.Millisecond):
		}
	}
}

func (m *mix) garbage(int) {
	b := make([]byte, 1<<14)
	m.lock.Lock()
	defer m.lock.Unlock()
	m.heap = append(m.heap, b)
	if len(m.heap) > 2000 {
		m.heap = nil
	}
}

func (m *mix) annotations(i int) {
	ctx, task := trace.NewTask(context.Background(), fmt.Sprint("task", i))
	defer task.End()
	trace.WithRegion(ctx, `outer "quoted"`, func() {
		trace.Logf(ctx, "category", "message %d", i)
		trace.WithRegion(ctx, "inner", func() { time.Sleep(300 * time.Microsecond) })
	})
}

func (m *mix) spawn(int) {
	pause := syscall.Timespec{Nsec: 200000}
	syscall.Nanosleep(&pause, nil)
	var group sync.WaitGroup
	for i := 0; i < 10; i++ {
		group.Add(1)
		go group.Done()
	}
	group.Wait()
}

func echo(c net.Conn) {
	defer c.Close()
	b := make([]byte, 100)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		c.Write(b[:n])
	}
}

func (m *mix) network(address string) func(int) {
	return func(int) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 100)
		for i := 0; i < 20; i++ {
			c.Write(b[:10])
			c.Read(b)
		}
	}
}

func (m *mix) disturb() {
	defer m.group.Done()
	for i := 0; time.Now().Before(m.until); i++ {
		runtime.GOMAXPROCS(1 + i%4)
		time.Sleep(50 * time.Millisecond)
		runtime.GC()
		if i%5 == 0 {
			exec.Command("true").Run()
		}
	}
}

// before starts goroutines that sleep or sit in a syscall when the trace begins.
func before(over time.Time) {
	for i := 0; i < 20; i++ {
		go func() { time.Sleep(time.Until(over)) }()
	}
	if r, _, err := os.Pipe(); err == nil {
		go func() {
			var b [1]byte
			syscall.Read(int(r.Fd()), b[:])
		}()
	}
	time.Sleep(20 * time.Millisecond)
}

func main() {
	seconds := flag.Float64("s", 1, "how long")
	workers := flag.Int("w", 4, "goroutines of each sort")
	cpu := flag.Bool("cpu", false, "with a CPU profile, whose samples go into the trace")
	flag.Parse()
	window := time.Duration(*seconds * float64(time.Second))

	if *cpu {
		if f, err := os.Create(os.DevNull); err == nil && pprof.StartCPUProfile(f) == nil {
			defer pprof.StopCPUProfile()
		}
	}
	before(time.Now().Add(window + 50*time.Millisecond))
	if err := trace.Start(os.Stdout); err != nil {
		panic(err)
	}
	m := &mix{until: time.Now().Add(window), workers: *workers}
	m.each(m.locks)
	m.each(m.channels())
	m.each(m.garbage)
	m.each(m.annotations)
	m.each(m.coroutines)
	m.each(m.spawn)
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go echo(c)
			}
		}()
		m.each(m.network(l.Addr().String()))
	}
	m.group.Add(1)
	go m.disturb()

	_, task := trace.NewTask(context.Background(), "as long as the trace")
	region := trace.StartRegion(context.Background(), "as long as the trace")
	m.group.Wait()
	region.End()
	task.End()
	trace.Stop()
}
