package fetch_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/fetch"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestPackedBody(t *testing.T) {
	t.Parallel()
	want := bytes.Repeat([]byte(feed), 100)
	half := len(want) / 2
	for name, c := range map[string]struct {
		sent     []byte
		encoding string
	}{
		"plain":                {want, ""},
		"identity":             {want, "identity"},
		"gzip":                 {gzipped(t, want), "gzip"},
		"x-gzip":               {gzipped(t, want), "X-GZIP"},
		"zstd":                 {zstandard(t, want), "zstd"},
		"gzip by magic":        {gzipped(t, want), ""},
		"zstd by magic":        {zstandard(t, want), ""},
		"gzip of two members":  {append(gzipped(t, want[:half]), gzipped(t, want[half:])...), "gzip"},
		"zstd of two frames":   {append(zstandard(t, want[:half]), zstandard(t, want[half:])...), "zstd"},
		"gzip beside identity": {gzipped(t, want), "identity, gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := []string{}
			if c.encoding != "" {
				header = []string{"Content-Encoding", c.encoding}
			}
			snap := mustGet(t, once(), fetch.Request{URL: serve(t, body(c.sent, header...))})
			if !bytes.Equal(read(t, snap), want) {
				t.Error("unpacked bytes differ")
			}
			if snap.WireSize != int64(len(c.sent)) || snap.Size != int64(len(want)) {
				t.Errorf("sizes are %d, %d; want %d, %d", snap.WireSize, snap.Size, len(c.sent), len(want))
			}
		})
	}
}

func TestOneLayerOnly(t *testing.T) {
	t.Parallel()
	inner := gzipped(t, []byte(feed))
	snap := mustGet(t, once(), fetch.Request{URL: serve(t, body(gzipped(t, inner), "Content-Encoding", "gzip"))})
	if !bytes.Equal(read(t, snap), inner) {
		t.Error("a second layer was unpacked")
	}
}

func TestBadBody(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><html><body>Down for maintenance</body></html>"
	text := bytes.Repeat([]byte(feed), 50)
	packed, frames := gzipped(t, text), zstandard(t, text)
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 0xff // the checksum
	bomb := bytes.Repeat([]byte{'<'}, 8<<20)
	for name, c := range map[string]struct {
		handler   http.HandlerFunc
		code      fetch.Code
		temporary bool
	}{
		"empty":                {body(nil), fetch.CodeEmpty, true},
		"empty gzip header":    {body(nil, "Content-Encoding", "gzip"), fetch.CodeEmpty, true},
		"gzip of nothing":      {body(gzipped(t, nil), "Content-Encoding", "gzip"), fetch.CodeEmpty, true},
		"blank":                {body([]byte("\xef\xbb\xbf \r\n\t\n")), fetch.CodeEmpty, true},
		"page":                 {body([]byte(page), "Content-Type", "text/html"), fetch.CodeHTML, true},
		"page called xml":      {body([]byte(page), "Content-Type", "application/xml"), fetch.CodeHTML, true},
		"packed page":          {body(gzipped(t, []byte(page)), "Content-Encoding", "gzip"), fetch.CodeHTML, true},
		"page without end":     {endless(page), fetch.CodeHTML, true},
		"feed without end":     {endless(feed), fetch.CodeTooLarge, false},
		"announced too large":  {body(nil, "Content-Length", itoa(1<<40)), fetch.CodeTooLarge, false},
		"gzip bomb":            {body(gzipped(t, bomb), "Content-Encoding", "gzip"), fetch.CodeRatio, false},
		"zstd bomb":            {body(zstandard(t, bomb), "Content-Encoding", "zstd"), fetch.CodeRatio, false},
		"gzip bomb undeclared": {body(gzipped(t, bomb)), fetch.CodeRatio, false},
		"short of its length":  {body([]byte(feed), "Content-Length", itoa(len(feed)+1)), fetch.CodeTruncated, true},
		"broken chunks":        {hangUp(feed), fetch.CodeTruncated, true},
		"broken gzip chunks":   {hangUp(string(packed)), fetch.CodeTruncated, true},
		"truncated gzip":       {body(packed[:len(packed)/2], "Content-Encoding", "gzip"), fetch.CodeTruncated, true},
		"truncated zstd":       {body(frames[:len(frames)/2], "Content-Encoding", "zstd"), fetch.CodeTruncated, true},
		"one byte of gzip":     {body(packed[:1], "Content-Encoding", "gzip"), fetch.CodeTruncated, true},
		"one byte of zstd":     {body(frames[:1], "Content-Encoding", "zstd"), fetch.CodeTruncated, true},
		"wrong checksum":       {body(flipped, "Content-Encoding", "gzip"), fetch.CodeCorrupt, true},
		"gzip and more":        {body(append(bytes.Clone(packed), "and more than a header"...), "Content-Encoding", "gzip"), fetch.CodeCorrupt, true},
		"plain called gzip":    {body(text, "Content-Encoding", "gzip"), fetch.CodeCorrupt, true},
		"plain called zstd":    {body(text, "Content-Encoding", "zstd"), fetch.CodeCorrupt, true},
		"brotli":               {body(text, "Content-Encoding", "br"), fetch.CodeEncoding, false},
		"two layers":           {body(packed, "Content-Encoding", "gzip, gzip"), fetch.CodeEncoding, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := once()
			limits.WireBytes, limits.Bytes = 16<<20, 16<<20
			_, err := get(t, limits, fetch.Request{URL: serve(t, c.handler)})
			if e := wantCode(t, err, c.code, c.temporary); e.Status != 200 {
				t.Errorf("status is %d", e.Status)
			}
		})
	}
}

// Wherever a packed feed is cut off, it is an error.
func TestEveryCut(t *testing.T) {
	t.Parallel()
	client := fetch.New(fetch.Options{})
	text := noise(600)
	for name, packed := range map[string][]byte{"gzip": gzipped(t, text), "zstd": zstandard(t, text)} {
		for cut := 4; cut < len(packed); cut++ { // fewer bytes don't show that it is packed
			if _, err := client.FromReader(name, bytes.NewReader(packed[:cut])); err == nil {
				t.Fatalf("%s cut at %d of %d is taken", name, cut, len(packed))
			}
		}
	}
}

func TestUnpackedLimit(t *testing.T) {
	t.Parallel()
	text := noise(100_000)
	limits := once()
	limits.Bytes = int64(len(text))
	url := serve(t, body(gzipped(t, text), "Content-Encoding", "gzip"))
	mustGet(t, limits, fetch.Request{URL: url})
	limits.Bytes--
	_, err := get(t, limits, fetch.Request{URL: url})
	wantCode(t, err, fetch.CodeTooLarge, false)
}

func TestWireLimit(t *testing.T) {
	t.Parallel()
	packed := gzipped(t, noise(100_000)) // served in chunks: no length to go by
	limits := once()
	limits.WireBytes = int64(len(packed))
	url := serve(t, body(packed))
	mustGet(t, limits, fetch.Request{URL: url})
	limits.WireBytes--
	_, err := get(t, limits, fetch.Request{URL: url})
	wantCode(t, err, fetch.CodeTooLarge, false)
}

func TestIsHTML(t *testing.T) {
	t.Parallel()
	comment := "<!-- " + strings.Repeat("licence ", 100) + "-->"
	for _, c := range []struct {
		contentType, head string
		want              bool
	}{
		{"text/html", "<!DOCTYPE HTML PUBLIC>", true},
		{"", "<html lang=en>", true},
		{"", "\xef\xbb\xbf\n <HTML>", true},
		{"", comment + "<html>", true},
		{"application/xhtml+xml", `<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C">`, true},
		{"text/html; charset=utf-8", "<h1>503 Service Unavailable</h1>", true},
		{"text/html", "<p>Wartung</p>", true},
		{"application/xml", "<p>Wartung</p>", false},
		{"text/html", "BEGIN:VCALENDAR\r\n", false},
		{"text/html", "\xef\xbb\xbfBEGIN:VCALENDAR\r\n", false},
		{"text/html", `<?xml version="1.0"?><planList>`, false},
		{"text/html", `<?xml version="1.0"?><table>`, false},
		{"text/html", "<planList>", false},
		{"text/html", comment + "<planList>", false},
		{"text/html", `{"events":[]}`, false},
		{"text/html", `[]`, false},
		{"text/html", "id,title,start\n", false},
		{"text/html", "", false},
		{"text/xml", "<!-- never closed", false},
		{"text/xml", "<heading>", false},
	} {
		if got := fetch.IsHTML(c.contentType, []byte(c.head)); got != c.want {
			t.Errorf("%q with %.40q: %t, want %t", c.contentType, c.head, got, c.want)
		}
	}
}

// endless serves text, then white space for ever.
func endless(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, text)
		for blank := strings.Repeat(" ", 64<<10); err == nil; {
			_, err = io.WriteString(w, blank)
		}
	}
}

// hangUp sends half of text in chunks, then closes the connection.
func hangUp(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		half := text[:len(text)/2]
		fmt.Fprintf(rw, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(half), half)
		_ = rw.Flush()
		_ = conn.SetDeadline(time.Now())
	}
}
