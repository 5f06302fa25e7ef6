package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span of each request for data. If a trusted proxy sends a trace, the span belongs to it. A trace that any other
// client sends is only linked to, or strangers would decide what is traced.
func traced(provider trace.TracerProvider, proxies []netip.Prefix, next http.Handler) http.Handler {
	if provider == nil {
		return next
	}
	return otelhttp.NewHandler(next, "request",
		otelhttp.WithTracerProvider(provider),
		otelhttp.WithMeterProvider(noop.NewMeterProvider()), // see metrics.go
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithPublicEndpointFn(func(r *http.Request) bool { return !isProxied(proxies, r) }),
		otelhttp.WithFilter(func(r *http.Request) bool {
			return r.URL.Path == graphQLPath || strings.HasPrefix(r.URL.Path, "/search") || strings.HasPrefix(r.URL.Path, exportPath)
		}),
	)
}

// isProxied says whether a request was sent by one of these proxies.
func isProxied(proxies []netip.Prefix, r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}
