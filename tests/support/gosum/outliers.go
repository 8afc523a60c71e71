// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"log"
	"math"
	"os"
	"sort"
	"strings"

	"gosum/trace"
)

const slowest = 10

type outlier struct {
	At       int64            `json:"at_ns"`
	Duration int64            `json:"duration_ns"`
	G        int64            `json:"g"`
	Name     string           `json:"name"`
	Open     bool             `json:"open"`
	AtStart  bool             `json:"at_start"`
	Task     uint64           `json:"task,omitempty"`
	Parent   *uint64          `json:"parent,omitempty"`
	Work     map[string]int64 `json:"work,omitempty"`
}

// doneTask is a task, from its begin or the first that is heard of it.
type doneTask struct {
	id     trace.TaskID
	parent *doneTask
	outlier
	over  bool
	owner trace.GoID
	outer *doneTask // what the owner worked for before
}

type openRegion struct {
	name   string
	task   trace.TaskID
	since  trace.Time
	for_   *doneTask // set: the goroutine works for it since then,
	before *doneTask // and before for this one
}

type worker struct {
	state   trace.GoState
	since   trace.Time
	reason  string
	class   string
	known   bool // the state began within the trace
	created bool
	gc      bool // runs as a mark worker
	assist  trace.Time
	regions []openRegion
	task    *doneTask
	settled trace.Time
}

type outliers struct {
	classes     map[string]string // of functions, as words of the C table: "HANDLER|SERVES"
	ofStack     map[trace.Stack]string
	first, last trace.Time
	gs          map[trace.GoID]*worker
	tasks       map[trace.TaskID]*doneTask
	pauses      map[string]trace.Time
	Lists       map[string][]outlier `json:"lists"`
	Standing    map[string]int64     `json:"standing"`
}

// Words of the table that are a class. The others are traits.
var isClass = map[string]bool{"LOCK": true, "JOIN": true, "LISTENER": true, "CALL": true, "HANDLER": true,
	"PARKED": true, "READ": true, "TRACER": true, "POOL": true, "LIMIT": true, "CONN": true, "CLIENT": true}

// outdoes is whether a class further out in the stack counts more.
func outdoes(class, soFar string, body bool) bool {
	switch soFar {
	case "", "READ":
		return class != ""
	case "JOIN":
		return class == "POOL" || body
	case "LIMIT":
		return class == "POOL"
	}
	return false
}

// classOf is stack_read and stack_told of trace/stack/stackclass.c, with the table of that file. What it does not
// know (fasthttp's loop, functions by a part of their names) is in no program that it is used for.
func (o *outliers) classOf(stack trace.Stack) string {
	if class, ok := o.ofStack[stack]; ok {
		return class
	}
	class, any, runtime, file, takes := "", false, true, false, false
	for frame := range stack.Frames() {
		found, body := "", false
		any = true
		runtime = runtime && strings.HasPrefix(frame.Func, "runtime.")
		for word := range strings.SplitSeq(o.classes[frame.Func], "|") {
			if isClass[word] {
				found = word
			}
			body = body || word == "BODY"
			file = file || word == "FILE"
			takes = takes || word == "TAKES"
		}
		if outdoes(found, class, body) {
			class = found
		}
	}
	if class == "HANDLER" && takes {
		class = "CLIENT"
	}
	if class == "READ" && file {
		class = ""
	}
	if any && runtime && class == "" {
		class = "RUNTIME"
	}
	o.ofStack[stack] = class
	return class
}

func (o *outliers) add(list string, out outlier) {
	if out.Duration > 0 {
		o.Lists[list] = append(o.Lists[list], out)
	}
}

func isStanding(class string) bool {
	return class == "LISTENER" || class == "PARKED" || class == "TRACER"
}

// waitOf is the list of a wait, "" for none.
func waitOf(reason, class string) string {
	network := reason == "network"
	sync := strings.Contains(reason, "chan") || strings.Contains(reason, "sync") || strings.Contains(reason, "select")
	switch {
	case !network && !sync && reason != "", isStanding(class), class == "RUNTIME":
		return ""
	case class == "CALL", class == "CONN":
		return "call"
	case class == "HANDLER", class == "POOL", class == "LIMIT":
		return "request"
	case network:
		return "network"
	case class == "LOCK":
		return "lock"
	case sync, class == "JOIN":
		return "channel"
	}
	return "unknown"
}

// listOf is where a state belongs that ends with an event of this stack.
func (o *outliers) listOf(g *worker, ended bool, to trace.GoState, stop string) string {
	switch g.state {
	case trace.GoWaiting:
		return waitOf(g.reason, g.class)
	case trace.GoRunnable:
		if !ended || to == trace.GoRunning {
			return "latencies"
		}
	case trace.GoRunning:
		if !g.gc && stop != "TRACER" {
			return "runs"
		}
	case trace.GoSyscall:
		active := !isStanding(g.class) && g.class != "READ" && g.class != "RUNTIME"
		if active && (ended || g.class != "none") {
			return "syscalls"
		}
	}
	return ""
}

func (o *outliers) leave(id trace.GoID, g *worker, now trace.Time, ended bool, to trace.GoState, stop string) {
	list := o.listOf(g, ended, to, stop)
	out := outlier{G: int64(id), Name: g.reason, Open: !ended, AtStart: !g.known}
	since := g.since
	if out.AtStart {
		since = o.first
	}
	out.At, out.Duration = int64(since.Sub(o.first)), int64(now.Sub(since))
	if list == "" || g.state == trace.GoWaiting && g.reason == "forever" {
		return
	}
	if out.Open && out.AtStart && (list == "channel" || list == "network" || list == "unknown") {
		o.Standing[list]++
		return
	}
	o.add(list, out)
}

// settle adds what a goroutine did up to now to the task that it works for, and to that one's parents.
func (o *outliers) settle(g *worker, now trace.Time) {
	d := int64(now.Sub(g.settled))
	assist := int64(0)
	if g.assist != 0 {
		assist = int64(now.Sub(max(g.assist, g.settled)))
	}
	g.settled = now
	what := map[trace.GoState]string{
		trace.GoRunning: "running", trace.GoRunnable: "runnable", trace.GoSyscall: "syscall", trace.GoWaiting: "wait " + g.reason,
	}[g.state]
	blocked := g.state == trace.GoSyscall ||
		g.state == trace.GoWaiting && (g.reason == "" || siteOf(g.state, g.reason) >= 0)
	if blocked && isStanding(g.class) {
		what = "standing"
	}
	for task := g.task; task != nil && !task.over && d > 0; task = task.parent {
		task.Work[what] += d
		task.Work["assist"] += assist
	}
}

func (o *outliers) settleAll(now trace.Time) {
	for _, g := range o.gs {
		if g.task != nil {
			o.settle(g, now)
		}
	}
}

func (o *outliers) workFor(g *worker, task *doneTask, now trace.Time) {
	if g.task == nil {
		g.settled = now
	} else {
		o.settle(g, now)
	}
	g.task = task
}

func open(task *doneTask) *doneTask {
	if task == nil || task.over {
		return nil
	}
	return task
}

// task is the one with this number; it is older than the trace if its begin was not seen.
func (o *outliers) task(id trace.TaskID) *doneTask {
	if id == trace.NoTask || id == trace.BackgroundTask {
		return nil
	}
	task := o.tasks[id]
	if task == nil {
		task = &doneTask{id: id, owner: trace.NoGoroutine}
		task.outlier = outlier{G: -1, Task: uint64(id), AtStart: true, Work: map[string]int64{}}
		o.tasks[id] = task
	}
	return task
}

func isBelow(task, above *doneTask) bool {
	for ; task != nil; task = open(task.parent) {
		if task == above {
			return true
		}
	}
	return false
}

func (o *outliers) begin(ev *trace.Event) {
	t := ev.Task()
	delete(o.tasks, t.ID)
	task := o.task(t.ID)
	parent := uint64(t.Parent)
	task.outlier.AtStart, task.At, task.Name = false, int64(ev.Time().Sub(o.first)), t.Type
	task.owner, task.G = ev.Goroutine(), int64(ev.Goroutine())
	if t.Parent != trace.NoTask {
		task.parent, task.Parent = o.task(t.Parent), &parent
	}
	g := o.gs[ev.Goroutine()]
	if g == nil {
		return
	}
	if before := open(g.task); before != nil {
		task.outer = before.outer
		if before.owner != ev.Goroutine() || isBelow(task, before) {
			task.outer = before
		}
	}
	o.workFor(g, task, ev.Time())
}

func (o *outliers) end(ev *trace.Event) {
	task := o.task(ev.Task().ID)
	o.settleAll(ev.Time())
	if task == nil || task.over {
		return
	}
	if task.owner == trace.NoGoroutine {
		task.G = int64(ev.Goroutine())
	}
	task.Duration = int64(ev.Time().Sub(o.first)) - task.At
	o.add("tasks", task.outlier)
	task.over = true
	if g := o.gs[task.owner]; g != nil && g.task == task {
		o.workFor(g, open(task.outer), ev.Time())
	}
}

func (o *outliers) endRegions(id trace.GoID, g *worker, now trace.Time, ended bool) {
	for _, r := range g.regions {
		o.add("regions", outlier{At: int64(r.since.Sub(o.first)), Duration: int64(now.Sub(r.since)), G: int64(id), Name: r.name, Open: !ended})
	}
	g.regions = nil
}

func (o *outliers) beginRegion(ev *trace.Event) {
	g, r := o.gs[ev.Goroutine()], ev.Region()
	region := openRegion{name: r.Type, task: r.Task, since: ev.Time()}
	if task := open(o.task(r.Task)); task != nil && g.task != task {
		region.for_, region.before = task, g.task
		o.workFor(g, task, ev.Time())
	}
	g.regions = append(g.regions, region)
}

func (o *outliers) endRegion(ev *trace.Event) {
	g, r := o.gs[ev.Goroutine()], ev.Region()
	for i := len(g.regions) - 1; i >= 0; i-- {
		region := g.regions[i]
		if region.name != r.Type || region.task != r.Task {
			continue
		}
		g.regions = append(g.regions[:i], g.regions[i+1:]...)
		o.add("regions", outlier{At: int64(region.since.Sub(o.first)), Duration: int64(ev.Time().Sub(region.since)),
			G: int64(ev.Goroutine()), Name: r.Type})
		if region.for_ != nil && g.task == region.for_ {
			o.workFor(g, open(region.before), ev.Time())
		}
		return
	}
	if !g.created {
		o.add("regions", outlier{Duration: int64(ev.Time().Sub(o.first)), G: int64(ev.Goroutine()), Name: r.Type, AtStart: true})
	}
}

func (o *outliers) transition(ev *trace.Event, st *trace.StateTransition) {
	from, to := st.Goroutine()
	if from == to {
		return
	}
	id, now := st.Resource.Goroutine(), ev.Time()
	g := o.gs[id]
	if g == nil {
		g = &worker{created: from == trace.GoNotExist}
		o.gs[id] = g
		if by := o.gs[ev.Goroutine()]; g.created && by != nil && open(by.task) != nil && !o.isSystem(st.Stack) {
			o.workFor(g, by.task, now)
		}
	} else {
		stop := ""
		if ev.Goroutine() == id {
			stop = o.classOf(ev.Stack())
		}
		if g.task != nil {
			o.settle(g, now)
		}
		o.leave(id, g, now, true, to, stop)
	}
	g.state, g.since, g.reason, g.known, g.gc = to, now, st.Reason, from != trace.GoUndetermined, false
	g.class = o.classOf(ev.Stack())
	if to == trace.GoSyscall && ev.Stack() == trace.NoStack {
		g.class = "none"
	}
	if to == trace.GoNotExist || to == trace.GoWaiting && st.Reason == "forever" {
		o.endRegions(id, g, now, true)
		g.task = nil
	}
	if to == trace.GoNotExist {
		delete(o.gs, id)
	}
}

func (o *outliers) isSystem(stack trace.Stack) bool {
	entry := ""
	for frame := range stack.Frames() {
		entry = frame.Func
	}
	return trace.IsSystemGoroutine(entry)
}

func (o *outliers) rangeEvent(ev *trace.Event) {
	r := ev.Range()
	if reason, stw := strings.CutPrefix(r.Name, "stop-the-world ("); stw {
		if ev.Kind() == trace.EventRangeBegin {
			o.pauses[r.Name] = ev.Time()
		} else if since, ok := o.pauses[r.Name]; ok {
			o.add("pauses", outlier{At: int64(since.Sub(o.first)), Duration: int64(ev.Time().Sub(since)),
				G: int64(ev.Goroutine()), Name: strings.TrimSuffix(reason, ")")})
		}
		return
	}
	if r.Name != "GC mark assist" {
		return
	}
	g := o.gs[r.Scope.Goroutine()]
	if g == nil {
		return
	}
	if ev.Kind() == trace.EventRangeBegin {
		g.assist = ev.Time()
	} else if ev.Kind() == trace.EventRangeEnd {
		if g.task != nil {
			o.settle(g, ev.Time())
		}
		g.assist = 0
	}
}

func (o *outliers) event(ev *trace.Event) {
	if o.first == 0 {
		o.first = ev.Time()
	}
	o.last = ev.Time()
	switch ev.Kind() {
	case trace.EventStateTransition:
		if st := ev.StateTransition(); st.Resource.Kind == trace.ResourceGoroutine {
			o.transition(ev, &st)
		}
	case trace.EventSync:
		o.ofStack = map[trace.Stack]string{}
	case trace.EventLabel:
		if g := o.gs[ev.Goroutine()]; g != nil && strings.HasPrefix(ev.Label().Label, "GC ") {
			g.gc = true
		}
	case trace.EventTaskBegin:
		o.begin(ev)
	case trace.EventTaskEnd:
		o.end(ev)
	case trace.EventRegionBegin:
		o.beginRegion(ev)
	case trace.EventRegionEnd:
		o.endRegion(ev)
	case trace.EventRangeBegin, trace.EventRangeEnd:
		o.rangeEvent(ev)
	}
}

func (o *outliers) finish(keep int) {
	o.settleAll(o.last)
	for _, task := range o.tasks {
		if !task.over {
			task.Open, task.Duration = true, int64(o.last.Sub(o.first))-task.At
			o.add("tasks", task.outlier)
		}
	}
	for id, g := range o.gs {
		o.leave(id, g, o.last, false, 0, "")
		o.endRegions(id, g, o.last, false)
	}
	for name, list := range o.Lists {
		sort.Slice(list, func(i, j int) bool { return list[i].Duration > list[j].Duration })
		o.Lists[name] = list[:min(len(list), keep)]
	}
}

// printOutliers has the slowest of each kind, or all of them.
func printOutliers(name, table string, all bool) {
	o := outliers{ofStack: map[trace.Stack]string{}, gs: map[trace.GoID]*worker{}, tasks: map[trace.TaskID]*doneTask{},
		pauses: map[string]trace.Time{}, Lists: map[string][]outlier{}, Standing: map[string]int64{}}
	text, err := os.ReadFile(table)
	if err == nil {
		err = json.Unmarshal(text, &o.classes)
	}
	if err == nil {
		err = read(name, o.event)
	}
	if err != nil {
		log.Fatal(err)
	}
	keep := slowest
	if all {
		keep = math.MaxInt
	}
	o.finish(keep)
	out := bufio.NewWriter(os.Stdout)
	json.NewEncoder(out).Encode(&o)
	out.Flush()
}
