// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

// The load is a toy shop. Clients send requests over a channel to workers; a
// worker parses the request, looks the article up in a cache under one mutex,
// asks the backend over a pair of pipes, and writes a line to a log.
// So each trace has waiting on channels, a mutex and the netpoller, system calls,
// garbage, and user tasks and regions: a bit of all that a trace can tell.

const (
	clientsAtFullLoad = 24                    // with -load 1
	thinkTime         = 40 * time.Millisecond // of a client, between two requests
	workers           = 4
	cacheSize         = 256
)

type request struct {
	article int
	reply   chan uint32
}

type shop struct {
	requests chan request
	backend  *backend
	log      *os.File

	mu    sync.Mutex
	cache map[int][]byte
}

// startLoad runs clients in proportion to factor; none at 0. The function that
// it returns ends them and waits for the last one.
func startLoad(factor float64) (stop func(), err error) {
	if factor == 0 {
		return func() {}, nil
	}
	log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	b, err := newBackend()
	if err != nil {
		log.Close()
		return nil, err
	}
	s := &shop{
		requests: make(chan request),
		backend:  b,
		log:      log,
		cache:    make(map[int][]byte),
	}
	ctx, cancel := context.WithCancel(context.Background())
	var clients, serving sync.WaitGroup

	// A fraction of a client is one client that thinks for longer.
	exact := clientsAtFullLoad * factor
	n := int(math.Ceil(exact))
	think := time.Duration(float64(thinkTime) * float64(n) / exact)
	for i := 0; i < n; i++ {
		clients.Add(1)
		go func() {
			defer clients.Done()
			s.client(ctx, think)
		}()
	}
	for i := 0; i < workers; i++ {
		serving.Add(1)
		go func() {
			defer serving.Done()
			s.worker(ctx)
		}()
	}
	return func() {
		cancel()
		clients.Wait()
		close(s.requests)
		serving.Wait()
		b.close()
		log.Close()
	}, nil
}

// client asks for articles until ctx ends. Its pauses vary between half and one
// and a half times think, so that clients do not fall into step.
func (s *shop) client(ctx context.Context, think time.Duration) {
	reply := make(chan uint32, 1)
	for {
		pause := think/2 + time.Duration(rand.Int63n(int64(think)+1))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		s.requests <- request{article: rand.Intn(4 * cacheSize), reply: reply}
		<-reply
	}
}

func (s *shop) worker(ctx context.Context) {
	for r := range s.requests {
		r.reply <- s.serve(ctx, r.article)
	}
}

// serve answers one request, as a task of runtime/trace with a region a step.
func (s *shop) serve(ctx context.Context, article int) uint32 {
	ctx, task := trace.NewTask(ctx, "request")
	defer task.End()
	trace.Logf(ctx, "article", "%d", article)

	var sum uint32
	trace.WithRegion(ctx, "parse", func() { sum = work(article) })
	var page []byte
	trace.WithRegion(ctx, "cache", func() { page = s.lookUp(article) })
	if page == nil {
		trace.WithRegion(ctx, "backend", func() { page = s.backend.fetch(article) })
		trace.WithRegion(ctx, "cache", func() { s.remember(article, page) })
	}
	trace.WithRegion(ctx, "log", func() { fmt.Fprintf(s.log, "%d %d\n", article, len(page)) })
	return sum ^ crc32.ChecksumIEEE(page)
}

func (s *shop) lookUp(article int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	work(article) // done under the mutex so that it is contended now and then
	return s.cache[article]
}

// remember keeps a page, and drops all when the cache is full: garbage in gusts.
func (s *shop) remember(article int, page []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= cacheSize {
		clear(s.cache)
	}
	s.cache[article] = page
}

// work keeps a P busy for some 50 µs and leaves nothing behind.
func work(seed int) uint32 {
	var block [4096]byte
	for i := range block {
		block[i] = byte(i ^ seed)
	}
	sum := uint32(seed)
	for i := 0; i < 64; i++ {
		sum = crc32.Update(sum, crc32.IEEETable, block[:])
	}
	return sum
}
