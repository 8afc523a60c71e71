// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// slowDB is a database that takes 30 ms for every query.
type slowDB struct{}

func (slowDB) Connect(context.Context) (driver.Conn, error) { return slowDB{}, nil }
func (slowDB) Driver() driver.Driver                        { return nil }
func (slowDB) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not needed") }
func (slowDB) Close() error                                 { return nil }
func (slowDB) Begin() (driver.Tx, error)                    { return nil, errors.New("not needed") }
func (slowDB) Columns() []string                            { return []string{"n"} }
func (slowDB) Next([]driver.Value) error                    { return io.EOF }
func (slowDB) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	time.Sleep(30 * time.Millisecond)
	return slowDB{}, nil
}

// poolExhausted serves requests that each need one of two connections to the database.
func poolExhausted() error {
	db := sql.OpenDB(slowDB{})
	db.SetMaxOpenConns(2)
	return servePages(func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(), "select n")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		rows.Close()
		fmt.Fprintln(w, "page")
	})
}

// limiter lets one pass every 5 ms.
type limiter chan struct{}

func newLimiter() limiter {
	l := make(limiter)
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			l <- struct{}{}
		}
	}()
	return l
}

func (l limiter) wait() { <-l }

// rateLimited serves requests that each wait for their turn.
func rateLimited() error {
	turn := newLimiter()
	return servePages(func(w http.ResponseWriter, _ *http.Request) {
		turn.wait()
		fmt.Fprintln(w, "page")
	})
}

// actor does one thing after the other for those that send to its mailbox.
type actor struct {
	box chan func()
}

func newActor() *actor {
	a := &actor{box: make(chan func(), 8)}
	go func() {
		for f := range a.box {
			f()
		}
	}()
	return a
}

// call has the actor do something, and returns when that is done.
func (a *actor) call(ctx context.Context, f func()) {
	done := make(chan struct{})
	select {
	case a.box <- func() { f(); close(done) }:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// mailbox serves requests that one actor does, 4 ms each.
func mailbox() error {
	a := newActor()
	return servePages(func(w http.ResponseWriter, r *http.Request) {
		a.call(r.Context(), func() { time.Sleep(4 * time.Millisecond) })
		fmt.Fprintln(w, "page")
	})
}

// straggler serves requests that are each done by three goroutines, of which one is slow.
func straggler() error {
	return servePages(func(w http.ResponseWriter, _ *http.Request) {
		var parts sync.WaitGroup
		for i := 0; i < 3; i++ {
			i := i
			parts.Add(1)
			go func() {
				defer parts.Done()
				if i == 2 {
					time.Sleep(120 * time.Millisecond)
				}
				spin(20 * time.Microsecond)
			}()
		}
		parts.Wait()
		fmt.Fprintln(w, "page")
	})
}
