package xmlstream

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/aledotdev/marquee/internal/event"
)

type markupKind int

const (
	incomplete markupKind = iota // its end has not been read yet
	ignored                      // comment, processing instruction
	cdata
	startTag
	emptyTag
	endTag
)

type markup struct {
	kind markupKind
	name []byte // of a tag
	end  int    // its length in bytes
}

var (
	errTooLong = fmt.Errorf("a tag of more than %d bytes", MaxTagBytes)
	errDTD     = errors.New("document type declarations and entities are refused")
)

// lex reads the markup that b begins with; b[0] is '<'. Of a tag it finds only the name and the end.
func lex(b []byte) (markup, error) {
	if len(b) < len("<![CDATA[") && bytes.IndexByte(b, '>') < 0 {
		return markup{}, nil
	}
	switch b[1] {
	case '?':
		return lexInstruction(b)
	case '!':
		switch {
		case bytes.HasPrefix(b, []byte("<!--")):
			return lexComment(b)
		case bytes.HasPrefix(b, []byte("<![CDATA[")):
			return markupUntil(cdata, b, "]]>"), nil
		}
		return markup{}, errDTD
	default:
		return lexTag(b)
	}
}

func markupUntil(kind markupKind, b []byte, needle string) markup {
	i := bytes.Index(b, []byte(needle))
	if i < 0 {
		return markup{}
	}
	return markup{kind: kind, end: i + len(needle)}
}

func lexInstruction(b []byte) (markup, error) {
	if !isNameStart(b[2]) {
		return markup{}, notATag(b)
	}
	return markupUntil(ignored, b, "?>"), nil
}

func lexComment(b []byte) (markup, error) {
	const opening = "<!--"
	m := markupUntil(ignored, b[len(opening):], "--")
	m.end += len(opening)
	if m.kind == incomplete || m.end == len(b) {
		return markup{}, nil
	}
	if b[m.end] != '>' {
		return markup{}, errors.New("'--' inside a comment")
	}
	m.end++
	return m, nil
}

func lexTag(b []byte) (markup, error) {
	end, err := tagEnd(b)
	if end == 0 || err != nil {
		return markup{}, err
	}
	m := markup{kind: startTag, end: end}
	inner := b[1 : end-1]
	switch {
	case len(inner) > 0 && inner[0] == '/':
		m.kind, inner = endTag, bytes.TrimRight(inner[1:], whiteSpace)
	case len(inner) > 0 && inner[len(inner)-1] == '/':
		m.kind, inner = emptyTag, inner[:len(inner)-1]
	}
	n := nameLen(inner)
	if n == 0 || n < len(inner) && (m.kind == endTag || !isSpace(inner[n])) {
		return markup{}, notATag(b[:end])
	}
	m.name = inner[:n]
	return m, nil
}

// tagEnd is the index after the '>' outside quotes that ends the tag, or 0 if it is not in b.
func tagEnd(b []byte) (int, error) {
	limit := b[:min(len(b), MaxTagBytes)]
	if i := bytes.IndexByte(limit, '>'); i > 0 && isPlain(limit[1:i]) {
		return i + 1, nil
	}
	for i := 1; i < len(limit); i++ {
		switch c := limit[i]; c {
		case '>':
			return i + 1, nil
		case '<':
			return 0, notATag(b)
		case '"', '\'':
			value := bytes.IndexByte(limit[i+1:], c)
			if value < 0 {
				i = len(limit)
				break
			}
			i += 1 + value
		}
	}
	if len(b) >= MaxTagBytes {
		return 0, errTooLong
	}
	return 0, nil
}

// isPlain reports whether the beginning of a tag has only double quotes, in pairs, and no '<', so that what follows is outside
// quotes. Nearly all tags are like that, and these functions are fast: they look at 32 bytes at a time.
func isPlain(tag []byte) bool {
	return bytes.Count(tag, []byte{'"'})%2 == 0 && bytes.IndexByte(tag, '\'') < 0 && bytes.IndexByte(tag, '<') < 0
}

func notATag(b []byte) error {
	return fmt.Errorf("not a tag: %q", event.Excerpt(string(b[:min(len(b), 100)]), 40))
}

const whiteSpace = " \t\r\n"

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// isNameByte reports whether a byte is an ASCII character of XML's NameChar, or belongs to any character beyond ASCII.
func isNameByte(c byte) bool {
	const (
		to63  = 1<<'-' | 1<<'.' | (1<<11-1)<<'0' // the ten digits and ':'
		to127 = 1<<('_'-64) | (1<<26-1)<<('A'-64) | (1<<26-1)<<('a'-64)
	)
	if c < 64 {
		return uint64(to63)>>c&1 != 0
	}
	return c >= 128 || uint64(to127)>>(c-64)&1 != 0
}

func isNameStart(c byte) bool { return isNameByte(c) && (c < '-' || c > '9') }

// nameLen is the length of the name that s begins with; 0 if it begins with none.
func nameLen[T []byte | string](s T) int {
	if len(s) == 0 || !isNameStart(s[0]) {
		return 0
	}
	for i := 1; i < len(s); i++ {
		if !isNameByte(s[i]) {
			return i
		}
	}
	return len(s)
}
