// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/trace"
	"strings"
	"testing"
	"time"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
	parent  = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
)

// traced is the file of a trace of what f does.
func traced(t *testing.T, f func()) string {
	t.Helper()
	var out bytes.Buffer
	if err := trace.Start(&out); err != nil {
		t.Fatal(err)
	}
	f()
	trace.Stop()
	file := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func stamped(t *testing.T) string {
	return traced(t, func() {
		Stamp(context.Background(), traceID, spanID) // of no task
		ctx, task := trace.NewTask(context.Background(), "pay")
		Stamp(ctx, traceID, spanID)
		Stamp(ctx, "", "not printable\n")
		time.Sleep(time.Millisecond)
		task.End()
		h := Middleware(time.Minute)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) }))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Traceparent", parent)
		h.ServeHTTP(httptest.NewRecorder(), r)
		r.Header.Set("Traceparent", "00-nonsense")
		Middleware(time.Minute, NoTasks())(h).ServeHTTP(httptest.NewRecorder(), r)
	})
}

// Go's own reader finds them.
func TestStampForGo(t *testing.T) {
	file := stamped(t)
	out, err := exec.Command("go", "tool", "trace", "-d=parsed", file).Output()
	if err != nil { // before Go 1.23
		out, err = exec.Command("go", "tool", "trace", "-d=1", file).Output()
	}
	if err != nil {
		t.Skip("no go tool trace that prints events:", err)
	}
	var logs, tasks []string
	for _, line := range strings.Split(string(out), "\n") {
		if strings.Contains(line, "Category=") {
			logs = append(logs, line)
		}
		if strings.Contains(line, "TaskBegin") {
			tasks = append(tasks, line)
		}
	}
	if len(logs) != 5 || len(tasks) != 3 {
		t.Fatal("logs:", strings.Join(logs, "\n"), "tasks:", strings.Join(tasks, "\n"))
	}
	for i, want := range []string{
		`Category="trace_id" Message="` + traceID, `Category="span_id" Message="` + spanID,
		`Category="trace_id" Message="` + traceID, `Category="span_id" Message="` + spanID,
		`Category="traceparent" Message="` + parent,
	} {
		if !strings.Contains(logs[i], want) {
			t.Error(logs[i])
		}
	}
}

// contrace shows them beside their tasks.
func TestStampForContrace(t *testing.T) {
	contrace := os.Getenv("CONTRACE")
	if contrace == "" {
		t.Skip("CONTRACE is not set")
	}
	out, err := exec.Command(contrace, "summary", "--json", stamped(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Outliers struct {
			Tasks []struct {
				Type string
				IDs  map[string]string
			}
		}
	}
	if err := json.Unmarshal(out, &summary); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, task := range summary.Outliers.Tasks {
		found[fmt.Sprint(task.Type, task.IDs)] = true
	}
	for _, want := range []string{
		"paymap[span_id:" + spanID + " trace_id:" + traceID + "]", "http requestmap[traceparent:" + parent + "]",
		"http requestmap[]",
	} {
		if !found[want] {
			t.Errorf("%s is not among %v", want, found)
		}
	}
}

func TestStampWithoutATrace(t *testing.T) {
	Stamp(context.Background(), traceID, spanID)
	if n := testing.AllocsPerRun(100, func() { Stamp(context.Background(), traceID, spanID) }); n != 0 {
		t.Error("allocations:", n)
	}
}

func TestTraceparent(t *testing.T) {
	if !isTraceparent(parent) {
		t.Error("is none")
	}
	for _, s := range []string{
		"", parent + "-00", strings.ToUpper(parent), strings.Replace(parent, "-", "0", 1), parent[:54] + "-", "0-" + parent[2:] + "0",
	} {
		if isTraceparent(s) {
			t.Error(s)
		}
	}
}
