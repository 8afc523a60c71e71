// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package main

/*
#include <time.h>

static void pause_ms(long ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&left, &left) != 0)
        ;
}
*/
import "C"

import "time"

// stuckCgo is stuck in C, as with a driver that waits there.
func stuckCgo() error {
	go func() {
		awaitTrace()
		for {
			C.pause_ms(900)
			time.Sleep(100 * time.Millisecond)
		}
	}()
	go some()
	return nil
}

// cgoWorkers has 8 goroutines that each spend 80 ms at a time in a library.
func cgoWorkers() error {
	for i := 0; i < 8; i++ {
		go func() {
			for {
				C.pause_ms(80)
				spin(200 * time.Microsecond)
			}
		}()
	}
	return nil
}
