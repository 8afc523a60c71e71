// SPDX-License-Identifier: Apache-2.0

// Command goservice is a small Go service to try contraced on. It serves
// net/http/pprof on the addresses it is given, keeps itself modestly busy so
// that its traces have something to show, and, built with Go 1.25 or newer,
// serves a snapshot of a flight recorder.
//
//	main.go      options, start and stop
//	listen.go    addresses: TCP, unix sockets, TLS
//	handlers.go  what is served, and who may have it
//	load.go      the load of its own, backend.go a part of it
//	flight.go    the flight recorder (Go 1.25), flight_none.go without one
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// addresses is a flag that may be given several times.
type addresses []string

func (a *addresses) String() string { return strings.Join(*a, ",") }

func (a *addresses) Set(s string) error {
	if s == "" {
		return errors.New("an address is needed")
	}
	*a = append(*a, s)
	return nil
}

type options struct {
	listen       addresses
	load         float64
	writeTimeout time.Duration
	duration     time.Duration
	flightWindow time.Duration
	blockRate    int
	mutexRate    int
	tls          tlsFiles
	auth         credentials
}

func parseOptions() (*options, error) {
	o := &options{}
	var basic string
	flag.Var(&o.listen, "listen", "HOST:PORT or unix:/PATH; repeatable (default 127.0.0.1:6060)")
	flag.Float64Var(&o.load, "load", 1, "how busy to be; 0 is idle")
	flag.DurationVar(&o.writeTimeout, "write-timeout", 0,
		"the HTTP server's WriteTimeout; a trace as long as this or longer gets a 400")
	flag.DurationVar(&o.duration, "duration", 0, "exit after this time; 0 is never")
	flag.DurationVar(&o.flightWindow, "flight-window", 2*time.Second,
		"how much the flight recorder keeps; 0 is no flight recorder")
	flag.IntVar(&o.blockRate, "block-rate", 0,
		"for block profiles: one sample for this many nanoseconds of waiting; 0 is none")
	flag.IntVar(&o.mutexRate, "mutex-fraction", 0,
		"for mutex profiles: sample one wait in this many; 0 is none")
	flag.StringVar(&o.tls.cert, "tls-cert", "", "serve HTTPS with this certificate (PEM)")
	flag.StringVar(&o.tls.key, "tls-key", "", "the certificate's key (PEM)")
	flag.StringVar(&o.tls.clientCA, "client-ca", "",
		"require client certificates of this authority (PEM)")
	flag.StringVar(&basic, "basic-auth", "", "USER:FILE; require this user and the password in FILE")
	flag.StringVar(&o.auth.bearerFile, "bearer-file", "", "require the bearer token in this file")
	flag.Parse()

	if flag.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if len(o.listen) == 0 {
		o.listen = addresses{"127.0.0.1:6060"}
	}
	// The comparison is turned round so that a NaN is refused too.
	if !(o.load >= 0 && o.load <= 1000) {
		return nil, errors.New("-load must be between 0 and 1000")
	}
	if basic != "" {
		user, file, ok := strings.Cut(basic, ":")
		if !ok || user == "" || file == "" {
			return nil, errors.New("-basic-auth must be USER:FILE")
		}
		o.auth.user, o.auth.passwordFile = user, file
	}
	return o, o.tls.check()
}

func main() {
	o, err := parseOptions()
	if err != nil {
		fmt.Fprintln(os.Stderr, "goservice:", err)
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "goservice:", err)
		os.Exit(1)
	}
}

// run serves until a signal, the end of -duration or a server's failure.
func run(o *options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}

	listeners, err := listenAll(o.listen, &o.tls)
	if err != nil {
		return err
	}
	runtime.SetBlockProfileRate(o.blockRate)
	runtime.SetMutexProfileFraction(o.mutexRate)
	mux := newMux(o.writeTimeout)
	if o.flightWindow > 0 {
		stopFlight, err := addFlightRecorder(mux, o.flightWindow)
		if err != nil {
			return err
		}
		defer stopFlight()
	}
	stopLoad, err := startLoad(o.load)
	if err != nil {
		return err
	}
	defer stopLoad()

	server := &http.Server{
		Handler:           o.auth.require(mux),
		WriteTimeout:      o.writeTimeout,
		ReadHeaderTimeout: 10 * time.Second,
	}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
		fmt.Printf("goservice: listening on %s\n", describe(l.Addr(), &o.tls))
	}

	select {
	case <-ctx.Done():
	case err := <-failed:
		server.Close()
		return err
	}
	return shutDown(server)
}

// shutDown lets responses in flight finish for a moment, then closes them.
func shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}
