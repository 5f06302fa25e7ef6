package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zeebo/xxh3"

	"github.com/aledotdev/marquee/internal/fetch"
)

func TestGet(t *testing.T) {
	t.Parallel()
	seen := make(chan http.Header, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Wed, 30 Jun 2021 10:00:00 GMT")
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, feed)
	})
	snap := mustGet(t, once(), fetch.Request{URL: url, Header: http.Header{"X-Api-Key": {"k"}, "Range": {"bytes=1-"}}})
	header := <-seen
	for name, want := range map[string]string{
		"X-Api-Key": "k", "Accept-Encoding": "zstd, gzip", "Range": "", "If-None-Match": "", "If-Modified-Since": "", "Referer": "",
		"User-Agent": "marquee (+https://github.com/aledotdev/marquee)",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s sent is %q, want %q", name, got, want)
		}
	}
	if got := string(read(t, snap)); got != feed {
		t.Errorf("body is %q", got)
	}
	type facts struct {
		NotModified              bool
		Status, Attempts         int
		ETag, LastModified, Type string
		WireSize, Size           int64
		Hash                     [16]byte
		NextCheck                time.Duration
	}
	size := int64(len(feed))
	want := facts{false, 200, 1, `"v1"`, "Wed, 30 Jun 2021 10:00:00 GMT", "text/xml", size, size, xxh3.HashString128(feed).Bytes(), 10 * time.Minute}
	got := facts{snap.NotModified, snap.Status, snap.Attempts, snap.ETag, snap.LastModified, snap.ContentType, snap.WireSize, snap.Size, snap.Hash, snap.NextCheck}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGetNotModified(t *testing.T) {
	t.Parallel()
	const date = "Wed, 30 Jun 2021 10:00:00 GMT"
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "90")
		if r.Header.Get("If-None-Match") == `W/"v1"` && r.Header.Get("If-Modified-Since") == date || r.URL.Path == "/always" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, feed)
	})
	snap := mustGet(t, once(), fetch.Request{URL: url, ETag: `W/"v1"`, LastModified: date})
	if !snap.NotModified || snap.Status != 304 || snap.ETag != `W/"v1"` || snap.LastModified != date || snap.NextCheck != 90*time.Second {
		t.Errorf("snapshot is %+v", snap)
	}
	if _, err := snap.Open(); !errors.Is(err, fetch.ErrNoBody) {
		t.Errorf("Open: %v", err)
	}
	if mustGet(t, once(), fetch.Request{URL: url, ETag: `"v0"`}).NotModified {
		t.Error("a changed feed is not modified")
	}
	_, err := get(t, once(), fetch.Request{URL: url + "/always"})
	wantCode(t, err, fetch.CodeStatus, false)
}

// A stored validator that cannot be sent makes the request unconditional; it
// must neither fail nor split the header.
func TestGetBadValidator(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["If-None-Match"])+len(r.Header["X-Evil"]) > 0 {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, feed)
	})
	mustGet(t, once(), fetch.Request{URL: url, ETag: "\"a\"\r\nX-Evil: 1"})
}

func TestGetBasicAuth(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "joan" || password != "p@ss" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, feed)
	})
	mustGet(t, once(), fetch.Request{URL: "http://joan:p%40ss@" + url[len("http://"):]})
}

func TestSpool(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"memory": 1000, "at the limit": 1024, "file": 200_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := noise(size)
			dir := t.TempDir()
			client := fetch.New(fetch.Options{Limits: fetch.Limits{MemoryBytes: 1024}, SpoolDir: dir})
			snap, err := client.Get(t.Context(), fetch.Request{URL: serve(t, body(want)), AllowPrivate: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			first, second := read(t, snap), read(t, snap)
			if !bytes.Equal(first, want) || !bytes.Equal(second, want) {
				t.Error("spooled bytes differ from those sent")
			}
			if snap.Hash != xxh3.Hash128(want).Bytes() || snap.Size != int64(size) {
				t.Errorf("hash or size (%d) is wrong", snap.Size)
			}
			r, err := snap.Open()
			if err != nil {
				t.Fatal(err)
			}
			part := make([]byte, 10)
			if _, err := r.ReadAt(part, int64(size-10)); err != nil || !bytes.Equal(part, want[size-10:]) {
				t.Errorf("ReadAt: %q, %v", part, err)
			}
			if err := errors.Join(snap.Close(), snap.Close()); err != nil {
				t.Error(err)
			}
			if _, err := snap.Open(); !errors.Is(err, fetch.ErrNoBody) {
				t.Errorf("Open after Close: %v", err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left in the spool: %v, %v", left, err)
			}
		})
	}
}

func TestSpoolFails(t *testing.T) {
	t.Parallel()
	client := fetch.New(fetch.Options{Limits: fetch.Limits{MemoryBytes: 10}, SpoolDir: filepath.Join(t.TempDir(), "absent")})
	_, err := client.Get(t.Context(), fetch.Request{URL: serve(t, body([]byte(feed))), AllowPrivate: true}, nil)
	if e := wantCode(t, err, fetch.CodeSpool, true); e.Attempts != 1 {
		t.Errorf("%d attempts, want 1: a disk does not mend in seconds", e.Attempts)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	packed := gzipped(t, noise(300_000))
	client := fetch.New(fetch.Options{Limits: once(), SpoolDir: t.TempDir()})
	var calls []fetch.Progress
	snap, err := client.Get(t.Context(), fetch.Request{
		URL: serve(t, body(packed, "Content-Encoding", "gzip", "Content-Length", itoa(len(packed)))), AllowPrivate: true,
	}, func(p fetch.Progress) { calls = append(calls, p) })
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	total := int64(len(packed))
	if first := calls[0]; first != (fetch.Progress{Attempt: 1, Total: total}) {
		t.Errorf("first call: %+v", first)
	}
	if last := calls[len(calls)-1]; last != (fetch.Progress{Attempt: 1, Wire: total, Size: 300_000, Total: total}) {
		t.Errorf("last call: %+v", last)
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := fetch.New(fetch.Options{}).Get(ctx, fetch.Request{URL: url, AllowPrivate: true}, nil)
	wantCode(t, err, fetch.CodeCanceled, true)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
}

func TestBadRequest(t *testing.T) {
	t.Parallel()
	for url, header := range map[string]http.Header{
		"":                         nil,
		"example.com/feed":         nil,
		"//example.com/feed":       nil,
		"http://":                  nil,
		"http:///feed":             nil,
		"http:example.com":         nil,
		"ftp://example.com/feed":   nil,
		"file:///etc/passwd":       nil,
		"webcal://example.com/ics": nil,
		"http://exa mple.com/":     nil,
		"http://u:p#a@h/":          nil,
		"http://example.com/1":     {"X-Key": {"a\r\nb"}},
		"http://example.com/2":     {"X Key": {"a"}},
	} {
		_, err := get(t, once(), fetch.Request{URL: url, Header: header})
		wantCode(t, err, fetch.CodeRequest, false)
	}
}

func TestLocal(t *testing.T) {
	t.Parallel()
	client := fetch.New(fetch.Options{SpoolDir: t.TempDir()})
	path := filepath.Join(t.TempDir(), "feed.xml.gz")
	if err := os.WriteFile(path, gzipped(t, []byte(feed)), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile, err := client.FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer fromFile.Close()
	fromBytes, err := fetch.FromBytes([]byte(feed))
	if err != nil {
		t.Fatal(err)
	}
	defer fromBytes.Close()
	if string(read(t, fromFile)) != feed || string(read(t, fromBytes)) != feed || fromFile.Hash != fromBytes.Hash {
		t.Error("the same feed, packed in a file and in memory, gives two snapshots")
	}
	if _, err := client.FromFile(path + ".absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	_, err = fetch.FromBytes(nil)
	wantCode(t, err, fetch.CodeEmpty, true)
	_, err = fetch.FromBytes([]byte("<!doctype html><title>x</title>"))
	wantCode(t, err, fetch.CodeHTML, true)
}
