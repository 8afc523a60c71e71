// SPDX-License-Identifier: Apache-2.0

//go:build go1.25

package flight

import "runtime/trace"

func newRecorder(c Config) recorder {
	return trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: c.MinAge, MaxBytes: c.MaxBytes})
}
