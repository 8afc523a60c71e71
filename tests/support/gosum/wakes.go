// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"log"
	"os"

	"gosum/trace"
)

// sleeper is a goroutine, as far as its waits are concerned.
type sleeper struct {
	name   string
	ran    bool
	sync   bool // it waits for another goroutine
	since  trace.Time
	reason string
}

type wake struct {
	Name   string `json:"name"` // the waker's start function; "" for no goroutine
	By     bool   `json:"by"`   // a goroutine
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
	Total  int64  `json:"total_ns"`
	Max    int64  `json:"max_ns"`
}

type wakes struct {
	gs   map[trace.GoID]*sleeper
	sums map[wake]*wake
}

func (w *wakes) end(g *sleeper, ev *trace.Event, id trace.GoID) {
	key := wake{Reason: g.reason}
	if by := w.gs[ev.Goroutine()]; by != nil && ev.Goroutine() != id {
		key.By, key.Name = true, by.name
	}
	sum := w.sums[key]
	if sum == nil {
		copied := key
		sum = &copied
		w.sums[key] = sum
	}
	d := int64(ev.Time().Sub(g.since))
	sum.Count++
	sum.Total += d
	sum.Max = max(sum.Max, d)
}

// event counts waits as the profile `sync` of cmd/trace does: none of a goroutine that has not run
// yet.
func (w *wakes) event(ev *trace.Event) {
	if ev.Kind() != trace.EventStateTransition {
		return
	}
	st := ev.StateTransition()
	if st.Resource.Kind != trace.ResourceGoroutine {
		return
	}
	from, to := st.Goroutine()
	if from == to {
		return
	}
	id := st.Resource.Goroutine()
	g := w.gs[id]
	if g == nil {
		g = &sleeper{}
		w.gs[id] = g
	}
	if g.sync && g.ran && to != trace.GoWaiting {
		w.end(g, ev, id)
	}
	if g.name == "" {
		g.name = nameOf(st.Stack)
	}
	g.sync = to == trace.GoWaiting && siteOf(to, st.Reason) == 1
	g.ran = g.ran || to == trace.GoRunning
	g.since, g.reason = ev.Time(), st.Reason
	if to == trace.GoNotExist {
		delete(w.gs, id)
	}
}

// printWakes has the waits for other goroutines by who ended them.
func printWakes(name string) {
	w := wakes{gs: map[trace.GoID]*sleeper{}, sums: map[wake]*wake{}}
	if err := read(name, w.event); err != nil {
		log.Fatal(err)
	}
	list := []*wake{}
	for _, sum := range w.sums {
		list = append(list, sum)
	}
	json.NewEncoder(os.Stdout).Encode(list)
}
