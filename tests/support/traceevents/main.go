// SPDX-License-Identifier: Apache-2.0

// Traceevents says what Go's own reader makes of an execution trace.
//
//	traceevents events FILE      one line an event, as tests/support/gotrace_events.c prints it
//	traceevents count FILE       reads all events, prints how many and how fast
//	traceevents seeds IN OUT     writes the traces that Go's fuzzer found
//	traceevents corpus IN OUT    turns Go's textual test traces into files, says what is expected
//
// It is built against a copy of the toolchain's internal/trace: see tests/e2e/gotools.py.
package main

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"traceevents/trace"
	"traceevents/trace/testtrace"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: traceevents events|count FILE | corpus|seeds IN OUT")
	}
	switch os.Args[1] {
	case "events":
		events(os.Args[2])
	case "count":
		count(os.Args[2])
	case "corpus":
		corpus(os.Args[2], os.Args[3])
	case "seeds":
		seeds(os.Args[2], os.Args[3])
	}
}

// read calls f for each event and returns what ended it, or nil at the end.
func read(name string, f func(trace.Event)) error {
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
		f(ev)
	}
}

func count(name string) {
	start := time.Now()
	n := 0
	err := read(name, func(trace.Event) { n++ })
	took := time.Since(start)
	info, _ := os.Stat(name)
	fmt.Printf("events=%d seconds=%.3f MB/s=%.1f error=%v\n", n, took.Seconds(),
		float64(info.Size())/1e6/took.Seconds(), err)
}

func events(name string) {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	err := read(name, func(ev trace.Event) { printEvent(out, ev) })
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Fprintln(out, "error", text)
	} else {
		fmt.Fprintln(out, "end")
	}
}

// stackText is a hash of all frames: the lines stay short.
func stackText(s trace.Stack) string {
	h := fnv.New64a()
	n := 0
	for f := range s.Frames() {
		fmt.Fprintf(h, "%x %s %s %d\n", f.PC, f.Func, f.File, f.Line)
		n++
	}
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// quote leaves printable ASCII as it is and writes every other byte as \xNN.
func quote(s string) string {
	b := []byte{'"'}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b = fmt.Appendf(b, "\\x%02x", c)
		} else {
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

// printEvent ends a line with PANIC where an event of a wrong trace cannot be looked at.
func printEvent(w io.Writer, ev trace.Event) {
	defer func() {
		if recover() != nil {
			fmt.Fprintln(w, " PANIC")
		}
	}()
	fmt.Fprintf(w, "%d g=%d p=%d m=%d %s", ev.Time(), ev.Goroutine(), ev.Proc(), ev.Thread(), ev.Kind())
	switch ev.Kind() {
	case trace.EventSync:
		s := ev.Sync()
		fmt.Fprintf(w, " %d", s.N)
		if c := s.ClockSnapshot; c != nil {
			fmt.Fprintf(w, " %d %d %d", c.Trace, c.Mono, c.Wall.UnixNano())
		}
	case trace.EventMetric:
		m := ev.Metric()
		fmt.Fprintf(w, " %s %d", m.Name, m.Value.Uint64())
	case trace.EventLabel:
		fmt.Fprintf(w, " %s", quote(ev.Label().Label))
	case trace.EventRangeBegin, trace.EventRangeActive, trace.EventRangeEnd:
		r := ev.Range()
		fmt.Fprintf(w, " %s %s", quote(r.Name), r.Scope)
		if ev.Kind() == trace.EventRangeEnd {
			for _, a := range ev.RangeAttributes() {
				fmt.Fprintf(w, " %q=%d", a.Name, a.Value.Uint64())
			}
		}
	case trace.EventTaskBegin, trace.EventTaskEnd:
		t := ev.Task()
		fmt.Fprintf(w, " %d %d %s", int64(t.ID), int64(t.Parent), quote(t.Type))
	case trace.EventRegionBegin, trace.EventRegionEnd:
		r := ev.Region()
		fmt.Fprintf(w, " %d %s", int64(r.Task), quote(r.Type))
	case trace.EventLog:
		l := ev.Log()
		fmt.Fprintf(w, " %d %s %s", int64(l.Task), quote(l.Category), quote(l.Message))
	case trace.EventStateTransition:
		printTransition(w, ev)
	case trace.EventExperimental:
		x := ev.Experimental()
		fmt.Fprintf(w, " %s", x.Name)
		for i := range x.Args {
			fmt.Fprintf(w, " %d", x.ArgValue(i).Uint64())
		}
	}
	fmt.Fprintf(w, " %s\n", stackText(ev.Stack()))
}

func printTransition(w io.Writer, ev trace.Event) {
	s := ev.StateTransition()
	switch s.Resource.Kind {
	case trace.ResourceGoroutine:
		from, to := s.Goroutine()
		fmt.Fprintf(w, " G%d %s->%s", s.Resource.Goroutine(), from, to)
	case trace.ResourceProc:
		from, to := s.Proc()
		fmt.Fprintf(w, " P%d %s->%s", s.Resource.Proc(), from, to)
	}
	fmt.Fprintf(w, " %s %s", quote(s.Reason), stackText(s.Stack))
}

// corpus writes each textual trace as its bytes and prints its name and what Go's tests expect.
func corpus(in, out string) {
	paths, err := filepath.Glob(filepath.Join(in, "*.test"))
	if err != nil || len(paths) == 0 {
		log.Fatal("no tests in ", in, ": ", err)
	}
	for _, path := range paths {
		r, _, expectation, err := testtrace.ParseFile(path)
		if err != nil {
			log.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".test")
		data, err := io.ReadAll(r)
		if err == nil {
			err = os.WriteFile(filepath.Join(out, name+".trace"), data, 0o666)
		}
		if err != nil {
			log.Fatal(err)
		}
		verdict := "SUCCESS"
		if expectation.Check(nil) != nil {
			verdict = "FAILURE"
		}
		fmt.Println(name, verdict)
	}
}

// seeds writes the byte string of each seed file of `go test -fuzz`.
func seeds(in, out string) {
	entries, err := os.ReadDir(in)
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(in, entry.Name()))
		if err != nil {
			log.Fatal(err)
		}
		_, value, _ := strings.Cut(string(text), "[]byte(")
		data, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(value), ")"))
		if err == nil {
			err = os.WriteFile(filepath.Join(out, entry.Name()+".trace"), []byte(data), 0o666)
		}
		if err != nil {
			log.Fatal(entry.Name(), ": ", err)
		}
	}
}
