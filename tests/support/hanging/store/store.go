// SPDX-License-Identifier: Apache-2.0

// Package store is own code that waits inside of libraries.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"syscall"
	"time"
)

type connector struct{}
type conn struct{}

func (connector) Connect(context.Context) (driver.Conn, error) { return conn{}, nil }
func (connector) Driver() driver.Driver                        { return nil }

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("none") }
func (conn) Close() error                        { return nil }
func (conn) Begin() (driver.Tx, error)           { return nil, errors.New("none") }

func (conn) Ping(context.Context) error {
	time.Sleep(20 * time.Millisecond)
	return nil
}

type Store struct {
	db *sql.DB
}

// New makes a store with a single connection.
func New() *Store {
	db := sql.OpenDB(connector{})
	db.SetMaxOpenConns(1)
	return &Store{db}
}

// Ask waits for the connection.
func (s *Store) Ask() error {
	return s.db.Ping()
}

// Wedge opens a FIFO that nobody writes to, which does not end until Unwedge.
func Wedge(fifo string) {
	fd, err := syscall.Open(fifo, syscall.O_RDONLY, 0)
	if err == nil {
		syscall.Close(fd)
	}
}

// Unwedge lets all go on.
func Unwedge(fifo string) {
	f, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err == nil {
		f.Close()
	}
}
