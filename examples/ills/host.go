// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// throttled is a service with twice as much to do as one CPU can. It is well, unless it is in a
// cgroup with a CPU quota of less: then it uses up the quota at the beginning of each period of
// 100 ms, and the kernel keeps all of its threads waiting until the next one begins.
//
//	mkdir /sys/fs/cgroup/ills && echo "50000 100000" >/sys/fs/cgroup/ills/cpu.max
//	echo $$ >/sys/fs/cgroup/ills/cgroup.procs; ./ills -ill throttled -trace throttled.trace
func throttled() error {
	serveMany(2)
	return nil
}

// serveMany has work for as many Ps, in small pieces.
func serveMany(procs int) {
	runtime.GOMAXPROCS(procs)
	for i := 0; i < 2*procs; i++ {
		go func() {
			for {
				spin(2 * time.Millisecond)
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
}

// stalled is a larger service of the same kind. Now and then another process stops it for a while, as a freezer, a
// snapshot of the virtual machine or a debugger does.
func stalled() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	stopper := exec.Command(self, "-stop", strconv.Itoa(os.Getpid()))
	out, err := stopper.StdoutPipe()
	if err != nil {
		return err
	}
	if err := stopper.Start(); err != nil {
		return err
	}
	// It may take long to start.
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return err
	}
	serveMany(4)
	return nil
}

// stopNowAndThen stops a process for about half of the time, until it is gone. Nothing of its
// rhythm is a multiple of 100 ms.
func stopNowAndThen(pid int) {
	fmt.Println("ready")
	for i := 0; ; i++ {
		time.Sleep([]time.Duration{170, 110, 230, 140}[i%4] * time.Millisecond)
		if syscall.Kill(pid, syscall.SIGSTOP) != nil {
			return
		}
		time.Sleep([]time.Duration{160, 210, 130}[i%3] * time.Millisecond)
		if syscall.Kill(pid, syscall.SIGCONT) != nil {
			return
		}
	}
}

// oversubscribed has GOMAXPROCS far above the CPUs that there are, and computes on all of these Ps:
// a goroutine that has a P waits for a CPU all the same, in the middle of its run.
func oversubscribed() error {
	procs := 8 * runtime.NumCPU()
	runtime.GOMAXPROCS(procs)
	for i := 0; i < 4*procs; i++ {
		go func() {
			for {
				spin(3 * time.Millisecond)
			}
		}()
	}
	return nil
}

// pinned may use one CPU only, as with taskset, and does not know: it has eight Ps.
func pinned() error {
	if err := toOneCPU(); err != nil {
		return err
	}
	runtime.GOMAXPROCS(8)
	for i := 0; i < 32; i++ {
		go func() {
			for {
				spin(3 * time.Millisecond)
			}
		}()
	}
	return nil
}

// toOneCPU runs this program anew on the first of the CPUs that it may use, if there are several.
func toOneCPU() error {
	var mask [128]uint64
	size := unsafe.Sizeof(mask)
	// Another thread may have another mask, and only this thread's is kept by exec.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, size,
		uintptr(unsafe.Pointer(&mask)))
	if errno != 0 {
		return errno
	}
	one := [128]uint64{}
	for i, word := range mask {
		if word != 0 {
			one[i] = word & -word
			break
		}
	}
	if one == mask {
		return nil
	}
	_, _, errno = syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size,
		uintptr(unsafe.Pointer(&one)))
	if errno != 0 {
		return errno
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, os.Environ())
}
