// SPDX-License-Identifier: Apache-2.0

// Package flight is for services that want their past kept. It runs Go's
// flight recorder, the last seconds of an execution trace in memory, and gives a
// recording away when somebody asks for it or when a request was slow.
//
//	flight.Start(flight.Config{MinAge: 10 * time.Second})
//	mux.Handle("GET /debug/flightrecorder", flight.Handler())
//	mux.Handle("GET /metrics", flight.Metrics())
//	slow := flight.Middleware(300*time.Millisecond,
//		flight.PushTo("http://recordings.example:8080/checkout"))
//	http.ListenAndServe(":8080", slow(mux))
//
// Go has a flight recorder from version 1.25 on. Built with an older one, from
// 1.22 on, [Start] and [Push] return [ErrUnsupported], [Handler] answers 501 and
// [Middleware] takes no recordings; [Stamp] and [Metrics] work as ever.
//
// Go permits one flight recorder in a process, beside one execution trace as
// net/http/pprof takes it. Where another library has started one, that one stays
// and this package says so by [ErrTaken].
//
//	flight.go      starts and stops the recorder
//	recording.go   what is taken of it
//	handler.go     for those who ask
//	middleware.go  for slow requests; watched.go notices what they do
//	push.go        to a receiver
//	stamp.go       a distributed trace's ids
//	metrics.go     the runtime's metrics; memstats.go by their older names
package flight
