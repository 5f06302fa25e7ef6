package gqlhttp

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/aledotdev/marquee/graph"
)

// maxTracedDocument bounds what a span takes of a document, in bytes.
const maxTracedDocument = 2 << 10

func newTracer(provider trace.TracerProvider) trace.Tracer {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	return provider.Tracer("github.com/aledotdev/marquee/internal/httpapi/gqlhttp")
}

// execute executes an operation, counts it and makes a span of it, by
// https://opentelemetry.io/docs/specs/semconv/graphql/graphql-spans/.
func (h *Handler) execute(ctx context.Context, op *graph.Operation) *graph.Answer {
	ctx, span := h.span(ctx, op)
	defer span.End()
	began := time.Now()
	answer := h.engine.Execute(ctx, op)
	h.metrics.executed(op, time.Since(began))
	if answer.Failed {
		span.SetStatus(codes.Error, "")
		if len(answer.Codes) > 0 {
			span.SetAttributes(semconv.ErrorTypeKey.String(string(answer.Codes[0])))
		}
	}
	return answer
}

func (h *Handler) span(ctx context.Context, op *graph.Operation) (context.Context, trace.Span) {
	kind, name := string(op.Operation.Operation), h.metrics.name(op)
	title := kind
	if name != otherOperation {
		title += " " + name
	}
	ctx, span := h.tracer.Start(ctx, title)
	if span.IsRecording() {
		span.SetAttributes(
			semconv.GraphQLOperationTypeKey.String(kind),
			semconv.GraphQLOperationName(op.Operation.Name),
			semconv.GraphQLDocument(clip(op.RawQuery)),
			attribute.Int("marquee.graphql.cost", op.Cost()),
		)
	}
	return ctx, span
}

func clip(document string) string {
	return strings.ToValidUTF8(document[:min(len(document), maxTracedDocument)], "")
}
