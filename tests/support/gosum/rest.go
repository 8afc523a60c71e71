// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"strings"
	"time"

	"gosum/trace"
)

// rest is what takes all events at once, or Go's own sums.
func (s *sums) rest(events []trace.Event) {
	s.summarizer(events)
	s.gc(events)
	s.procs(events)
	s.user(events)
	s.mmu(events)
	s.trueMMU(events)
	s.pendingBlocked(events)
}

// user has tasks from their events; regions are the Summarizer's (see summarizer).
func (s *sums) user(events []trace.Event) {
	type task struct {
		name  string
		begin trace.Time
	}
	open := map[trace.TaskID]task{}
	durations := map[string][]int64{}
	unknown := map[string]int64{}
	for i := range events {
		ev := &events[i]
		switch ev.Kind() {
		case trace.EventTaskBegin:
			open[ev.Task().ID] = task{ev.Task().Type, ev.Time()}
		case trace.EventTaskEnd:
			t, ok := open[ev.Task().ID]
			if !ok {
				unknown[ev.Task().Type]++
				break
			}
			durations[t.name] = append(durations[t.name], int64(ev.Time().Sub(t.begin)))
			delete(open, ev.Task().ID)
		}
	}
	for _, t := range open {
		unknown[t.name]++
	}
	s.Tasks = typesOf(durations, unknown)
}

func typesOf(durations map[string][]int64, unknown map[string]int64) map[string]typed {
	out := map[string]typed{}
	for name, values := range durations {
		out[name] = typed{times: timesOf(values)}
	}
	for name, n := range unknown {
		t := out[name]
		t.Open = n
		out[name] = t
	}
	return out
}

func (s *sums) summarizer(events []trace.Event) {
	sum := trace.NewSummarizer()
	seen := map[trace.GoID]bool{}
	for i := range events {
		ev := &events[i]
		sum.Event(ev)
		if ev.Kind() != trace.EventStateTransition {
			continue
		}
		st := ev.StateTransition()
		if st.Resource.Kind != trace.ResourceGoroutine {
			continue
		}
		id := st.Resource.Goroutine()
		if from, _ := st.Goroutine(); from == trace.GoNotExist && seen[id] {
			s.Reused++
		}
		seen[id] = true
	}
	out := &s.result.Summarizer
	out.Waits = map[string]int64{}
	durations := map[string][]int64{}
	unknown := map[string]int64{}
	for _, g := range sum.Finalize().Goroutines {
		out.Running += int64(g.ExecTime)
		out.Runnable += int64(g.SchedWaitTime)
		out.Syscall += int64(g.SyscallTime + g.SyscallBlockTime)
		out.Assist += int64(g.RangeTime["GC mark assist"])
		for reason, d := range g.BlockTimeByReason {
			out.Waits[reason] += int64(d)
		}
		for _, r := range g.Regions {
			switch {
			case r.Start != nil && r.Start.Kind() != trace.EventRegionBegin:
				// Made up for a goroutine that was created in a region.
			case r.Start == nil || r.End == nil:
				unknown[r.Name]++
			default:
				d := int64(r.End.Time().Sub(r.Start.Time()))
				durations[r.Name] = append(durations[r.Name], d)
			}
		}
	}
	s.Regions = typesOf(durations, unknown)
}

// pendingBlocked is what the Summarizer counts twice: at the trace's end it takes the time since a
// goroutine in a syscall lost its P for waiting for the scheduler, and for time in the syscall too.
// This follows the P as the Summarizer does.
func (s *sums) pendingBlocked(events []trace.Event) {
	onP := map[trace.ProcID]trace.GoID{}
	pOf := map[trace.GoID]trace.ProcID{}
	lost := map[trace.GoID]trace.Time{}
	for i := range events {
		ev := &events[i]
		if ev.Kind() != trace.EventStateTransition {
			continue
		}
		st := ev.StateTransition()
		switch st.Resource.Kind {
		case trace.ResourceGoroutine:
			id := st.Resource.Goroutine()
			from, to := st.Goroutine()
			if from == to {
				continue
			}
			if from == trace.GoSyscall {
				delete(onP, pOf[id])
				delete(pOf, id)
				delete(lost, id)
			}
			if to == trace.GoSyscall {
				onP[ev.Proc()] = id
				pOf[id] = ev.Proc()
			}
		case trace.ResourceProc:
			from, to := st.Proc()
			if id, ok := onP[st.Resource.Proc()]; ok && from != to && to == trace.ProcIdle {
				lost[id] = ev.Time()
				delete(onP, st.Resource.Proc())
			}
		}
	}
	for _, since := range lost {
		s.PendingBlocked += int64(s.last.Sub(since))
	}
}

func (s *sums) gc(events []trace.Event) {
	begun := map[string]trace.Time{}
	pauses := map[string][]int64{}
	sync := s.first
	for i := range events {
		ev := &events[i]
		switch ev.Kind() {
		case trace.EventSync:
			sync = ev.Time()
		case trace.EventRangeBegin, trace.EventRangeActive:
			name := ev.Range().Name
			if _, ok := begun[name]; ok {
				break
			}
			begun[name] = ev.Time()
			if ev.Kind() == trace.EventRangeActive {
				begun[name] = sync
			}
			if name == "GC concurrent mark phase" {
				s.Cycles++
			}
		case trace.EventRangeEnd:
			name := ev.Range().Name
			d := int64(ev.Time().Sub(begun[name]))
			if name == "GC concurrent mark phase" {
				s.Mark += d
			} else if reason, ok := strings.CutPrefix(name, "stop-the-world ("); ok {
				reason = strings.TrimSuffix(reason, ")")
				pauses[reason] = append(pauses[reason], d)
			}
			delete(begun, name)
		}
	}
	if since, ok := begun["GC concurrent mark phase"]; ok {
		s.Mark += int64(s.last.Sub(since))
	}
	s.STW = map[string]times{}
	for reason, values := range pauses {
		s.STW[reason] = timesOf(values)
	}
}

func (s *sums) procs(events []trace.Event) {
	since := map[trace.ProcID]trace.Time{}
	sync := s.first
	var n, last int64
	for i := range events {
		ev := &events[i]
		switch ev.Kind() {
		case trace.EventSync:
			sync = ev.Time()
		case trace.EventMetric:
			if m := ev.Metric(); m.Name == "/sched/gomaxprocs:threads" {
				v := int64(m.Value.Uint64())
				now := int64(ev.Time())
				if n == 0 {
					n, last = v, int64(s.first)
				}
				s.Procs += n * (now - last)
				n, last = v, now
			}
		case trace.EventStateTransition:
			st := ev.StateTransition()
			if st.Resource.Kind != trace.ResourceProc {
				break
			}
			p := st.Resource.Proc()
			from, to := st.Proc()
			if from == to {
				break
			}
			if begin, ok := since[p]; ok {
				s.ProcTime += int64(ev.Time().Sub(begin))
				delete(since, p)
			}
			if to == trace.ProcRunning {
				since[p] = ev.Time()
				if from == trace.ProcUndetermined {
					since[p] = sync
				}
			}
		}
	}
	for _, begin := range since {
		s.ProcTime += int64(s.last.Sub(begin))
	}
	s.Procs += n * (int64(s.last) - last)
}

func (s *sums) mmu(events []trace.Event) {
	utils := trace.MutatorUtilizationV2(events, trace.UtilSTW|trace.UtilBackground|trace.UtilAssist)
	s.Mean = math.NaN()
	if len(utils) == 0 || len(utils[0]) == 0 {
		s.Mean = -1
		return
	}
	curve := trace.NewMMUCurve(utils)
	for _, window := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		s.MMU = append(s.MMU, curve.MMU(window))
	}
	s.Mean = mean(utils[0])
}

func mean(u []trace.MutatorUtil) float64 {
	sum := 0.0
	for i := 1; i < len(u); i++ {
		sum += u[i-1].Util * float64(u[i].Time-u[i-1].Time)
	}
	return sum / float64(u[len(u)-1].Time-u[0].Time)
}

// trueMMU is the utilisation as MutatorUtilizationV2 means it, but with each mark worker counted
// while it runs as one. Goroutines that were in mark assist when the trace began are left out of
// this: a trace that has one gets no answer.
func (s *sums) trueMMU(events []trace.Event) {
	var u []trace.MutatorUtil
	procs, stw, nSync := 0, 0, 0
	executing := map[trace.GoID]bool{}
	// Those that do something for the GC, running or not: few.
	const assist, worker = 1, 2
	gc := map[trace.GoID]int{}
	set := func(g trace.GoID, why int, on bool) {
		if on {
			gc[g] |= why
		} else if gc[g] &^= why; gc[g] == 0 {
			delete(gc, g)
		}
	}
	for i := range events {
		ev := &events[i]
		switch ev.Kind() {
		case trace.EventSync:
			nSync++
		case trace.EventMetric:
			if m := ev.Metric(); m.Name == "/sched/gomaxprocs:threads" {
				procs = int(m.Value.Uint64())
			}
		case trace.EventRangeActive:
			if nSync == 1 && ev.Range().Name == "GC mark assist" {
				return
			}
		case trace.EventRangeBegin, trace.EventRangeEnd:
			r := ev.Range()
			begins := ev.Kind() == trace.EventRangeBegin
			switch {
			case r.Name == "GC mark assist":
				set(r.Scope.Goroutine(), assist, begins)
			case strings.HasPrefix(r.Name, "stop-the-world") && strings.Contains(r.Name, "GC"):
				if begins {
					stw++
				} else {
					stw--
				}
			}
		case trace.EventLabel:
			if l := ev.Label().Label; strings.HasPrefix(l, "GC ") {
				set(ev.Goroutine(), worker, l != "GC (idle)")
			}
		case trace.EventStateTransition:
			st := ev.StateTransition()
			if st.Resource.Kind != trace.ResourceGoroutine {
				break
			}
			from, to := st.Goroutine()
			g := st.Resource.Goroutine()
			executing[g] = to.Executing()
			if from == trace.GoRunning && to != trace.GoRunning {
				set(g, worker, false)
			}
		default:
			continue
		}
		if procs == 0 {
			continue
		}
		n := 0
		for g := range gc {
			if executing[g] {
				n++
			}
		}
		if stw > 0 || n > procs {
			n = procs
		}
		util := 1 - float64(n)/float64(procs)
		if len(u) == 0 || u[len(u)-1].Util != util {
			u = append(u, trace.MutatorUtil{Time: int64(ev.Time()), Util: util})
		}
	}
	if len(u) == 0 {
		return
	}
	u = append(u, trace.MutatorUtil{Time: int64(s.last), Util: 0})
	curve := trace.NewMMUCurve([][]trace.MutatorUtil{u})
	for _, window := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		s.TrueMMU = append(s.TrueMMU, curve.MMU(window))
	}
	s.TrueMMU = append(s.TrueMMU, mean(u))
}
