// SPDX-License-Identifier: Apache-2.0

// Secretive writes a trace to standard output, or a profile with -profile KIND, in which everything that
// a program can name has a name that nobody else may read. -logs N writes as many short logs.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"

	"acmesecret.example/shopfront/internal/ledgerbook"
	privatelog "acmesecret.example/shopfront/log"
)

type vaultdoor struct{ mutex sync.Mutex }

func (v *vaultdoor) openquietly(work func()) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	work()
}

// Somewhere that allocations must be for.
var kept []any

func mainbusiness(ctx context.Context, logs int) {
	ctx, task := trace.NewTask(ctx, "customer-4711-checkout")
	defer task.End()
	trace.Log(ctx, "runtime.secretcategory", "GET /accounts/4711?token=hunter2hunter2")
	trace.Log(ctx, "net: refused", "chan receive from db.corp.internal")
	for i := 0; i < logs; i++ {
		trace.Log(ctx, "", fmt.Sprintf("q%d", i))
	}
	var door vaultdoor
	for range 100 {
		kept = append(kept, &vaultdoor{}, make([]ledgerbook.Posting, 10))
	}
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			trace.WithRegion(ctx, "settle-invoice-99", func() {
				door.openquietly(func() { time.Sleep(2 * time.Millisecond) })
			})
			pprof.Do(ctx, pprof.Labels("tenant", "initech-industries"), func(context.Context) {
				ledgerbook.Shuffled([]ledgerbook.Posting{{Amount: 2}, {Amount: 1}}, 20*time.Millisecond)
			})
			wait := (&ledgerbook.Book[ledgerbook.Posting]{}).Waiting
			wait(time.Millisecond)
			privatelog.Whisper()
		}()
	}
	group.Wait()
}

func writeProfile(kind string) {
	if err := pprof.Lookup(kind).WriteTo(os.Stdout, 0); err != nil {
		panic(err)
	}
}

func main() {
	logs := flag.Int("logs", 0, "short logs")
	profile := flag.String("profile", "", "cpu, mutex, heap, goroutine")
	flag.Parse()
	runtime.SetMutexProfileFraction(1)
	runtime.MemProfileRate = 1
	var out bytes.Buffer
	var err error
	switch *profile {
	case "":
		err = trace.Start(&out)
	case "cpu":
		err = pprof.StartCPUProfile(&out)
	}
	if err != nil {
		panic(err)
	}
	mainbusiness(context.Background(), *logs)
	switch *profile {
	case "":
		trace.Stop()
	case "cpu":
		pprof.StopCPUProfile()
	default:
		new(vaultdoor).openquietly(func() { writeProfile(*profile) })
	}
	os.Stdout.Write(out.Bytes())
}
