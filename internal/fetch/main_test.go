package fetch_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/aledotdev/marquee/internal/fetch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const feed = `<?xml version="1.0"?><planList><plan id="1"/></planList>`

// quick are limits under which retries take almost no time.
func quick() fetch.Limits {
	return fetch.Limits{Backoff: time.Microsecond, Time: 20 * time.Second}
}

func once() fetch.Limits { return fetch.Limits{Attempts: 1, Time: 20 * time.Second} }

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// body serves b, with the headers given as name, value, name, value.
func body(b []byte, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = w.Write(b)
	}
}

func get(t *testing.T, limits fetch.Limits, req fetch.Request) (*fetch.Snapshot, error) {
	t.Helper()
	req.AllowPrivate = true
	snap, err := fetch.New(fetch.Options{Limits: limits, SpoolDir: t.TempDir()}).Get(t.Context(), req, nil)
	if snap != nil {
		t.Cleanup(func() {
			if err := snap.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return snap, err
}

func mustGet(t *testing.T, limits fetch.Limits, req fetch.Request) *fetch.Snapshot {
	t.Helper()
	snap, err := get(t, limits, req)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// wantCode checks the error's code, and returns the error for further checks.
func wantCode(t *testing.T, err error, code fetch.Code, temporary bool) *fetch.Error {
	t.Helper()
	e, ok := errors.AsType[*fetch.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("error is %v, want code %q", err, code)
	}
	if e.Temporary() != temporary || errors.Is(err, fetch.ErrTemporary) != temporary {
		t.Fatalf("%v: temporary is %t, want %t", err, e.Temporary(), temporary)
	}
	return e
}

func read(t *testing.T, snap *fetch.Snapshot) []byte {
	t.Helper()
	r, err := snap.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

// noise is n bytes of lower-case letters that don't pack well.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(r.IntN(26))
	}
	return b
}
