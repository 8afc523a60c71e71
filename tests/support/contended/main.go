// SPDX-License-Identifier: Apache-2.0

// Command contended serves net/http/pprof while its goroutines wait for one lock. With -fraction
// its mutex profile has samples; with -leak there are goroutines that nobody can end; with
// -profiles=false there is nothing but the trace; with -instead another profile, or one that
// ignores `seconds`, answers at the path of the mutex profile.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	profile "runtime/pprof"
	"sync"
	"time"
)

var lock sync.Mutex

func hold() {
	lock.Lock()
	time.Sleep(time.Millisecond)
	lock.Unlock()
}

func forget() {
	answer := make(chan int)
	go func() { answer <- 1 }()
}

func main() {
	fraction := flag.Int("fraction", 0, "of the waits for locks, one in so many is sampled; 0: none")
	profiles := flag.Bool("profiles", true, "serve all of net/http/pprof")
	leak := flag.Int("leak", 0, "so many goroutines wait for what nobody has")
	instead := flag.String("instead", "", "what answers as mutex profile, since the start")
	flag.Parse()
	runtime.SetMutexProfileFraction(*fraction)
	for i := 0; i < 4; i++ {
		go func() {
			for {
				hold()
			}
		}()
	}
	for i := 0; i < *leak; i++ {
		forget()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	if *profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
	}
	if *instead != "" {
		mux.HandleFunc("/debug/pprof/mutex", func(w http.ResponseWriter, _ *http.Request) {
			profile.Lookup(*instead).WriteTo(w, 0)
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "contended:", err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	fmt.Fprintln(os.Stderr, "contended:", http.Serve(listener, mux))
	os.Exit(1)
}
