package fetch

import (
	"bytes"
	"mime"
	"net/http"
	"slices"
)

// sniffBytes of the unpacked body are enough to tell a page from a feed, and
// for the licence comment that some put on top.
const sniffBytes = 4 << 10

var (
	utf8BOM = []byte("\xef\xbb\xbf") //nolint:gochecknoglobals // A constant.
	// pageStarts begin a page and no feed, whatever the header says.
	pageStarts = [][]byte{[]byte("<!doctype html"), []byte("<html"), []byte("<head>"), []byte("<body")} //nolint:gochecknoglobals // A constant.
)

// isBlank tells whether nothing but white space and a byte order mark came.
func isBlank(head []byte) bool {
	return len(bytes.TrimSpace(bytes.TrimPrefix(head, utf8BOM))) == 0
}

// isHTML tells whether a body that begins with head is a web page. The bytes
// decide; the header only widens what counts, since many servers send
// text/html with whatever they have. Under text/html the tags of the WHATWG
// sniffing rules count too (an error in <h1> without more), yet a calendar,
// JSON or XML passes.
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

// skipProlog drops what may stand before both a page and an XML feed: byte
// order mark, white space, comments, XML declaration and other instructions.
// declared tells of an XML declaration.
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
