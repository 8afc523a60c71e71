// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"testing"

	"github.com/contrace/contrace/go/flight"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestSpansAreFoundInTheRecording(t *testing.T) {
	if err := flight.Start(flight.Config{}); err != nil {
		t.Fatal(err)
	}
	defer flight.Stop()
	spans := tracetest.NewSpanRecorder()
	h := newHandler(sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)))
	r := httptest.NewRequest("GET", "/pay", nil)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	h.ServeHTTP(httptest.NewRecorder(), r)

	taken, err := flight.Snapshot(context.Background(), "a test")
	if err != nil {
		t.Fatal(err)
	}
	var recording bytes.Buffer
	taken.WriteTo(&recording)
	if n := len(spans.Ended()); n != 2 {
		t.Fatal("spans:", n)
	}
	for _, span := range spans.Ended() {
		ids := span.SpanContext()
		if ids.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
			t.Error("another trace")
		}
		for _, want := range []string{span.Name(), ids.TraceID().String(), ids.SpanID().String()} {
			if !bytes.Contains(recording.Bytes(), []byte(want)) {
				t.Error("not in the recording:", want)
			}
		}
	}
}
