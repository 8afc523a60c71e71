// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Metrics answers with the runtime's metrics in Prometheus's text format 0.0.4, for
// services that export none: scheduler latencies, goroutines, waits for mutexes, GC
// pauses, memory. Names, types and buckets are those of the Go collector of
// github.com/prometheus/client_golang with all of [runtime/metrics], less its
// counters of GODEBUG settings. A service with that collector does not need this.
func Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "flight: only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		text := exposition()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = w.Write(text)
	})
}

// source is a metric of the runtime under its name for Prometheus.
type source struct {
	metrics.Description
	family string
	unit   string
}

// Where a histogram's exact sum is to be had. The others' is at least the true one's lower bounds.
var exactSums = map[string]string{
	"/gc/heap/allocs-by-size:bytes": "/gc/heap/allocs:bytes",
	"/gc/heap/frees-by-size:bytes":  "/gc/heap/frees:bytes",
}

var sources = sync.OnceValue(func() []source {
	var found []source
	for _, d := range metrics.All() {
		scalar := d.Kind == metrics.KindUint64 || d.Kind == metrics.KindFloat64
		if strings.HasPrefix(d.Name, "/godebug/") || !scalar && d.Kind != metrics.KindFloat64Histogram {
			continue
		}
		path, unit, _ := strings.Cut(d.Name, ":")
		unit = strings.NewReplacer("-", "_", "*", "_", "/", "_per_").Replace(unit)
		family := "go" + strings.NewReplacer("-", "_", "/", "_").Replace(path) + "_" + unit
		if d.Cumulative && scalar {
			family += "_total"
		}
		found = append(found, source{d, family, unit})
	}
	return found
})

// exposition is all of it, by name.
func exposition() []byte {
	var out text
	all := sources()
	samples := make([]metrics.Sample, len(all))
	values := make(map[string]metrics.Value, len(all))
	for i := range all {
		samples[i].Name = all[i].Name
	}
	metrics.Read(samples)
	for i, s := range all {
		values[s.Name] = samples[i].Value
	}
	for _, s := range all {
		help := s.Description.Description + " Sourced from " + s.Name + "."
		switch v := values[s.Name]; {
		case v.Kind() == metrics.KindFloat64Histogram:
			out.add(s.family, "histogram", help, func() {
				out.histogram(s, v.Float64Histogram(), values)
			})
		case s.Cumulative:
			out.value(s.family, "counter", help, scalar(v))
		default:
			out.value(s.family, "gauge", help, scalar(v))
		}
	}
	out.base()
	out.memory(values)
	return out.joined()
}

func scalar(v metrics.Value) float64 {
	switch v.Kind() {
	case metrics.KindUint64:
		return float64(v.Uint64())
	case metrics.KindFloat64:
		return v.Float64()
	}
	return 0
}

// base is what client_golang had before there was runtime/metrics.
func (t *text) base() {
	t.value("go_goroutines", "gauge", "Number of goroutines that currently exist.", float64(runtime.NumGoroutine()))
	threads, _ := runtime.ThreadCreateProfile(nil)
	t.value("go_threads", "gauge", "Number of OS threads created.", float64(threads))
	t.add("go_info", "gauge", "Information about the Go environment.", func() {
		fmt.Fprintf(t, "go_info{version=%q} 1\n", runtime.Version())
	})
	stats := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&stats)
	t.value("go_memstats_last_gc_time_seconds", "gauge", "Number of seconds since 1970 of last garbage collection.",
		float64(stats.LastGC.UnixNano())/1e9)
	const gc = "go_gc_duration_seconds"
	t.add(gc, "summary", "A summary of the wall-time pause (stop-the-world) duration in garbage collection cycles.", func() {
		for i, pause := range stats.PauseQuantiles {
			fmt.Fprintf(t, "%s{quantile=%q} %s\n", gc, number(float64(i)/4), number(pause.Seconds()))
		}
		fmt.Fprintf(t, "%s_sum %s\n%s_count %d\n", gc, number(stats.PauseTotal.Seconds()), gc, stats.NumGC)
	})
}

// text is an exposition that is being written: the last family ends it.
type text struct {
	bytes.Buffer
	families []family
}

type family struct {
	name       string
	begin, end int
}

func (t *text) add(name, kind, help string, samples func()) {
	begin := t.Len()
	help = strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help)
	fmt.Fprintf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	samples()
	t.families = append(t.families, family{name, begin, t.Len()})
}

func (t *text) value(name, kind, help string, v float64) {
	t.add(name, kind, help, func() { fmt.Fprintf(t, "%s %s\n", name, number(v)) })
}

func (t *text) histogram(s source, h *metrics.Float64Histogram, values map[string]metrics.Value) {
	edges := merged(h.Buckets, s.unit)
	var total uint64
	var sum float64
	last := 0 // the bucket that the next edge ends
	for i := 1; i < len(edges); i++ {
		var n uint64
		for ; last < len(h.Counts) && h.Buckets[last+1] <= edges[i]; last++ {
			n += h.Counts[last]
		}
		total += n
		if n > 0 {
			sum += edges[i-1] * float64(n)
		}
		if !math.IsInf(edges[i], 1) {
			// The runtime's upper bounds do not belong to their buckets, Prometheus's do.
			fmt.Fprintf(t, "%s_bucket{le=%q} %d\n", s.family, number(math.Nextafter(edges[i], edges[i-1])), total)
		}
	}
	if exact, ok := values[exactSums[s.Name]]; ok {
		sum = scalar(exact)
	}
	fmt.Fprintf(t, "%s_bucket{le=\"+Inf\"} %d\n", s.family, total)
	fmt.Fprintf(t, "%s_sum %s\n%s_count %d\n", s.family, number(sum), s.family, total)
}

// merged leaves out most edges of a histogram, of which the runtime's have hundreds, as
// client_golang does: bytes are in powers of 2, seconds in powers of 10 up to a second.
// An edge of -Inf is left out; what is below the first belongs to the first bucket.
func merged(edges []float64, unit string) []float64 {
	if math.IsInf(edges[0], -1) {
		edges = edges[1:]
	}
	base, most := 1.0, math.Inf(1)
	switch unit {
	case "bytes":
		base = 2
	case "seconds":
		base, most = 10, 1
	default:
		return edges
	}
	kept := edges[:1:1]
	for _, edge := range edges[1:] {
		if last := kept[len(kept)-1]; edge < last*base {
			continue
		}
		if edge > most {
			edge = math.Inf(1)
		}
		kept = append(kept, edge)
		if math.IsInf(edge, 1) {
			break
		}
	}
	return kept
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// joined is the text with its families by name.
func (t *text) joined() []byte {
	slices.SortFunc(t.families, func(a, b family) int { return cmp.Compare(a.name, b.name) })
	sorted := make([]byte, 0, t.Len())
	for _, f := range t.families {
		sorted = append(sorted, t.Bytes()[f.begin:f.end]...)
	}
	return sorted
}
