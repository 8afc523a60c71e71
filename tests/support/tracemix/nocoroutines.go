// SPDX-License-Identifier: Apache-2.0

//go:build !go1.23

package main

import "time"

// coroutines there were none before Go 1.23.
func (m *mix) coroutines(int) {
	time.Sleep(200 * time.Microsecond)
}
