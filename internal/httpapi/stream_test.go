package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi"
)

// many events are far more than what is held of an answer.
const many = 20_000

func crowd(t *testing.T, after func(ctx context.Context, n int) error) *fake {
	t.Helper()
	one := show(t, "")
	return &fake{search: func(ctx context.Context, _ catalog.Window, yield func(catalog.Listing) error) error {
		for n := range many {
			one.Title = fmt.Sprintf("Show %d", n)
			if err := yield(one); err != nil {
				return err
			}
			if err := after(ctx, n); err != nil {
				return err
			}
		}
		return nil
	}}
}

// answer is a response whose body is closed when the test ends.
type answer struct {
	status int
	header http.Header
	body   io.ReadCloser
}

func ask(t *testing.T, address, encoding string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", encoding)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return answer{response.StatusCode, response.Header, response.Body}
}

// TestSearchStreams has a catalog that does not go on before the client has the first part: an answer
// that is held until it is complete would never come.
func TestSearchStreams(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"identity", "gzip"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			read := make(chan struct{})
			server := start(t, httpapi.New(options(crowd(t, func(ctx context.Context, n int) error {
				if n != many/2 {
					return nil
				}
				select {
				case <-read:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}))))
			response := ask(t, server.URL+"/search", encoding)
			body := io.Reader(response.body)
			if encoding == "gzip" {
				if response.header.Get("Content-Encoding") != "gzip" || response.header.Get("Vary") != "Accept-Encoding" {
					t.Fatalf("header %v", response.header)
				}
				zipped, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = zipped
			}
			var all bytes.Buffer
			if _, err := io.CopyN(&all, body, 64); err != nil {
				t.Fatal(err)
			}
			close(read)
			if _, err := all.ReadFrom(body); err != nil {
				t.Fatal(err)
			}
			var result struct {
				Data struct{ Events []struct{ Title string } }
			}
			if err := json.Unmarshal(all.Bytes(), &result); err != nil {
				t.Fatal(err)
			}
			if n := len(result.Data.Events); n != many || result.Data.Events[many-1].Title != fmt.Sprintf("Show %d", many-1) {
				t.Errorf("%d events", n)
			}
		})
	}
}

// TestSearchFailsLate: no client may take half an answer for a whole one.
func TestSearchFailsLate(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"identity", "gzip"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			var log journal
			o := options(crowd(t, func(_ context.Context, n int) error {
				if n == many/2 {
					return errDatabase
				}
				return nil
			}))
			o.Log = log.logger(slog.LevelInfo)
			server := start(t, httpapi.New(o), func(s *http.Server) { s.ErrorLog = slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn) })
			response := ask(t, server.URL+"/search", encoding)
			body, err := io.ReadAll(response.body)
			if response.status != http.StatusOK || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("status %d, %d bytes, error %v, want an unexpected EOF", response.status, len(body), err)
			}
			if bytes.Contains(body, []byte("relation")) {
				t.Error("the answer has database text")
			}
			server.Close()
			if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "relation") {
				t.Errorf("log %q, want one line", text)
			}
		})
	}
}

func TestSearchEndsWithItsClient(t *testing.T) {
	t.Parallel()
	var log journal
	ended := make(chan error, 1)
	catalogue := crowd(t, func(context.Context, int) error { return nil })
	search := catalogue.search
	catalogue.search = func(ctx context.Context, w catalog.Window, yield func(catalog.Listing) error) (err error) {
		defer func() { ended <- err }()
		for err == nil { // endless
			err = search(ctx, w, yield)
		}
		return err
	}
	o := options(catalogue)
	o.Log = log.logger(slog.LevelInfo)
	server := start(t, httpapi.New(o))
	response := ask(t, server.URL+"/search", "identity")
	if _, err := io.CopyN(io.Discard, response.body, 1<<20); err != nil {
		t.Fatal(err)
	}
	response.body.Close()
	if err := <-ended; err == nil {
		t.Error("the search ended of itself")
	}
	server.Close()
	if log.String() != "" {
		t.Errorf("a client that leaves is no failure of ours: %s", log.String())
	}
}

// TestSearchGivesUpOnAClientThatDoesNotRead, so that it keeps no connection to the database.
func TestSearchGivesUpOnAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	endless := show(t, strings.Repeat("long ", 1000))
	o := options(&fake{search: func(_ context.Context, _ catalog.Window, yield func(catalog.Listing) error) error {
		for {
			if err := yield(endless); err != nil {
				ended <- err
				return err
			}
		}
	}})
	o.Timeouts.Write = 50 * time.Millisecond
	server := start(t, httpapi.New(o))
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "GET /search HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if err := <-ended; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("ended by %v, want a timeout", err)
	}
}

// TestSearchOutlivesTheServersTimeouts, which are for short answers; so does its failure.
func TestSearchOutlivesTheServersTimeouts(t *testing.T) {
	t.Parallel()
	const short = 100 * time.Millisecond
	for want, failure := range map[string]error{`"title":"late"`: nil, `"code":"INTERNAL"`: errDatabase} {
		server := start(t, httpapi.New(options(&fake{search: func(ctx context.Context, _ catalog.Window, yield func(catalog.Listing) error) error {
			select {
			case <-time.After(3 * short):
				return errors.Join(failure, yield(show(t, "late")))
			case <-ctx.Done():
				return ctx.Err()
			}
		}})), func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = short, short })
		response := ask(t, server.URL+"/search", "identity")
		if body, err := io.ReadAll(response.body); err != nil || !bytes.Contains(body, []byte(want)) {
			t.Errorf("%v: %s", err, body)
		}
	}
}
