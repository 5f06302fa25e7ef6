package syncer

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/aledotdev/marquee/internal/event"
)

// span begins a span. If nothing is traced, the span records nothing.
func (s *Syncer) span(ctx context.Context, name string, about ...attribute.KeyValue) (context.Context, trace.Span) {
	if s.Traces == nil {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return s.Traces.Tracer("github.com/aledotdev/marquee/internal/syncer").Start(ctx, name, trace.WithAttributes(about...))
}

// end ends the span of a part of a run.
func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// endRun ends a run's span with what the run's record says, except for the error message, which may quote the feed.
func endRun(span trace.Span, r event.Result) {
	c := r.Counts
	span.SetAttributes(
		attribute.String("marquee.outcome", string(r.Outcome)),
		attribute.Int("marquee.records", c.Records), attribute.Int("marquee.added", c.Added), attribute.Int("marquee.changed", c.Changed),
		attribute.Int("marquee.removed", c.Removed), attribute.Int("marquee.returned", c.Returned), attribute.Int("marquee.quarantined", c.Quarantined),
	)
	if r.Outcome == event.OutcomeFailed {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(r.ErrorCode))
	}
	span.End()
}
