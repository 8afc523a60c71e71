// SPDX-License-Identifier: Apache-2.0

// Spans writes a trace of a service whose requests are spans, as OpenTelemetry's and Datadog's
// libraries make them: a task for each span, begun and ended by the goroutine that does the work,
// without regions, with the span's ids in logs. Beside that it has what such services do seldom.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

var (
	ledger  sync.Mutex
	lastID  atomic.Uint64
	sink    []byte
	backend string
)

func spin(d time.Duration) {
	for t := time.Now(); time.Since(t) < d; {
	}
}

// span begins one. Every fourth logs its id as Datadog's library does, the others as a program may.
func span(ctx context.Context, name string) (context.Context, *trace.Task) {
	ctx, task := trace.NewTask(ctx, name)
	id := lastID.Add(1)
	if id%4 == 0 {
		trace.Log(ctx, "datadog.uint64_span_id", string(binary.LittleEndian.AppendUint64(nil, id)))
	} else {
		trace.Log(ctx, "trace_id", fmt.Sprintf("%032x", id/3))
		trace.Log(ctx, "otel.span_id", fmt.Sprintf("%016x", id))
	}
	trace.Log(ctx, "step", "an ordinary message")
	return ctx, task
}

// query is a child span that waits for a peer.
func query(ctx context.Context) {
	ctx, task := span(ctx, "SELECT")
	defer task.End()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+backend+"/backend", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
}

func post(ctx context.Context) {
	ctx, task := span(ctx, "post")
	defer task.End()
	ledger.Lock()
	spin(300 * time.Microsecond)
	ledger.Unlock()
	trace.WithRegion(ctx, "encode", func() { sink = make([]byte, 100000) })
}

// fanOut waits for goroutines that are created within the span.
func fanOut(ctx context.Context) {
	_, task := span(ctx, "fan out")
	defer task.End()
	var group sync.WaitGroup
	for i := range 3 {
		group.Add(1)
		go func() {
			defer group.Done()
			spin(100 * time.Microsecond)
			time.Sleep(time.Duration(i) * time.Millisecond)
		}()
	}
	group.Wait()
}

// leaveEarly ends its span while one below it goes on, whose time is the caller's span's as well.
func leaveEarly() {
	ctx, caller := span(context.Background(), "caller")
	defer caller.End()
	ctx, task := span(ctx, "leaves early")
	begun := make(chan struct{})
	go func() {
		_, below := span(ctx, "stays")
		defer below.End()
		close(begun)
		spin(100 * time.Microsecond)
		time.Sleep(time.Millisecond)
	}()
	<-begun
	task.End()
}

func pay(w http.ResponseWriter, r *http.Request) {
	ctx, task := span(context.Background(), "POST /pay")
	defer task.End()
	trace.Log(ctx, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	trace.Log(ctx, "trace_id", "not\nprintable")
	query(ctx)
	post(ctx)
	fanOut(ctx)
	trace.WithRegion(context.Background(), "of no task", func() { time.Sleep(time.Millisecond) })
	if w != nil {
		fmt.Fprintln(w, "done")
	}
}

// dispatch begins spans and leaves them to workers, which say so by regions.
func dispatch(until time.Time) {
	type job struct {
		ctx  context.Context
		task *trace.Task
	}
	jobs := make(chan job)
	for range 2 {
		go func() {
			for j := range jobs {
				trace.WithRegion(j.ctx, "job", func() { spin(200 * time.Microsecond) })
				j.task.End()
			}
		}()
	}
	for time.Now().Before(until) {
		ctx, task := span(context.Background(), "job")
		jobs <- job{ctx, task}
		time.Sleep(2 * time.Millisecond)
	}
	close(jobs)
}

func serve() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/pay", pay)
	http.HandleFunc("/backend", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(3 * time.Millisecond)
		fmt.Fprintln(w, "one row")
	})
	go http.Serve(l, nil)
	return l.Addr().String()
}

// hang is a span that waits for a lock until the trace is over.
func hang(never *sync.Mutex) {
	_, task := span(context.Background(), "hangs")
	defer task.End()
	never.Lock()
}

func clients(until time.Time) {
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Now().Before(until) {
				pay(nil, nil)
				leaveEarly()
			}
		}()
	}
	group.Wait()
}

func main() {
	runtime.GOMAXPROCS(2)
	var never, before sync.Mutex
	never.Lock()
	before.Lock()
	go before.Lock()
	backend = serve()
	older, olderTask := trace.NewTask(context.Background(), "from before")
	longer, _ := trace.NewTask(older, "from before and not over")
	time.Sleep(10 * time.Millisecond)
	if err := trace.Start(os.Stdout); err != nil {
		log.Fatal(err)
	}
	trace.WithRegion(older, "of an older task", func() { spin(time.Millisecond) })
	trace.WithRegion(longer, "of one that is not over", func() { spin(time.Millisecond) })
	go hang(&never)
	until := time.Now().Add(1200 * time.Millisecond)
	go dispatch(until)
	res, err := http.Get("http://" + backend + "/pay")
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	clients(until)
	olderTask.End()
	trace.WithRegion(older, "of a task that is over", func() { spin(time.Millisecond) })
	time.Sleep(20 * time.Millisecond)
	trace.Stop()
}
