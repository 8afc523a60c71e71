// SPDX-License-Identifier: Apache-2.0

// Package log is called like one of Go's.
package log

import "time"

// Whisper sleeps.
func Whisper() { time.Sleep(time.Millisecond) }
