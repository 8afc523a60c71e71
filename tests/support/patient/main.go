// SPDX-License-Identifier: Apache-2.0

// Command patient is a service that falls ill when it is told to: POST /ill?of=lock. It serves its
// metrics by the library that -metrics names, and lives under some load, with noise, all the time.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"time"

	victoria "github.com/VictoriaMetrics/metrics"
	"github.com/contrace/contrace/go/flight"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// page is the handler of a library's metrics, with all that it has of the runtime's.
func page(library string) (http.Handler, error) {
	switch library {
	case "client_golang":
		registry := prometheus.NewRegistry()
		registry.MustRegister(collectors.NewGoCollector(
			collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsAll)), requests)
		return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}), nil
	case "victoria":
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			victoria.WritePrometheus(w, true)
		}), nil
	case "flight":
		return flight.Metrics(), nil
	}
	return nil, fmt.Errorf("no library %q", library)
}

func run() error {
	library := flag.String("metrics", "client_golang", "client_golang, victoria or flight")
	flag.Parse()
	metrics, err := page(*library)
	if err != nil {
		return err
	}
	http.Handle("GET /metrics", metrics)
	http.HandleFunc("POST /ill", func(w http.ResponseWriter, r *http.Request) {
		start, known := ills[r.FormValue("of")]
		if !known {
			http.Error(w, "no such illness", http.StatusNotFound)
			return
		}
		start()
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	live()
	fmt.Println(listener.Addr())
	return http.Serve(listener, nil)
}

// requests is how long what stands for requests took, as services measure it themselves.
var requests = prometheus.NewHistogramVec(
	prometheus.HistogramOpts{Name: "http_request_duration_seconds"}, []string{"handler"})

// live is the load of a healthy service: a hundred small tasks a second, each with garbage and a
// shared lock, and noise: bursts of goroutines, a computation now and then, and forced collections.
func live() {
	shared := &ledger{}
	go every(10*time.Millisecond, func() {
		go func() {
			garbage := make([]byte, 32<<10)
			garbage[rand.Intn(len(garbage))] = 1
			start := time.Now()
			shared.post(20 * time.Microsecond)
			time.Sleep(time.Duration(rand.Intn(20)) * time.Millisecond)
			if slow.Load() {
				time.Sleep(500 * time.Millisecond)
			}
			requests.WithLabelValues("/pay").Observe(time.Since(start).Seconds())
			runtime.KeepAlive(garbage)
		}()
	})
	go every(3*time.Second, func() {
		done := make(chan struct{})
		for range 20 + rand.Intn(50) {
			go func() { <-done }()
		}
		time.AfterFunc(200*time.Millisecond, func() { close(done) })
	})
	go every(700*time.Millisecond, func() { spin(5 * time.Millisecond) })
	go every(7*time.Second, runtime.GC)
}

func every(pause time.Duration, what func()) {
	for range time.Tick(pause) {
		what()
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "patient:", err)
		os.Exit(1)
	}
}
