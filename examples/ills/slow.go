// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// slowPipe is a pipe in the file system, as a log collector reads from one. Its reader takes `chunk`
// bytes every `every`. Opened by a system call of one's own, it blocks the thread that writes,
// as a disk or a mount does.
func slowPipe(chunk int, every time.Duration) (int, error) {
	dir, err := os.MkdirTemp("", "ills-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return 0, err
	}
	fd, err := syscall.Open(path, syscall.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	go func() {
		for buf := make([]byte, chunk); ; time.Sleep(every) {
			if _, err := syscall.Read(fd, buf); err != nil {
				return
			}
		}
	}()
	return fd, nil
}

// save waits in write(2) until the pipe has room.
func save(fd int, record []byte) error {
	for {
		if _, err := syscall.Write(fd, record); err != syscall.EINTR {
			return err
		}
	}
}

// slowDisk has 16 goroutines that save records; each takes some 160 ms. The threads that wait for
// that cost nothing, the Ps have nothing to do: it is no storm.
func slowDisk() error {
	const size = 32 << 10
	fd, err := slowPipe(size, 10*time.Millisecond)
	if err != nil {
		return err
	}
	for i := 0; i < 16; i++ {
		go func() {
			for record := make([]byte, size); save(fd, record) == nil; {
				spin(100 * time.Microsecond)
			}
		}()
	}
	return nil
}

// journal is a log with one lock, which is held while a line is written.
type journal struct {
	mu sync.Mutex
	fd int
}

func (j *journal) log(line []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return save(j.fd, line)
}

// lockOverWrite has 20 goroutines that log into a slow pipe. What they wait for is the lock; what
// makes them wait is the write of the one that has it.
func lockOverWrite() error {
	const size = 16 << 10
	fd, err := slowPipe(size, 10*time.Millisecond)
	if err != nil {
		return err
	}
	j := &journal{fd: fd}
	for i := 0; i < 20; i++ {
		go func() {
			for line := make([]byte, size); j.log(line) == nil; {
				spin(100 * time.Microsecond)
			}
		}()
	}
	return nil
}

// childProcesses serves requests that each run a command and wait for it.
func childProcesses() error {
	return servePages(func(w http.ResponseWriter, _ *http.Request) {
		if err := exec.Command("sleep", "0.4").Run(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "page")
	})
}
