package simulator_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/simulator"
)

// faultAt finds the first request that fails in that way.
func faultAt(t *testing.T, f simulator.Faults, fault simulator.Fault) uint64 {
	t.Helper()
	for n := range uint64(1000) {
		if f.Of(0, n) == fault {
			return n
		}
	}
	t.Fatalf("fault %d never comes", fault)
	return 0
}

// Each fault over a real connection; the request before it and the one after it are good, and the world has only moved
// by the good ones.
func TestFaults(t *testing.T) {
	t.Parallel()
	faults := simulator.Faults{Hang: 20 * time.Millisecond, Drip: 10 << 20}
	for _, tc := range []struct {
		name  string
		fault simulator.Fault
		check func(t *testing.T, got reply, right []byte)
	}{
		{"server error", simulator.FaultServerError, func(t *testing.T, got reply, _ []byte) {
			t.Helper()
			if got.status != http.StatusInternalServerError {
				t.Errorf("%d, want 500", got.status)
			}
		}},
		{"hang", simulator.FaultHang, func(t *testing.T, got reply, _ []byte) {
			t.Helper()
			if got.err == nil || got.status != 0 {
				t.Errorf("%d, %v; want a broken connection", got.status, got.err)
			}
		}},
		{"half a body", simulator.FaultHalfBody, func(t *testing.T, got reply, right []byte) {
			t.Helper()
			if !errors.Is(got.err, io.ErrUnexpectedEOF) || !bytes.Equal(got.body, right[:len(right)/2]) {
				t.Errorf("%d bytes of %d, %v; want half and an unexpected EOF", len(got.body), len(right), got.err)
			}
		}},
		{"HTML", simulator.FaultHTML, func(t *testing.T, got reply, _ []byte) {
			t.Helper()
			if got.status != http.StatusOK || !bytes.HasPrefix(got.body, []byte("<!DOCTYPE html>")) {
				t.Errorf("%d %s; want a page", got.status, got.body)
			}
		}},
		{"empty", simulator.FaultEmpty, func(t *testing.T, got reply, _ []byte) {
			t.Helper()
			if got.status != http.StatusOK || got.err != nil || len(got.body) > 0 {
				t.Errorf("%d, %d bytes, %v; want nothing", got.status, len(got.body), got.err)
			}
		}},
		{"unavailable", simulator.FaultUnavailable, func(t *testing.T, got reply, _ []byte) {
			t.Helper()
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "5" {
				t.Errorf("%d, %v; want 503 with Retry-After", got.status, got.header)
			}
		}},
		{"drip", simulator.FaultDrip, func(t *testing.T, got reply, right []byte) {
			t.Helper()
			if got.err != nil || !bytes.Equal(got.body, right) {
				t.Errorf("%d bytes, %v; want the right answer", len(got.body), got.err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, simulator.New(simulator.Options{Clock: fixed().Now, Faults: &faults}))
			reference := simulator.New(simulator.Options{Clock: fixed().Now})
			want := func(path string) []byte {
				recorder := httptest.NewRecorder()
				reference.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, http.NoBody))
				return recorder.Body.Bytes()
			}
			last := faultAt(t, faults, tc.fault)
			for n := range last + 2 {
				fault := faults.Of(0, n)
				right := want("/api/events?peek=1")
				got := get(t, server, http.MethodGet, "/api/events")
				if n == last {
					tc.check(t, got, right)
				}
				if fault == simulator.FaultNone {
					if !bytes.Equal(got.body, want("/api/events")) {
						t.Fatalf("request %d of %d: not the right answer", n, last)
					}
				}
			}
		})
	}
}

func TestFaultsTakeTurns(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		faults := simulator.Faults{}
		count := map[simulator.Fault]int{}
		before := simulator.FaultHang // something bad
		for n := range uint64(210) {
			fault := faults.Of(seed, n)
			if fault != faults.Of(seed, n) {
				t.Fatal("not deterministic")
			}
			if n == 0 && fault != simulator.FaultNone {
				t.Errorf("seed %d: the first answer is bad", seed)
			}
			if n > 0 && fault != simulator.FaultNone && before != simulator.FaultNone {
				t.Errorf("seed %d: requests %d and %d both fail", seed, n-1, n)
			}
			before = fault
			count[fault]++
		}
		want := map[simulator.Fault]int{
			simulator.FaultNone: 140, simulator.FaultServerError: 10, simulator.FaultHang: 10, simulator.FaultHalfBody: 10,
			simulator.FaultHTML: 10, simulator.FaultEmpty: 10, simulator.FaultUnavailable: 10, simulator.FaultDrip: 10,
		}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Errorf("seed %d: faults (-want +got):\n%s", seed, diff)
		}
	}
}

// A client that gives up ends a hang at once: else the server's Close would wait for two minutes.
func TestHangEndsWithItsClient(t *testing.T) {
	t.Parallel()
	faults := simulator.Faults{OneIn: 2, Drip: 10 << 20}
	server := serve(t, simulator.New(simulator.Options{Clock: fixed().Now, Faults: &faults}))
	hang := faultAt(t, faults, simulator.FaultHang)
	for range hang {
		get(t, server, http.MethodGet, "/api/events")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, want no answer in time", err)
	}
	began := time.Now()
	server.Close()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the handler went on for %s", took)
	}
}

// In a bubble of synthetic time: how long the slow answers take.
func TestSlowAnswersAreBounded(t *testing.T) {
	t.Parallel()
	const script = `
steps:
  - {delay: 3s, body: {inline: hello}}
  - {drip: 2, body: {inline: hello}}
  - {drip: 3, body: {inline: "` + "%s" + `"}}
`
	synctest.Test(t, func(t *testing.T) {
		s, err := simulator.LoadScript(strings.NewReader(strings.Replace(script, "%s", strings.Repeat("x", 5000), 1)), "slow.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		h := s.Handler(simulator.Options{})
		for _, tc := range []struct {
			takes time.Duration
			bytes int
			cut   bool
		}{
			{takes: 3 * time.Second, bytes: 5},
			{takes: 2 * time.Second, bytes: 5}, // no wait after the last byte
			{takes: 10 * time.Minute, bytes: 1801, cut: true},
		} {
			began := time.Now()
			recorder, cut := record(h, httptest.NewRequest(http.MethodGet, "/api/events", http.NoBody))
			if took := time.Since(began); took != tc.takes || cut != tc.cut || recorder.Body.Len() != tc.bytes {
				t.Errorf("took %s for %d bytes, cut %v; want %+v", took, recorder.Body.Len(), cut, tc)
			}
		}
	})
}

func TestHangIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := simulator.Faults{OneIn: 2, Hang: time.Hour} // more than may be
		h := simulator.New(simulator.Options{Faults: &faults})
		for n := range faultAt(t, faults, simulator.FaultHang) + 1 {
			began := time.Now()
			_, cut := record(h, httptest.NewRequest(http.MethodGet, "/api/events", http.NoBody))
			if took := time.Since(began); faults.Of(0, n) == simulator.FaultHang && (!cut || took != 2*time.Minute) {
				t.Errorf("hung %s, cut %v; want 2 minutes and a broken connection", took, cut)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		h = simulator.New(simulator.Options{Faults: &faults})
		for n := range faultAt(t, faults, simulator.FaultHang) + 1 {
			request := httptest.NewRequest(http.MethodGet, "/api/events", http.NoBody)
			if faults.Of(0, n) == simulator.FaultHang {
				began := time.Now()
				_, cut := record(h, request.WithContext(ctx))
				if took := time.Since(began); cut || took > time.Second {
					t.Errorf("hung %s after its client left, cut %v", took, cut)
				}
				continue
			}
			record(h, request)
		}
	})
}

// record serves a request, and says whether the handler broke the connection.
func record(h http.Handler, r *http.Request) (recorder *httptest.ResponseRecorder, cut bool) {
	recorder = httptest.NewRecorder()
	defer func() {
		if reason := recover(); reason != nil {
			if err, ok := reason.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(reason)
			}
			cut = true
		}
	}()
	h.ServeHTTP(recorder, r)
	return recorder, false
}
