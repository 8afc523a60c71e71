// SPDX-License-Identifier: Apache-2.0

// Command ills is a Go program with exactly one illness, to learn what an execution trace of it
// looks like and to hold contrace's labels against.
//
//	ills -ill lock-convoy -trace convoy.trace -seconds 1     write a trace and exit
//	ills -ill lock-convoy -listen 127.0.0.1:6060             be ill until it is stopped
//
// Each illness is one file of the same name; healthy.go has the programs that look ill to a
// careless eye and are not.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"runtime/trace"
	"sort"
	"strings"
	"syscall"
	"time"
)

// An illness is started by run, which returns at once, and ends with the process. Its label is what
// contrace is to say of it.
type illness struct {
	label string
	what  string
	run   func() error
	// A setting of the runtime that there is no function for.
	godebug string
}

var ills = map[string]illness{
	"lock-convoy": {"lock-contention", "everyone needs the same mutex", lockConvoy, ""},
	"gc-churn":    {"gc-pressure", "allocates faster than the collector marks", gcChurn, ""},
	"cpu-starved": {"cpu-saturated", "many goroutines that compute, two Ps", cpuStarved, ""},
	"imbalance":   {"scheduler-imbalance", "hand-offs between locked threads", imbalance, ""},
	"syscalls":    {"syscall-storm", "many goroutines in system calls that block", syscallStorm, ""},
	"stuck":       {"stuck-proc", "one system call that takes most of a second", stuck, ""},
	"stuck-cgo":   {"stuck-proc", "the same in C", stuckCgo, ""},
	"stuck-run": {"stuck-proc", "a computation that cannot be preempted", stuckRun,
		"asyncpreemptoff=1"},
	"throttled": {"cpu-throttled", "needs more than its CPU quota, which somebody must set", throttled,
		""},
	"stalled":          {"host-stalled", "is stopped now and then", stalled, ""},
	"oversubscribed":   {"cpu-saturated", "computes on many more Ps than there are CPUs", oversubscribed, ""},
	"pinned":           {"cpu-saturated", "computes on eight Ps and one CPU", pinned, ""},
	"slow-peer":        {"network-bound", "waits for a slow server, one protocol of its own", slowPeer, ""},
	"slow-http":        {"network-bound", "waits for a slow server, net/http", slowHTTP, ""},
	"idle":             {"idle", "a server without requests", idle, ""},
	"timers":           {"idle", "two thousand timers a second and nothing to do", timers, ""},
	"healthy":          {"healthy", "a server with some requests", healthy, ""},
	"busy":             {"healthy", "as many goroutines that compute as there are Ps", busy, ""},
	"ping-pong":        {"healthy", "two goroutines and a channel", pingPong, ""},
	"leak":             {"goroutine-leak", "goroutines whose answers nobody takes", leak, ""},
	"burst":            {"healthy", "peaks of goroutines that end, and connections that stay", burst, ""},
	"timer-storm":      {"timer-load", "hundreds of thousands of timers a second", timerStorm, ""},
	"busy-poll":        {"busy-polling", "goroutines that yield until there is work", busyPoll, ""},
	"retry-storm":      {"retry-storm", "connects to nobody, again and again", retryStorm, ""},
	"thundering-herd":  {"thundering-herd", "all wake up for each job", thunderingHerd, ""},
	"slow-disk":        {"slow-syscalls", "many writes that each take long", slowDisk, ""},
	"lock-over-write":  {"slow-syscalls", "a lock that is held while a slow pipe takes a line", lockOverWrite, ""},
	"cgo-workers":      {"slow-syscalls", "calls of a slow library in C", cgoWorkers, ""},
	"pool-exhausted":   {"blocked-in-request", "all connections of database/sql are in use", poolExhausted, ""},
	"rate-limited":     {"blocked-in-request", "requests wait for a limiter of the program's own", rateLimited, ""},
	"mailbox":          {"blocked-in-request", "all requests wait for one actor", mailbox, ""},
	"straggler":        {"blocked-in-request", "requests wait for the slowest of their goroutines", straggler, ""},
	"mutex-deadlock":   {"deadlock", "two locks in two orders", mutexDeadlock, ""},
	"channel-deadlock": {"deadlock", "workers send to somebody who waits for them", channelDeadlock, ""},
	"long-poll":        {"idle", "clients that wait for the next message", longPoll, ""},
	"file-calls":       {"syscall-storm", "asks for a file, again and again", fileCalls, ""},
	"first-of-all":     {"lock-contention", "all wait for the first one, who asks a slow server", firstOfAll, ""},
	"child-processes":  {"slow-syscalls", "requests that each wait for a command", childProcesses, ""},
	"poll-select":      {"busy-polling", "asks in a loop whether something was sent", pollSelect, ""},
	"poll-sleep":       {"busy-polling", "sleeps for a moment until there is work", pollSleep, ""},
	"close-herd":       {"thundering-herd", "all wake up for each job, by a closed channel", closeHerd, ""},
	"forced-gc":        {"gc-pressure", "calls the collector again and again", forcedGC, ""},
	"message-readers":  {"idle", "a server of clients that chat now and then", messageReaders, ""},
}

func usage() {
	fmt.Fprintln(os.Stderr, "Usage: ills -ill NAME [-listen ADDR] [-trace FILE [-seconds N]]")
	names := make([]string, 0, len(ills))
	for name := range ills {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(os.Stderr, "  %-16s %-20s %s\n", name, ills[name].label, ills[name].what)
	}
	flag.PrintDefaults()
}

func main() {
	name := flag.String("ill", "", "the illness")
	listen := flag.String("listen", "", "HOST:PORT or unix:/PATH to serve /debug/pprof on")
	file := flag.String("trace", "", "write a trace here and exit")
	seconds := flag.Float64("seconds", 1, "how long the trace is")
	warm := flag.Duration("warm-up", 300*time.Millisecond, "time before the trace begins")
	peer := flag.Duration("peer", 0, "be the slow server that others start, with this delay")
	ask := flag.String("ask", "", "be the clients of a server that others start: URL or HOST:PORT")
	stop := flag.Int("stop", 0, "be the process that stops another now and then")
	flag.Usage = usage
	flag.Parse()

	if *peer > 0 {
		servePeer(*peer)
		return
	}
	if *ask != "" {
		askServer(*ask)
		return
	}
	if *stop > 0 {
		stopNowAndThen(*stop)
		return
	}
	ill, known := ills[*name]
	if !known || flag.NArg() > 0 || (*listen == "" && *file == "") {
		usage()
		os.Exit(2)
	}
	if err := restart(ill.godebug); err != nil {
		fmt.Fprintln(os.Stderr, "ills:", err)
		os.Exit(1)
	}
	if err := run(ill, *listen, *file, *seconds, *warm); err != nil {
		fmt.Fprintln(os.Stderr, "ills:", err)
		os.Exit(1)
	}
}

// restart runs this program anew with a setting that the runtime reads at start, if it lacks it.
func restart(godebug string) error {
	if godebug == "" || os.Getenv("GODEBUG") == godebug {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, append(os.Environ(), "GODEBUG="+godebug))
}

func run(ill illness, listen, file string, seconds float64, warm time.Duration) error {
	if listen != "" {
		if err := serve(listen); err != nil {
			return err
		}
	}
	// As in most services; it also puts one goroutine into a system call for good.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	if err := ill.run(); err != nil {
		return err
	}
	if file == "" {
		<-stop
		return nil
	}
	done := make(chan error)
	go func() {
		warmUp(warm)
		done <- record(file, time.Duration(seconds*float64(time.Second)))
	}()
	select {
	case err := <-done:
		return err
	case s := <-stop:
		return fmt.Errorf("stopped: %v", s)
	}
}

// warmUp sleeps in short turns, so that what the host keeps waiting at its start has as many turns
// of its own as on a quiet machine.
func warmUp(d time.Duration) {
	const turn = 10 * time.Millisecond
	for ; d > 0; d -= turn {
		time.Sleep(min(d, turn))
	}
}

func serve(addr string) error {
	network := "tcp"
	if path, isUnix := strings.CutPrefix(addr, "unix:"); isUnix {
		network, addr = "unix", path
		if err := os.Remove(addr); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", l.Addr())
	go func() {
		fmt.Fprintln(os.Stderr, "ills:", http.Serve(l, nil))
		os.Exit(1)
	}()
	return nil
}

func record(file string, window time.Duration) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := trace.Start(out); err != nil {
		return err
	}
	time.Sleep(window)
	trace.Stop()
	return out.Close()
}

// spin computes for about as long as it is told, without a system call.
func spin(d time.Duration) (n uint64) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := 0; i < 200; i++ {
			n = n*6364136223846793005 + 1442695040888963407
		}
	}
	return n
}
