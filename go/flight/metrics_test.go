// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"errors"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func scraped(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	Metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatal(w.Code, w.Header())
	}
	return w.Body.String()
}

func TestMetricsHaveTheNamesThatOthersKnow(t *testing.T) {
	runtime.GC()
	text := scraped(t)
	for _, want := range []string{
		"# TYPE go_sched_latencies_seconds histogram", `go_sched_latencies_seconds_bucket{le="+Inf"} `,
		"# TYPE go_gc_duration_seconds summary", `go_gc_duration_seconds{quantile="0.75"} `,
		"# TYPE go_sync_mutex_wait_total_seconds_total counter", "\ngo_goroutines ", "\ngo_sched_goroutines_goroutines ",
		"\ngo_sched_gomaxprocs_threads " + strconv.Itoa(runtime.GOMAXPROCS(0)) + "\n", "\ngo_threads ",
		"\ngo_memstats_heap_inuse_bytes ", `go_info{version="` + runtime.Version() + `"} 1`,
		"# TYPE go_gc_pauses_seconds histogram", "\ngo_gc_heap_live_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Error("not there:", want)
		}
	}
	if strings.Contains(text, "go_godebug_") {
		t.Error("settings of GODEBUG are there")
	}
}

func TestMetricsAreInForm(t *testing.T) {
	sample := regexp.MustCompile(`^(go_\w+)(\{\w+="[^"\\]*"\})? (\S+)$`)
	kinds := map[string]string{}
	var names []string
	last := -1.0
	for _, line := range strings.Split(strings.TrimSuffix(scraped(t), "\n"), "\n") {
		if name, kind, ok := strings.Cut(strings.TrimPrefix(line, "# TYPE "), " "); ok && strings.HasPrefix(line, "# TYPE ") {
			if kinds[name] != "" {
				t.Error("twice:", name)
			}
			kinds[name] = kind
			names = append(names, name)
		}
		if strings.HasPrefix(line, "#") {
			last = -1
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Error(line)
			continue
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil || math.IsNaN(v) || v < 0 && !strings.Contains(line, "last_gc_time") {
			t.Error(line)
		}
		if strings.Contains(m[1], "_bucket") {
			if v < last {
				t.Error("fewer than in the bucket before:", line)
			}
			last = v
		}
	}
	if !slices.IsSorted(names) {
		t.Error("not by name")
	}
}

func TestMetricsForPromtool(t *testing.T) {
	promtool := os.Getenv("PROMTOOL")
	if promtool == "" {
		promtool, _ = exec.LookPath("promtool")
	}
	if promtool == "" {
		t.Skip("no promtool on the PATH, nor in PROMTOOL")
	}
	command := exec.Command(promtool, "check", "metrics")
	command.Stdin = strings.NewReader(scraped(t))
	out, err := command.CombinedOutput()
	// 3: what it dislikes of the names, which are client_golang's.
	if failed := new(exec.ExitError); errors.As(err, &failed) && failed.ExitCode() == 3 {
		err = nil
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestMetricsByMethod(t *testing.T) {
	if w := get(t, Metrics(), "POST"); w.Code != 405 || w.Header().Get("Allow") == "" {
		t.Error(w.Code, w.Header())
	}
	if w := get(t, Metrics(), "HEAD"); w.Code != 200 || w.Header().Get("Content-Length") == "" {
		t.Error(w.Code, w.Header())
	}
}

func TestMetricsForMany(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			scraped(t)
		}()
	}
	all.Wait()
}

func TestMergedEdges(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		unit       string
		edges, out []float64
	}{
		{"bytes", []float64{1, 2, 3, 4, 5, 9, 12, inf}, []float64{1, 2, 4, 9, inf}},
		{"seconds", []float64{-inf, 0, 1e-3, 2e-3, 1e-2, 0.5, 0.9, 5, 70, inf}, []float64{0, 1e-3, 1e-2, 0.5, inf}},
		{"objects", []float64{-inf, 1, 2, 3, inf}, []float64{1, 2, 3, inf}},
	} {
		if got := merged(c.edges, c.unit); !slices.Equal(got, c.out) {
			t.Error(c.unit, got)
		}
	}
}

func BenchmarkMetrics(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		exposition()
	}
}
