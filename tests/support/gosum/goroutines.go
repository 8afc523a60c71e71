// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"gosum/trace"
)

// stats has GoroutineExecStats by the names that `contrace goroutines --json` has.
type stats struct {
	Total        int64            `json:"total_ns"`
	Exec         int64            `json:"exec_ns"`
	SchedWait    int64            `json:"sched_wait_ns"`
	Syscall      int64            `json:"syscall_ns"`
	SyscallBlock int64            `json:"syscall_block_ns"`
	Unknown      int64            `json:"unknown_ns"`
	Blocks       map[string]int64 `json:"blocks"`
	Ranges       map[string]int64 `json:"ranges"`
}

type goroutine struct {
	G       int64  `json:"g"`
	Name    string `json:"name"`
	Created int64  `json:"created_ns"`
	Started *int64 `json:"started_ns"`
	Ended   *int64 `json:"ended_ns"`
	stats
}

type goroutineGroup struct {
	Count int64 `json:"count"`
	stats
}

type goroutines struct {
	Error  string                     `json:"error"`
	Window int64                      `json:"window_ns"`
	Groups map[string]*goroutineGroup `json:"groups"`
	List   []goroutine                `json:"list"`
}

func newStats() stats {
	return stats{Blocks: map[string]int64{}, Ranges: map[string]int64{}}
}

func (s *stats) add(e *trace.GoroutineExecStats) {
	s.Total += int64(e.TotalTime)
	s.Exec += int64(e.ExecTime)
	s.SchedWait += int64(e.SchedWaitTime)
	s.Syscall += int64(e.SyscallTime)
	s.SyscallBlock += int64(e.SyscallBlockTime)
	s.Unknown += int64(e.UnknownTime())
	for reason, d := range e.BlockTimeByReason {
		if d != 0 {
			s.Blocks[reason] += int64(d)
		}
	}
	for name, d := range e.RangeTime {
		if d != 0 {
			s.Ranges[name] += int64(d)
		}
	}
}

// printGoroutines is what the Summarizer says of a trace, each goroutine and each group by start
// function. Of a trace that breaks off it is what came before. With `short` there is no list.
func printGoroutines(name string, short bool) {
	start := time.Now()
	var first, last trace.Time
	begun := false
	sum := trace.NewSummarizer()
	out := goroutines{Groups: map[string]*goroutineGroup{}}
	err := read(name, func(ev *trace.Event) {
		if !begun {
			begun, first = true, ev.Time()
		}
		last = ev.Time()
		sum.Event(ev)
	})
	if err != nil {
		out.Error = err.Error()
	}
	out.Window = int64(last.Sub(first))
	since := func(t trace.Time) *int64 {
		if t == 0 {
			return nil
		}
		ns := int64(t.Sub(first))
		return &ns
	}
	for _, g := range sum.Finalize().Goroutines {
		group := out.Groups[g.Name]
		if group == nil {
			group = &goroutineGroup{stats: newStats()}
			out.Groups[g.Name] = group
		}
		group.Count++
		group.add(&g.GoroutineExecStats)
		if short {
			continue
		}
		one := goroutine{int64(g.ID), g.Name, int64(g.CreationTime.Sub(first)), since(g.StartTime),
			since(g.EndTime), newStats()}
		one.add(&g.GoroutineExecStats)
		out.List = append(out.List, one)
	}
	fmt.Fprintf(os.Stderr, "seconds=%.3f\n", time.Since(start).Seconds())
	json.NewEncoder(os.Stdout).Encode(&out)
}
