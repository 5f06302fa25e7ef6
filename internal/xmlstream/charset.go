package xmlstream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/aledotdev/marquee/internal/event"
)

// declarationBytes bounds an XML declaration; real ones have under 100 bytes.
const declarationBytes = 512

// decodeCharset returns r as UTF-8 without a byte order mark. UTF-8 itself is not checked here: a
// wrong byte is the fault of one record only.
func decodeCharset(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, declarationBytes)
	head, err := buffered.Peek(declarationBytes)
	if err != nil && err != io.EOF { //nolint:errorlint // io.EOF comes bare; one that is wrapped is a reader's failure.
		return nil, fmt.Errorf("reading the feed: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := buffered.Discard(3)
		return buffered, err
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(buffered), nil
	}
	name := declaredEncoding(head)
	if name == "" || strings.EqualFold(name, "utf-8") || strings.EqualFold(name, "us-ascii") {
		return buffered, nil
	}
	charset, err := htmlindex.Get(name)
	if err != nil || charset == encoding.Replacement || strings.HasPrefix(strings.ToLower(name), "utf-16") {
		// UTF-16 is wrong here, since the declaration could be read as ASCII.
		return nil, fmt.Errorf("charset %q: %w", event.Excerpt(name, 40), event.ErrMalformed)
	}
	return charset.NewDecoder().Reader(buffered), nil
}

func declaredEncoding(head []byte) string {
	declaration, _, found := bytes.Cut(head, []byte("?>"))
	if !found || !bytes.HasPrefix(declaration, []byte("<?xml")) {
		return ""
	}
	match := regexp.MustCompile(`\sencoding\s*=\s*["']([^"']*)["']`).FindSubmatch(declaration)
	if match == nil {
		return ""
	}
	return string(match[1])
}
