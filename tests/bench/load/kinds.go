// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Each is done by several goroutines at a time, again and again.
var kinds = map[string]func(worker int) func(){
	"syscalls":    syscalls,
	"annotations": annotations,
	"spawn":       spawn,
	"handoffs":    handoffs,
}

const workers = 8

// syscalls has many that take no time, and some in which the P is lost.
func syscalls(worker int) func() {
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		log.Fatal(err)
	}
	b := make([]byte, 64)
	return func() {
		for i := 0; i < 20; i++ {
			syscall.Write(pipe[1], b)
			syscall.Read(pipe[0], b)
		}
		if worker%4 == 0 {
			pause := syscall.Timespec{Nsec: 50000}
			syscall.Nanosleep(&pause, nil)
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

func annotations(worker int) func() {
	names := []string{"read", "parse", "decide", "write"}
	return func() {
		ctx, task := trace.NewTask(context.Background(), fmt.Sprintf("request %d", worker))
		for _, name := range names {
			region := trace.StartRegion(ctx, name)
			trace.Log(ctx, "step", name)
			trace.WithRegion(ctx, "inner", func() {})
			region.End()
		}
		task.End()
		time.Sleep(10 * time.Microsecond)
	}
}

func spawn(int) func() {
	return func() {
		var group sync.WaitGroup
		for i := 0; i < 16; i++ {
			group.Add(1)
			go group.Done()
		}
		group.Wait()
	}
}

func handoffs(int) func() {
	to, fro := make(chan int), make(chan int)
	go func() {
		for n := range to {
			fro <- n
		}
	}()
	return func() {
		for i := 0; i < 50; i++ {
			to <- i
			<-fro
		}
	}
}

type counter struct{ n atomic.Int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return os.Stdout.Write(b)
}

// write goes on until the trace is so large.
func write(kind func(int) func(), size int64) {
	var written counter
	var over atomic.Bool
	var group sync.WaitGroup
	if err := trace.Start(&written); err != nil {
		log.Fatal(err)
	}
	for i := 0; i < workers; i++ {
		step := kind(i)
		group.Add(1)
		go func() {
			defer group.Done()
			for !over.Load() {
				step()
			}
		}()
	}
	for written.n.Load() < size {
		time.Sleep(20 * time.Millisecond)
	}
	over.Store(true)
	group.Wait()
	trace.Stop()
}
