// SPDX-License-Identifier: Apache-2.0

// Command httpload is both sides of a measurement: a JSON service on net/http,
// and clients that ask any service the same thing again and again.
//
//	httpload -serve 127.0.0.1:6060 [-flight recorder|middleware]
//	httpload -url URL -clients 8 -seconds 2 [-rate 500]
//
// Without -rate each client asks as soon as it was answered. With it requests
// are due at fixed times, and a latency counts from when the request was due, so
// that a pause of the service is not hidden by clients that wait. It prints one
// JSON object: requests, seconds, failures, p50_ns, p99_ns.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net/http"
	_ "net/http/pprof"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/contrace/contrace/go/flight"
)

// An article of the shop that is served.
type article struct {
	ID     int      `json:"id"`
	Name   string   `json:"name"`
	Price  float64  `json:"price"`
	Tags   []string `json:"tags"`
	Digest uint32   `json:"digest"`
}

type shop struct {
	mu    sync.Mutex
	stock map[int]*article
}

// ServeHTTP answers with a page of 20 articles: some 2 KB of JSON, 50 to 100 µs
// of work, and a lock for each article.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page := make([]article, 0, 20)
	for i := range 20 {
		page = append(page, s.find(i))
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(page); err != nil {
		log.Print(err)
	}
}

func (s *shop) find(i int) article {
	name := fmt.Sprintf("article %d", i)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.stock[i]
	if a == nil {
		a = &article{ID: i, Name: name, Price: 1.5 * float64(i), Tags: []string{"new", "blue", "small"}}
		s.stock[i] = a
	}
	a.Digest = crc32.ChecksumIEEE([]byte(name))
	return *a
}

// What the clients saw.
type result struct {
	mu        sync.Mutex
	latencies []time.Duration
	failures  int
}

func (r *result) add(latency time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failures++
		return
	}
	r.latencies = append(r.latencies, latency)
}

func get(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// due gives the times at which requests are to begin.
func due(rate float64, end time.Time) <-chan time.Time {
	times := make(chan time.Time, 1<<16)
	go func() {
		defer close(times)
		pause := time.Duration(float64(time.Second) / rate)
		for at := time.Now(); at.Before(end); at = at.Add(pause) {
			time.Sleep(time.Until(at))
			times <- at
		}
	}()
	return times
}

func ask(url string, clients int, length time.Duration, rate float64) *result {
	r := &result{latencies: make([]time.Duration, 0, 1<<18)}
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients},
		Timeout:   30 * time.Second,
	}
	end := time.Now().Add(length)
	var times <-chan time.Time
	if rate > 0 {
		times = due(rate, end)
	}
	var all sync.WaitGroup
	for range clients {
		all.Add(1)
		go func() {
			defer all.Done()
			if rate > 0 {
				for at := range times {
					err := get(client, url)
					r.add(time.Since(at), err)
				}
				return
			}
			for now := time.Now(); now.Before(end); now = time.Now() {
				err := get(client, url)
				r.add(time.Since(now), err)
			}
		}()
	}
	all.Wait()
	return r
}

func quantile(sorted []time.Duration, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return int64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))])
}

// service is the shop, with what package flight adds: nothing, the recorder, or the
// recorder and the middleware, whose threshold no request reaches.
func service(flown string) http.Handler {
	var h http.Handler = &shop{stock: map[int]*article{}}
	if flown == "" {
		return h
	}
	if err := flight.Start(flight.Config{}); err != nil {
		log.Fatal(err)
	}
	http.Handle("/debug/flightrecorder", flight.Handler())
	if flown == "middleware" {
		h = flight.Middleware(time.Minute, flight.PushTo("http://127.0.0.1:1"))(h)
	}
	return h
}

func main() {
	serve := flag.String("serve", "", "HOST:PORT: serve there")
	flown := flag.String("flight", "", "with package flight: recorder or middleware")
	url := flag.String("url", "", "what to ask for")
	clients := flag.Int("clients", 8, "connections")
	seconds := flag.Float64("seconds", 2, "how long")
	rate := flag.Float64("rate", 0, "requests a second; 0: as many as are answered")
	flag.Parse()
	if *serve != "" {
		http.Handle("/shop", service(*flown))
		log.Fatal(http.ListenAndServe(*serve, nil))
	}
	began := time.Now()
	r := ask(*url, *clients, time.Duration(*seconds*float64(time.Second)), *rate)
	took := time.Since(began).Seconds()
	slices.Sort(r.latencies)
	err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"requests": len(r.latencies), "seconds": took, "failures": r.failures,
		"p50_ns": quantile(r.latencies, 0.5), "p99_ns": quantile(r.latencies, 0.99),
	})
	if err != nil {
		log.Fatal(err)
	}
}
