// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"log"
	"math"
	"os"
	"strconv"

	"gosum/trace"
)

// being is a goroutine, with what is known of it at a moment.
type being struct {
	state   trace.GoState
	reason  string
	name    string
	since   int64
	created int64
	older   bool
	start   [2]string // state and reason at the beginning
}

type place struct {
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Name    string `json:"name"`
	Count   int64  `json:"count"`
	AtStart int64  `json:"at_start"`
	Older   int64  `json:"older"`
	Longest int64  `json:"longest_ns"`
	Oldest  int64  `json:"oldest_ns"`
}

type alive struct {
	first, last trace.Time
	begun       bool
	at          int64
	gs          map[trace.GoID]*being
	gone        []*being
	AtStart     int64    `json:"at_start"`
	Count       int64    `json:"count"`
	Created     int64    `json:"created"`
	Ended       int64    `json:"ended"`
	Places      []*place `json:"places"`
}

var states = map[trace.GoState]string{
	trace.GoRunnable: "runnable", trace.GoRunning: "running", trace.GoWaiting: "waiting", trace.GoSyscall: "syscall",
}

func nameOf(stack trace.Stack) (name string) {
	for frame := range stack.Frames() {
		name = frame.Func
	}
	return name
}

func (a *alive) event(ev *trace.Event) {
	if !a.begun {
		a.begun, a.first = true, ev.Time()
	}
	a.last = ev.Time()
	if ev.Kind() != trace.EventStateTransition {
		return
	}
	st := ev.StateTransition()
	if st.Resource.Kind != trace.ResourceGoroutine {
		return
	}
	from, to := st.Goroutine()
	id, now := st.Resource.Goroutine(), int64(ev.Time().Sub(a.first))
	g, late := a.gs[id], now > a.at
	if g != nil && g.name == "" && from != trace.GoNotExist {
		g.name = nameOf(st.Stack)
	}
	if from == to || late && from != trace.GoUndetermined {
		return
	}
	if from == trace.GoUndetermined || from == trace.GoNotExist {
		g = &being{created: now, older: from == trace.GoUndetermined, name: nameOf(st.Stack)}
		a.gs[id] = g
		if g.older {
			a.AtStart++
			g.start = [2]string{states[to], st.Reason}
			if to != trace.GoWaiting {
				g.start[1] = ""
			}
		} else {
			a.Created++
		}
	}
	if to == trace.GoNotExist {
		a.Ended++
		a.gone = append(a.gone, g)
		delete(a.gs, id)
		return
	}
	g.state, g.since, g.reason = to, now, ""
	if from == trace.GoUndetermined {
		g.since = 0
	}
	if to == trace.GoWaiting {
		g.reason = st.Reason
	}
}

func (a *alive) finish() {
	places := map[[3]string]*place{}
	get := func(state, reason, name string) *place {
		key := [3]string{state, reason, name}
		if places[key] == nil {
			places[key] = &place{State: state, Reason: reason, Name: name}
			a.Places = append(a.Places, places[key])
		}
		return places[key]
	}
	at := min(a.at, int64(a.last.Sub(a.first)))
	for _, g := range a.gs {
		a.gone = append(a.gone, g)
		p := get(states[g.state], g.reason, g.name)
		a.Count++
		p.Count++
		p.Longest = max(p.Longest, at-g.since)
		if g.older {
			p.Older++
		} else {
			p.Oldest = max(p.Oldest, at-g.created)
		}
	}
	for _, g := range a.gone {
		if g.older {
			get(g.start[0], g.start[1], g.name).AtStart++
		}
	}
}

// printAlive has the goroutines that there are so many nanoseconds after the trace's beginning, or
// at its end.
func printAlive(name, at string) {
	a := alive{gs: map[trace.GoID]*being{}, at: math.MaxInt64}
	if at != "end" {
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		a.at = n
	}
	if err := read(name, a.event); err != nil {
		log.Fatal(err)
	}
	a.finish()
	json.NewEncoder(os.Stdout).Encode(&a)
}
