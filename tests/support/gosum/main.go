// SPDX-License-Identifier: Apache-2.0

// Gosum sums an execution trace up with Go's own reader: the numbers that `contrace summary` must
// give too, as JSON.
//
//	gosum all FILE    every number, with internal/trace's Summarizer, MMU and profiles' rules
//	gosum sums FILE   what a bench compares: counts, state totals, latencies, call sites, ranges, tasks
//	                  and regions; and how fast
//	gosum outliers FILE TABLE   the slowest of each kind; TABLE says of functions what a stack waits for
//	gosum all-outliers FILE TABLE   the same, but all of them
//	gosum alive FILE end|NANOSECONDS   which goroutines there are then
//	goroutines FILE   what the Summarizer says of each goroutine, and of each group by start function
//	wakes FILE        waits for other goroutines, by who ended them
//	groups FILE       of the groups only
//
// It is built against a copy of the toolchain's internal/trace: see tests/e2e/gotools.py.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"strings"
	"time"

	"gosum/trace"
)

type times struct {
	Count int64 `json:"count"`
	Total int64 `json:"total_ns"`
	P50   int64 `json:"p50_ns"`
	P90   int64 `json:"p90_ns"`
	P99   int64 `json:"p99_ns"`
	P999  int64 `json:"p999_ns"`
	Max   int64 `json:"max_ns"`
}

// timesOf has nearest-rank percentiles: the smallest value that p of all values do not exceed.
func timesOf(values []int64) (t times) {
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	at := func(permille int) int64 { return values[(len(values)*permille+999)/1000-1] }
	for _, v := range values {
		t.Total += v
	}
	if t.Count = int64(len(values)); t.Count > 0 {
		t.P50, t.P90, t.P99, t.P999 = at(500), at(900), at(990), at(999)
		t.Max = values[len(values)-1]
	}
	return t
}

type typed struct {
	times
	Open int64 `json:"open"`
}

type wait struct {
	Count int64 `json:"count"`
	Total int64 `json:"total_ns"`
	Max   int64 `json:"max_ns"`
}

type site struct {
	Count int64 `json:"count"`
	Total int64 `json:"total_ns"`
	Max   int64 `json:"max_ns"`
}

type result struct {
	Kinds      map[string]int64 `json:"kinds"`
	Window     int64            `json:"window_ns"`
	Running    int64            `json:"running_ns"`
	Runnable   int64            `json:"runnable_ns"`
	InSyscall  int64            `json:"in_syscall_ns"`
	Waits      map[string]*wait `json:"waits"`
	AtStart    int64            `json:"at_start"`
	Created    int64            `json:"created"`
	Ended      int64            `json:"ended"`
	MaxAlive   int64            `json:"max_alive"`
	Latency    times            `json:"latency"`
	Syscalls   times            `json:"syscalls"`
	Cycles     int64            `json:"cycles"`
	Mark       int64            `json:"mark_ns"`
	STW        map[string]times `json:"stw"`
	Threads    int64            `json:"threads"`
	ProcTime   int64            `json:"proc_running_ns"`
	Procs      int64            `json:"procs_available_ns"`
	Tasks      map[string]typed `json:"tasks"`
	Regions    map[string]typed `json:"regions"`
	MMU        []float64        `json:"mmu"`
	Mean       float64          `json:"mean"`
	TrueMMU    []float64        `json:"true_mmu"` // and the mean
	Sites      [4]site          `json:"sites"`    // sched, sync, net, syscall
	Summarizer struct {
		Running, Runnable, Syscall, Assist int64
		Waits                              map[string]int64
	} `json:"summarizer"`
	PendingBlocked int64 `json:"pending_blocked_ns"`
	// Goroutines created with a number that one before had, as for calls from C: the Summarizer
	// forgets the earlier one.
	Reused int64 `json:"reused"`
}

type state struct {
	state  trace.GoState
	since  trace.Time
	reason string
	stack  trace.Stack
	site   int // index in sites, or -1
	known  bool
	lostP  trace.Time
	proc   trace.ProcID
}

type sums struct {
	result
	first, last, sync trace.Time
	started           bool
	gs                map[trace.GoID]*state
	latencies         []int64
	syscalls          []int64
	sites             [4]map[trace.Stack]*site
	alive, alivePeak  int64
	threads           map[trace.ThreadID]bool
}

func newSums() *sums {
	s := &sums{gs: map[trace.GoID]*state{}, threads: map[trace.ThreadID]bool{}}
	s.Kinds = map[string]int64{}
	s.Waits = map[string]*wait{}
	for i := range s.sites {
		s.sites[i] = map[trace.Stack]*site{}
	}
	return s
}

func (s *sums) wait(reason string) *wait {
	w := s.Waits[reason]
	if w == nil {
		w = &wait{}
		s.Waits[reason] = w
	}
	return w
}

// add counts a time in a state of a goroutine.
func (s *sums) add(g *state, from, to trace.Time) {
	d := int64(to.Sub(from))
	switch g.state {
	case trace.GoRunning:
		s.Running += d
	case trace.GoRunnable:
		s.Runnable += d
	case trace.GoSyscall:
		s.InSyscall += d
	case trace.GoWaiting:
		if g.reason == "forever" {
			break
		}
		w := s.wait(g.reason)
		w.Total += d
		w.Max = max(w.Max, d)
	}
}

func siteOf(state trace.GoState, reason string) int {
	switch {
	case state == trace.GoRunnable:
		return 0
	case state == trace.GoSyscall:
		return 3
	case state != trace.GoWaiting:
		return -1
	case reason == "network":
		return 2
	case strings.Contains(reason, "chan") || strings.Contains(reason, "sync") || strings.Contains(reason, "select"):
		return 1
	}
	return -1
}

func (s *sums) transition(ev *trace.Event, st *trace.StateTransition) {
	from, to := st.Goroutine()
	if from == to {
		return
	}
	id := st.Resource.Goroutine()
	g := s.gs[id]
	now := ev.Time()
	if g == nil {
		g = &state{}
		s.gs[id] = g
	} else {
		s.add(g, g.since, now)
		d := int64(now.Sub(g.since))
		if g.site >= 0 && g.state != trace.GoNotExist {
			at := s.sites[g.site][g.stack]
			if at == nil {
				at = &site{}
				s.sites[g.site][g.stack] = at
			}
			at.Count++
			at.Total += d
			at.Max = max(at.Max, d)
		}
		if from == trace.GoRunnable && to == trace.GoRunning && g.known {
			s.latencies = append(s.latencies, d)
		}
		if from == trace.GoSyscall && g.known {
			s.syscalls = append(s.syscalls, d)
		}
	}
	*g = state{state: to, since: now, reason: st.Reason, stack: ev.Stack(), known: true}
	switch from {
	case trace.GoUndetermined:
		s.AtStart++
		g.known = false
		s.add(g, s.sync, now)
	case trace.GoNotExist:
		s.Created++
		s.alive++
		s.alivePeak = max(s.alivePeak, s.alive)
	}
	if to == trace.GoWaiting && g.known {
		s.wait(g.reason).Count++
	}
	g.site = siteOf(to, st.Reason)
	if to == trace.GoNotExist {
		s.Ended++
		s.alive--
		delete(s.gs, id)
	}
}

func (s *sums) event(ev *trace.Event) {
	if !s.started {
		s.started = true
		s.first, s.sync = ev.Time(), ev.Time()
	}
	s.last = ev.Time()
	if m := ev.Thread(); m != trace.NoThread {
		s.threads[m] = true
	}
	kind := ev.Kind()
	s.Kinds[kind.String()]++
	switch kind {
	case trace.EventSync:
		s.sync = ev.Time()
	case trace.EventStateTransition:
		st := ev.StateTransition()
		if st.Resource.Kind == trace.ResourceGoroutine {
			s.transition(ev, &st)
		}
	}
}

func (s *sums) finish() {
	for _, g := range s.gs {
		s.add(g, g.since, s.last)
	}
	s.Window = int64(s.last.Sub(s.first))
	s.MaxAlive = s.AtStart + s.alivePeak
	s.Latency = timesOf(s.latencies)
	s.Syscalls = timesOf(s.syscalls)
	s.Threads = int64(len(s.threads))
	for i := range s.sites {
		for _, at := range s.sites[i] {
			s.Sites[i].Count += at.Count
			s.Sites[i].Total += at.Total
			s.Sites[i].Max = max(s.Sites[i].Max, at.Max)
		}
	}
}

func read(name string, f func(*trace.Event)) error {
	file, err := os.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	r, err := trace.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return err
	}
	for {
		ev, err := r.ReadEvent()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f(&ev)
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) == 4 && (os.Args[1] == "outliers" || os.Args[1] == "all-outliers") {
		printOutliers(os.Args[2], os.Args[3], os.Args[1] == "all-outliers")
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "alive" {
		printAlive(os.Args[2], os.Args[3])
		return
	}
	if len(os.Args) != 3 {
		log.Fatal("usage: gosum all|sums|goroutines|groups|wakes FILE, or gosum outliers|all-outliers FILE TABLE, or gosum alive FILE end|NANOSECONDS")
	}
	if os.Args[1] == "wakes" {
		printWakes(os.Args[2])
		return
	}
	if os.Args[1] == "goroutines" || os.Args[1] == "groups" {
		printGoroutines(os.Args[2], os.Args[1] == "groups")
		return
	}
	start := time.Now()
	s := newSums()
	u := newUser()
	var events []trace.Event
	all := os.Args[1] == "all"
	err := read(os.Args[2], func(ev *trace.Event) {
		s.event(ev)
		if all {
			events = append(events, *ev)
		} else {
			u.event(ev)
		}
	})
	s.finish()
	if all {
		s.rest(events)
	} else {
		u.finish(&s.result)
	}
	if err != nil {
		log.Fatal(err)
	}
	if !all {
		fmt.Fprintf(os.Stderr, "seconds=%.3f\n", time.Since(start).Seconds())
	}
	json.NewEncoder(os.Stdout).Encode(&s.result)
}
