// SPDX-License-Identifier: Apache-2.0

// Command otel is a service with spans of OpenTelemetry whose ids stand in its
// execution traces, so that a slow span is found in both. OpenTelemetry's SDK makes
// each span a task of runtime/trace, but does not say which.
package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/contrace/contrace/go/flight"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// stamping is a provider whose spans stamp their ids into the execution trace.
type stamping struct{ trace.TracerProvider }

func (p stamping) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return stampingTracer{p.TracerProvider.Tracer(name, options...)}
}

type stampingTracer struct{ trace.Tracer }

func (t stampingTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	ctx, span := t.Tracer.Start(ctx, name, options...)
	if span.IsRecording() { // only then it has a task
		ids := span.SpanContext()
		flight.Stamp(ctx, ids.TraceID().String(), ids.SpanID().String())
	}
	return ctx, span
}

func newHandler(provider trace.TracerProvider, options ...flight.Option) http.Handler {
	tracer := stamping{provider}.Tracer("shop")
	pay := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, "pay", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		book(ctx, tracer)
	})
	// The spans are the tasks.
	slow := flight.Middleware(300*time.Millisecond, append(options, flight.NoTasks())...)
	return slow(pay)
}

func book(ctx context.Context, tracer trace.Tracer) {
	_, span := tracer.Start(ctx, "book")
	defer span.End()
	time.Sleep(time.Millisecond)
}

func main() {
	if err := flight.Start(flight.Config{MinAge: 10 * time.Second}); err != nil {
		log.Print(err)
	}
	provider := sdk.NewTracerProvider() // with an exporter, in a real service
	otel.SetTracerProvider(stamping{provider})
	http.Handle("/pay", newHandler(provider, flight.PushTo("http://127.0.0.1:8080/shop")))
	http.Handle("/debug/flightrecorder", flight.Handler())
	log.Fatal(http.ListenAndServe("127.0.0.1:6060", nil))
}
