package fetch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	acceptEncoding = "zstd, gzip"
	// zstdWindow is the largest window, in bytes, that RFC 9659 lets a server use.
	zstdWindow = 8 << 20
)

var (
	gzipMagic = []byte{0x1f, 0x8b}             //nolint:gochecknoglobals // A constant.
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd} //nolint:gochecknoglobals // A constant.
)

// encodingOf reads Content-Encoding: "gzip", "zstd" or, if there is none, "".
// More than one layer is an error, because each layer multiplies the bytes that
// a small answer can unpack to.
func encodingOf(h http.Header) (string, error) {
	found := ""
	for name := range directives(h.Values("Content-Encoding")) {
		if name == "identity" || name == "" {
			continue
		}
		if found != "" {
			return "", fail(CodeEncoding, "the body is packed more than once (Content-Encoding)")
		}
		switch name {
		case "gzip", "x-gzip":
			found = "gzip"
		case "zstd":
			found = "zstd"
		default:
			return "", fail(CodeEncoding, "the body is packed as %q, though only %s was asked for", clean(name, nil, 20), acceptEncoding)
		}
	}
	return found, nil
}

// unpack removes one layer of packing. Without a declared encoding the first
// bytes decide, because a file such as feed.xml.gz is often served without one.
func unpack(in *bufio.Reader, encoding string) (body io.ReadCloser, packed bool, err error) {
	if encoding == "" {
		magic, _ := in.Peek(len(zstdMagic)) // Read will return the error again
		switch {
		case bytes.HasPrefix(magic, gzipMagic):
			encoding = "gzip"
		case bytes.Equal(magic, zstdMagic):
			encoding = "zstd"
		default:
			return io.NopCloser(in), false, nil
		}
	} else if _, err := in.Peek(1); errors.Is(err, io.EOF) {
		return io.NopCloser(in), true, nil // empty, not damaged: some servers send the header without a body
	}
	if encoding == "gzip" {
		r, err := gzip.NewReader(in) // reads all members, as RFC 1952 wants
		return r, true, err
	}
	r, err := zstd.NewReader(in,
		zstd.WithDecoderConcurrency(1), // no goroutines
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		return nil, true, err
	}
	return r.IOReadCloser(), true, nil
}

// unpackError says what a failed read means. in knows whether the network was
// the cause, and not the bytes.
func unpackError(err error, in *capped) error {
	if in.err != nil && !errors.Is(in.err, io.EOF) {
		return in.err
	}
	text := strings.TrimPrefix(err.Error(), "gzip: ")
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fail(CodeTruncated, "the packed body ended early")
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fail(CodeEncoding, "the zstd window is larger than %d bytes", zstdWindow)
	default:
		return fail(CodeCorrupt, "the packed body is damaged: %s", text)
	}
}
