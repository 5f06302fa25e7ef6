package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aledotdev/marquee/test/harness"
)

// BenchmarkSubscribers holds 5,000 idle subscribers, by WebSocket, and tells what the server takes of memory for them.
func BenchmarkSubscribers(b *testing.B) {
	const subscribers = 5_000
	app := harness.Start(b, time.Date(2029, 6, 1, 0, 0, 0, 0, time.UTC))
	go app.Catalog.Watch(b.Context(), slog.New(slog.DiscardHandler))
	before := inUse()
	var dials errgroup.Group
	dials.SetLimit(50)
	conns := make([]net.Conn, subscribers)
	for i := range conns {
		dials.Go(func() (err error) {
			conns[i], err = subscribed(b.Context(), strings.TrimPrefix(app.API.URL, "http://"))
			return err
		})
	}
	if err := dials.Wait(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(inUse()-before)/1e6, "MB")
	b.ReportMetric(float64(inUse()-before)/subscribers/1e3, "kB/subscriber")
	for _, conn := range conns {
		_ = conn.Close()
	}
}

func inUse() uint64 {
	for range 5 { // each may halve a stack that has become too large
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// subscribed is a client that takes next to no memory: a connection on which somebody said what a client says.
func subscribed(ctx context.Context, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	said := []byte("GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n")
	for _, message := range []string{
		`{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":{"query":"subscription { changes { cursor kind } }"}}`, `{"type":"ping"}`,
	} {
		// One text frame, masked by nothing (RFC 6455, 5.2).
		said = append(append(said, 0x81, 0x80|byte(len(message)), 0, 0, 0, 0), message...)
	}
	if _, err := conn.Write(said); err != nil {
		return nil, err
	}
	var heard []byte
	for !bytes.Contains(heard, []byte("pong")) { // it comes after the subscription has begun
		more := make([]byte, 512)
		n, err := conn.Read(more)
		if err != nil {
			return nil, fmt.Errorf("%w after %q", err, heard)
		}
		heard = append(heard, more[:n]...)
	}
	return conn, nil
}
