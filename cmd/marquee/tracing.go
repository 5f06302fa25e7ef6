package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// traceTarget is where traces go. OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES,
// OTEL_BSP_…) count, too.
type traceTarget struct {
	OTLPEndpoint endpoint `help:"The collector to send traces to, by OTLP over HTTP: http://collector:4318; no traces by default." name:"otlp-endpoint" env:"MARQUEE_OTLP_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL"`
}

// tracing is where traces of requests go, and how many.
type tracing struct {
	traceTarget
	TraceShare share `help:"The share of the requests that is traced, 0 to 1." default:"0.1"`
}

// endpoint is the base of a collector's URLs.
type endpoint string

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *endpoint) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return configError("want a URL such as http://collector:4318") // it may hold a password
	}
	*e = endpoint(text)
	return nil
}

// share is a part of all, 0 to 1.
type share float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *share) UnmarshalText(text []byte) error {
	part, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(part >= 0 && part <= 1) {
		return configError("%q: want a number from 0 to 1", text)
	}
	*s = share(part)
	return nil
}

// String is what UnmarshalText reads.
func (s share) String() string { return strconv.FormatFloat(float64(s), 'f', -1, 64) }

const (
	traceSendTimeout = 5 * time.Second // for one attempt, and for what is left when the program ends
	traceComplaints  = time.Minute     // between two log lines about traces that can't be sent
)

// start returns the provider of tracers, nil if nothing is traced; stop sends the spans that are left. What belongs to a trace that
// somebody else began is traced if that is; of the rest, the share part is.
func (t traceTarget) start(ctx context.Context, log *slog.Logger, part share) (_ trace.TracerProvider, stop func(), err error) {
	if t.OTLPEndpoint == "" {
		return nil, func() {}, nil
	}
	at, err := url.JoinPath(string(t.OTLPEndpoint), "v1/traces")
	if err != nil {
		return nil, nil, configError("--otlp-endpoint: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at), otlptracehttp.WithTimeout(traceSendTimeout))
	if err != nil {
		return nil, nil, fmt.Errorf("setting up traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(semconv.ServiceName("marquee"), semconv.ServiceVersion(version)), resource.WithFromEnv())
	if err != nil {
		return nil, nil, configError("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	// The library's only way to say that spans are lost.
	complaints := rate.Sometimes{First: 1, Interval: traceComplaints}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		complaints.Do(func() { log.Warn("traces can't be sent", "error", err) })
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(part)))))
	return provider, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceSendTimeout)
		defer cancel()
		if err := provider.Shutdown(bounded); err != nil {
			log.Warn("traces can't be sent", "error", err)
		}
	}, nil
}

// start is traceTarget.start with the share of requests that is traced.
func (t tracing) start(ctx context.Context, log *slog.Logger) (_ trace.TracerProvider, stop func(), err error) {
	return t.traceTarget.start(ctx, log, t.TraceShare)
}

// statementSpans make a span of each statement, with its text but without its parameters; none if nothing is traced.
func statementSpans(provider trace.TracerProvider) []pgx.QueryTracer {
	if provider == nil {
		return nil
	}
	return []pgx.QueryTracer{otelpgx.NewTracer(otelpgx.WithTracerProvider(provider), otelpgx.WithMeterProvider(metricnoop.NewMeterProvider()))}
}
