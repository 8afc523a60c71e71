// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

// lockFile waits for the lock of a file, in the kernel: the runtime knows no other way.
func lockFile(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			return err
		}
	}
}

func unlockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
}

// kernelPause blocks a thread, as a slow disk would.
func kernelPause(d time.Duration) {
	left := syscall.NsecToTimespec(int64(d))
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}

// unlinkedFile is a file that every caller opens anew and that is gone with the process.
func unlinkedFiles(n int) ([]*os.File, error) {
	first, err := os.CreateTemp("", "ills-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(first.Name())
	files := []*os.File{first}
	for len(files) < n {
		f, err := os.OpenFile(first.Name(), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// syscallStorm has 64 goroutines that append to one file under its lock, to a disk that takes
// its time. Each that waits takes a thread with it, and every P that it held is handed to
// another thread.
func syscallStorm() error {
	files, err := unlinkedFiles(64)
	if err != nil {
		return err
	}
	for _, f := range files {
		f := f
		go func() {
			for {
				if lockFile(f) != nil {
					return
				}
				f.WriteAt([]byte("entry"), 0)
				kernelPause(500 * time.Microsecond)
				unlockFile(f)
				kernelPause(2 * time.Millisecond)
			}
		}()
	}
	return nil
}

// askForFile asks whether a file is there that never is.
func askForFile(name string) {
	os.Stat(name)
}

// fileCalls has a few goroutines that do nothing but ask for a file. What that allocates is left
// to lie, so that the collector has no part in it.
func fileCalls() error {
	debug.SetGCPercent(2000)
	for i := 0; i < 8; i++ {
		go func() {
			for {
				askForFile("/ills/is/not/there")
			}
		}()
	}
	return nil
}
