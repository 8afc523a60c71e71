// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/contrace/contrace/go/flight"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// families is what a handler serves, as Prometheus's own parser reads it.
func families(t *testing.T, h http.Handler) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func theirs() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(
		collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsAll),
		collectors.WithoutGoCollectorRuntimeMetrics(collectors.MetricsDebug.Matcher),
	))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// shape is all of a sample but the values.
func shape(m *dto.Metric) (edges []float64, labels []string) {
	for _, b := range m.GetHistogram().GetBucket() {
		edges = append(edges, b.GetUpperBound())
	}
	for _, q := range m.GetSummary().GetQuantile() {
		edges = append(edges, q.GetQuantile())
	}
	for _, l := range m.GetLabel() {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	return edges, labels
}

// Names, types, help, labels and buckets are the same, and there is neither more nor less.
func TestMetricsAreThoseOfTheGoCollector(t *testing.T) {
	runtime.GC()
	want, got := families(t, theirs()), families(t, flight.Metrics())
	if a, b := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)); !slices.Equal(a, b) {
		t.Errorf("names:\n%v\ninstead of\n%v", b, a)
	}
	for name, w := range want {
		g := got[name]
		if g.GetType() != w.GetType() || g.GetHelp() != w.GetHelp() || len(g.GetMetric()) != len(w.GetMetric()) {
			t.Errorf("%v instead of %v", g, w)
			continue
		}
		for i := range w.GetMetric() {
			edges, labels := shape(w.GetMetric()[i])
			ours, names := shape(g.GetMetric()[i])
			if !reflect.DeepEqual(edges, ours) || !slices.Equal(labels, names) {
				t.Errorf("%s: %v %v instead of %v %v", name, ours, names, edges, labels)
			}
		}
	}
}

// Where nothing changes between two reads, the values are the same, too.
func TestValuesAreThoseOfTheGoCollector(t *testing.T) {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	want, got := families(t, theirs()), families(t, flight.Metrics())
	for _, name := range []string{
		"go_sched_gomaxprocs_threads", "go_gc_gogc_percent", "go_gc_gomemlimit_bytes", "go_gc_cycles_total_gc_cycles_total",
		"go_gc_duration_seconds", "go_gc_pauses_seconds", "go_memstats_last_gc_time_seconds", "go_gc_heap_live_bytes",
	} {
		if w, g := want[name].GetMetric()[0], got[name].GetMetric()[0]; w.String() != g.String() {
			t.Errorf("%s: %v instead of %v", name, g, w)
		}
	}
}
