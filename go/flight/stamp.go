// SPDX-License-Identifier: Apache-2.0

package flight

import (
	"context"
	"runtime/trace"
)

// The longest id that contrace shows.
const idMax = 64

// Stamp writes a distributed trace's ids into the execution trace, if one is being
// taken: they belong to the task of [runtime/trace] that ctx is in. contrace
// shows them beside the task, so that a slow request is found in both. Middleware
// makes a task for each request, and OpenTelemetry's SDK one for each span; any
// other code makes one with [trace.NewTask].
//
// An id that is empty, longer than 64 bytes or not printable is left out.
func Stamp(ctx context.Context, traceID, spanID string) {
	if !trace.IsEnabled() {
		return
	}
	// The categories are those that contrace knows.
	if isID(traceID) {
		trace.Log(ctx, "trace_id", traceID)
	}
	if isID(spanID) {
		trace.Log(ctx, "span_id", spanID)
	}
}

func isID(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= idMax
}

// stampParent writes a traceparent header (W3C Trace Context) into the trace.
func stampParent(ctx context.Context, header string) {
	if isTraceparent(header) {
		trace.Log(ctx, "traceparent", header)
	}
}

// isTraceparent: version, trace id, parent id and flags, in lower-case hex.
func isTraceparent(s string) bool {
	if len(s) != 55 {
		return false
	}
	for i := 0; i < len(s); i++ {
		dash := i == 2 || i == 35 || i == 52
		hex := s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f'
		if dash != (s[i] == '-') || !dash && !hex {
			return false
		}
	}
	return true
}
