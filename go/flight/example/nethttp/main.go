// SPDX-License-Identifier: Apache-2.0

// Command nethttp is a service on net/http that keeps its past: it serves it at
// /debug/flightrecorder, and sends it to a receiver when a request was slow.
//
//	nethttp -push http://127.0.0.1:7465/api/v1/push/shop
//	curl localhost:6060/pay/7
//	curl -OJ localhost:6060/debug/flightrecorder
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand"
	"net/http"
	"runtime/trace"
	"time"

	"github.com/contrace/contrace/go/flight"
)

func newHandler(threshold time.Duration, push string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pay/{order}", pay)
	slow := flight.Middleware(threshold, flight.PushTo(push))

	// What is for operators is on the same address here, to be short. Serve it on one
	// that is not public.
	all := http.NewServeMux()
	all.Handle("/", slow(mux))
	all.Handle("GET /debug/flightrecorder", flight.Handler())
	all.Handle("GET /metrics", flight.Metrics())
	return all
}

// pay is now and then slow, and its recording shows that it slept.
func pay(w http.ResponseWriter, r *http.Request) {
	trace.WithRegion(r.Context(), "book", func() {
		if rand.Intn(10) == 0 {
			time.Sleep(400 * time.Millisecond)
		}
	})
	fmt.Fprintln(w, "paid", r.PathValue("order"))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:6060", "where to serve")
	push := flag.String("push", "", "URL to send recordings of slow requests to, by PUT")
	threshold := flag.Duration("threshold", 300*time.Millisecond, "what is slow")
	flag.Parse()

	if err := flight.Start(flight.Config{MinAge: 10 * time.Second}); err != nil {
		log.Print(err) // no reason not to serve
	}
	log.Fatal(http.ListenAndServe(*listen, newHandler(*threshold, *push)))
}
