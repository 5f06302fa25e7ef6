package ratelimit_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
)

func from(t *testing.T, remote string, forwarded ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.RemoteAddr = remote
	for _, f := range forwarded {
		r.Header.Add("X-Forwarded-For", f)
	}
	return r
}

// TestTake empties a bucket and waits for it to fill.
func TestTake(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_900_000_000, 0)
	l := ratelimit.New(ratelimit.Options{Budget: ratelimit.Budget{Rate: 10, Burst: 100}, Clock: func() time.Time { return now }})
	r := from(t, "192.0.2.1:1234")
	for _, step := range []struct {
		after  time.Duration
		points int
		ok     bool
		limit  string
		retry  string
	}{
		{0, 60, true, `"points";r=40;t=6`, ""},
		{0, 60, false, `"points";r=40;t=6`, "2"},
		{time.Second, 60, false, `"points";r=50;t=5`, "1"},
		{time.Second, 60, true, `"points";r=0;t=10`, ""},
		{0, 1, false, `"points";r=0;t=10`, "1"},
		{time.Hour, 100, true, `"points";r=0;t=10`, ""},
		{time.Hour, 101, false, `"points";r=100;t=0`, "1"}, // never
	} {
		now = now.Add(step.after)
		h := http.Header{}
		if ok := l.Take(h, r, step.points); ok != step.ok || h.Get("RateLimit") != step.limit || h.Get("Retry-After") != step.retry || h.Get("RateLimit-Policy") != `"points";q=100;w=10` {
			t.Errorf("%+v: %v, %v", step, ok, h)
		}
	}
	if !l.Take(http.Header{}, from(t, "192.0.2.2:1"), 100) {
		t.Error("another client has a bucket of its own")
	}
	if none := ratelimit.New(ratelimit.Options{}); !none.Take(http.Header{}, r, 1<<30) {
		t.Error("without a limit everything passes")
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Options{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}})
	for _, tc := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:80", nil, "192.0.2.1"},
		{"192.0.2.1:80", []string{"198.51.100.7"}, "192.0.2.1"}, // no proxy of ours: anybody may say so
		{"10.0.0.1:80", nil, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:80", []string{"203.0.113.9, 198.51.100.7", "10.0.0.2"}, "198.51.100.7"}, // what was before it, the client said
		{"10.0.0.1:80", []string{"203.0.113.9, nonsense, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:80", []string{"10.0.0.3"}, "10.0.0.3"},
		{"[::ffff:192.0.2.1]:80", nil, "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:80", nil, "2001:db8:1:2::"},
		{"[fd00::1]:80", []string{"2001:db8:1:2:ffff::1"}, "2001:db8:1:2::"},
		{"@", nil, "invalid IP"},
	} {
		if got, ok := l.Client(from(t, tc.remote, tc.forwarded...)); !ok || got.String() != tc.want {
			t.Errorf("%+v: got %s", tc, got)
		}
	}
}

// TestKeys: a client with a key has a bucket of its own, from wherever it asks.
func TestKeys(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Options{
		Budget: ratelimit.Budget{Rate: 1, Burst: 100}, Clock: func() time.Time { return time.Unix(0, 0) },
		Keys: map[ratelimit.KeyHash]ratelimit.Key{
			sha256.Sum256([]byte("s3cret")): {Name: "website", Budget: ratelimit.Budget{Rate: 1, Burst: 500}},
			sha256.Sum256([]byte("other")):  {Name: "app"},
		},
	})
	with := func(key, remote string) *http.Request {
		r := from(t, remote)
		r.Header.Set(ratelimit.KeyHeader, key)
		return r
	}
	for _, step := range []struct {
		r  *http.Request
		of string
		ok bool
	}{
		{with("s3cret", "192.0.2.1:80"), "key website", true},
		{with("s3cret", "192.0.2.2:80"), "key website", true},
		{with("other", "192.0.2.1:80"), "key app", true},
		{with("wrong", "192.0.2.1:80"), "192.0.2.1", false},
		{with("", "192.0.2.1:80"), "192.0.2.1", false},
		{from(t, "192.0.2.1:80"), "192.0.2.1", true},
	} {
		if client, ok := l.Client(step.r); client.String() != step.of || ok != step.ok {
			t.Errorf("%v: %s, %t", step.r.Header, client, ok)
		}
	}
	var taken []bool
	for _, r := range []*http.Request{with("s3cret", "192.0.2.1:80"), with("s3cret", "192.0.2.2:80"), with("s3cret", "192.0.2.3:80"), with("other", "192.0.2.1:80"), from(t, "192.0.2.1:80")} {
		points := 250
		if r.Header.Get(ratelimit.KeyHeader) != "s3cret" {
			points = 100
		}
		taken = append(taken, l.Take(http.Header{}, r, points))
	}
	if want := []bool{true, true, false, true, true}; !slices.Equal(taken, want) {
		t.Errorf("%v, want %v", taken, want)
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Options{Budget: ratelimit.Budget{Rate: 1, Burst: 100}, Clock: func() time.Time { return time.Unix(0, 0) }})
	h := l.Handler(50, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }),
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	var statuses []int
	for range 4 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from(t, "192.0.2.1:80"))
		statuses = append(statuses, w.Code)
	}
	if fmt.Sprint(statuses) != "[200 200 429 429]" {
		t.Error(statuses)
	}
}
