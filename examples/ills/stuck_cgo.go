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
		time.Sleep(350 * time.Millisecond)
		for {
			C.pause_ms(900)
			time.Sleep(100 * time.Millisecond)
		}
	}()
	go some()
	return nil
}
