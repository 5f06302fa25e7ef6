package fetch

import (
	"bytes"
	"mime"
	"net/http"
	"slices"
)

// sniffBytes is how many unpacked bytes are examined to tell a web page from a
// feed. It leaves room for the licence comment that some feeds begin with.
const sniffBytes = 4 << 10

var (
	utf8BOM = []byte("\xef\xbb\xbf") //nolint:gochecknoglobals // A constant.
	// pageStarts are beginnings of web pages, and never of feeds.
	pageStarts = [][]byte{[]byte("<!doctype html"), []byte("<html"), []byte("<head>"), []byte("<body")} //nolint:gochecknoglobals // A constant.
)

// isBlank reports whether head is empty except for white space and a byte order
// mark.
func isBlank(head []byte) bool {
	return len(bytes.TrimSpace(bytes.TrimPrefix(head, utf8BOM))) == 0
}

// isHTML reports whether a body that begins with head is a web page. The bytes
// decide, since many servers send everything as text/html. That header only
// makes the test stricter: under text/html, the tags of the WHATWG sniffing rules
// count as a page, too (an error message in a bare <h1>, for example). A
// calendar, JSON or XML passes even then.
func isHTML(contentType string, head []byte) bool {
	rest, declared := skipProlog(head)
	lower := bytes.ToLower(rest[:min(len(rest), 16)])
	if slices.ContainsFunc(pageStarts, func(start []byte) bool { return bytes.HasPrefix(lower, start) }) {
		return true
	}
	mediaType, _, _ := mime.ParseMediaType(contentType)
	if mediaType != "text/html" || declared || len(rest) == 0 {
		return false
	}
	sniffed, _, _ := mime.ParseMediaType(http.DetectContentType(rest))
	return sniffed == "text/html"
}

// skipProlog skips what both a page and an XML feed may begin with: byte order
// mark, white space, comments, XML declaration and other processing
// instructions. declared says whether there was an XML declaration.
func skipProlog(head []byte) (rest []byte, declared bool) {
	rest = bytes.TrimPrefix(head, utf8BOM)
	for {
		rest = bytes.TrimSpace(rest)
		var end []byte
		switch {
		case bytes.HasPrefix(rest, []byte("<?")):
			declared = declared || bytes.HasPrefix(rest, []byte("<?xml"))
			end = []byte("?>")
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = []byte("-->")
		default:
			return rest, declared
		}
		_, after, ok := bytes.Cut(rest, end)
		if !ok {
			return nil, declared
		}
		rest = after
	}
}
