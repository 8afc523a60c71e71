// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"gosum/trace"
)

type span struct {
	name  string
	begin trace.Time
}

// user sums tasks, regions and ranges up as they come, for those that do not keep all events. A
// region that is open when its goroutine ends, ends with it.
type user struct {
	sync      trace.Time
	tasks     map[trace.TaskID]span
	regions   map[trace.GoID][]span
	ranges    map[rangeKey]trace.Time
	durations [3]map[string][]int64 // of tasks, regions and ranges
	unknown   [2]map[string]int64
}

type rangeKey struct {
	name  string
	scope trace.ResourceID
}

func newUser() *user {
	u := &user{
		tasks:   map[trace.TaskID]span{},
		regions: map[trace.GoID][]span{},
		ranges:  map[rangeKey]trace.Time{},
	}
	for i := range u.durations {
		u.durations[i] = map[string][]int64{}
	}
	for i := range u.unknown {
		u.unknown[i] = map[string]int64{}
	}
	return u
}

func (u *user) ended(kind int, name string, begin, end trace.Time) {
	u.durations[kind][name] = append(u.durations[kind][name], int64(end.Sub(begin)))
}

func (u *user) event(ev *trace.Event) {
	switch ev.Kind() {
	case trace.EventSync:
		u.sync = ev.Time()
	case trace.EventTaskBegin:
		u.tasks[ev.Task().ID] = span{ev.Task().Type, ev.Time()}
	case trace.EventTaskEnd:
		if t, ok := u.tasks[ev.Task().ID]; ok {
			u.ended(0, t.name, t.begin, ev.Time())
			delete(u.tasks, ev.Task().ID)
		} else {
			u.unknown[0][ev.Task().Type]++
		}
	case trace.EventRegionBegin:
		g := ev.Goroutine()
		u.regions[g] = append(u.regions[g], span{ev.Region().Type, ev.Time()})
	case trace.EventRegionEnd:
		g := ev.Goroutine()
		if open := u.regions[g]; len(open) > 0 {
			last := open[len(open)-1]
			u.ended(1, last.name, last.begin, ev.Time())
			u.regions[g] = open[:len(open)-1]
		} else {
			u.unknown[1][ev.Region().Type]++
		}
	case trace.EventRangeBegin, trace.EventRangeActive:
		r := ev.Range()
		key := rangeKey{r.Name, r.Scope}
		if _, ok := u.ranges[key]; ok {
			break
		}
		u.ranges[key] = ev.Time()
		if ev.Kind() == trace.EventRangeActive {
			u.ranges[key] = u.sync
		}
	case trace.EventRangeEnd:
		r := ev.Range()
		key := rangeKey{r.Name, r.Scope}
		u.ended(2, r.Name, u.ranges[key], ev.Time())
		delete(u.ranges, key)
	case trace.EventStateTransition:
		st := ev.StateTransition()
		if st.Resource.Kind != trace.ResourceGoroutine {
			break
		}
		if _, to := st.Goroutine(); to != trace.GoNotExist {
			break
		}
		g := st.Resource.Goroutine()
		for _, r := range u.regions[g] {
			u.ended(1, r.name, r.begin, ev.Time())
		}
		delete(u.regions, g)
	}
}

func (u *user) finish(to *result) {
	for _, t := range u.tasks {
		u.unknown[0][t.name]++
	}
	for _, open := range u.regions {
		for _, r := range open {
			u.unknown[1][r.name]++
		}
	}
	to.Tasks = typesOf(u.durations[0], u.unknown[0])
	to.Regions = typesOf(u.durations[1], u.unknown[1])
	to.STW = map[string]times{}
	for name, values := range u.durations[2] {
		if reason, ok := strings.CutPrefix(name, "stop-the-world ("); ok {
			to.STW[strings.TrimSuffix(reason, ")")] = timesOf(values)
		}
	}
}
