package icalendar

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// contentLine is a content line of RFC 5545, 3.1, unfolded.
type contentLine struct {
	text   string
	number int  // of its first physical line, from 1
	cut    bool // it was longer than MaxLineBytes; text is its beginning
}

// lineReader reads content lines. A line may end in CRLF, LF or CR. Blank lines are skipped, also between a line and
// its continuation, since some programs write each line end twice.
type lineReader struct {
	r    *bufio.Reader
	done int // physical lines read so far
	buf  []byte
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns io.EOF after the last line, and the reader's own error if it fails.
func (l *lineReader) next() (contentLine, error) {
	l.buf = l.buf[:0]
	line := contentLine{number: l.done + 1}
	for {
		text, end, err := l.upToEnd()
		if room := MaxLineBytes - len(l.buf); len(text) > room {
			text, line.cut = text[:room], true
		}
		l.buf = append(l.buf, text...)
		switch {
		case errors.Is(err, io.EOF) && len(l.buf) > 0:
			l.done++
		case err != nil:
			return contentLine{}, err
		case end == 0:
			continue
		default:
			if err := l.endLine(end); err != nil {
				return contentLine{}, err
			}
			if len(l.buf) == 0 {
				line.number = l.done + 1
				continue
			}
			folded, err := l.continues()
			if err != nil {
				return contentLine{}, err
			}
			if folded {
				continue
			}
		}
		line.text = string(l.buf)
		return line, nil
	}
}

// upToEnd takes as much of a physical line as is buffered, and the byte that ends the line, or 0 if the line goes on. The
// text is valid until the next read.
func (l *lineReader) upToEnd() (text []byte, end byte, err error) {
	if _, err := l.r.Peek(1); err != nil {
		return nil, 0, err
	}
	text, _ = l.r.Peek(l.r.Buffered()) // what is buffered can always be peeked
	taken := len(text)
	if at := bytes.IndexAny(text, "\r\n"); at >= 0 {
		text, end, taken = text[:at], text[at], at+1
	}
	_, err = l.r.Discard(taken)
	return text, end, err
}

// endLine takes the rest of a line end of which b was taken: the LF of a CRLF.
func (l *lineReader) endLine(b byte) error {
	l.done++
	if b != '\r' {
		return nil
	}
	next, err := l.peek()
	if next == '\n' {
		_, err = l.r.Discard(1)
	}
	return err
}

// continues reports whether the line is folded, and takes the line ends and the white space before its continuation.
func (l *lineReader) continues() (bool, error) {
	for {
		next, err := l.peek()
		if err != nil || next != ' ' && next != '\t' && next != '\r' && next != '\n' {
			return false, err
		}
		if _, err := l.r.Discard(1); err != nil {
			return false, err
		}
		if next == ' ' || next == '\t' {
			return true, nil
		}
		if err := l.endLine(next); err != nil {
			return false, err
		}
	}
}

// peek is the next byte, or 0 at the end.
func (l *lineReader) peek() (byte, error) {
	next, err := l.r.Peek(1)
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return next[0], nil
}

// property is a content line, taken apart. params is as written, from the first semicolon on.
type property struct {
	name, params, value string
	line                int
	cut                 bool
}

// parseProperty reports false if a line is not a property, such as a piece of text.
func parseProperty(line contentLine) (property, bool) {
	end := strings.IndexFunc(line.text, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end <= 0 || line.text[end] != ':' && line.text[end] != ';' {
		return property{}, false
	}
	colon := unquotedIndex(line.text[end:], ":")
	if colon < 0 {
		return property{}, false
	}
	return property{
		name:   strings.ToUpper(line.text[:end]),
		params: line.text[end : end+colon],
		value:  line.text[end+colon+1:],
		line:   line.number, cut: line.cut,
	}, true
}

// param is the value of a parameter, without quotes and RFC 6868's escapes; of a list, the first value. It is empty if the parameter
// is missing.
func (p *property) param(name string) string {
	rest := p.params
	for rest != "" {
		rest = rest[1:] // the semicolon
		one := rest
		if end := unquotedIndex(rest, ";"); end >= 0 {
			one, rest = rest[:end], rest[end:]
		} else {
			rest = ""
		}
		key, value, _ := strings.Cut(one, "=")
		if !strings.EqualFold(strings.TrimSpace(key), name) {
			continue
		}
		if end := unquotedIndex(value, ","); end >= 0 {
			value = value[:end]
		}
		return strings.NewReplacer("^n", "\n", "^'", `"`, "^^", "^").Replace(strings.Trim(strings.TrimSpace(value), `"`))
	}
	return ""
}

// unquotedIndex is the index of the first of chars that is outside double quotes, or -1.
func unquotedIndex(s, chars string) int {
	quoted := false
	for i := range len(s) {
		if s[i] == '"' {
			quoted = !quoted
		} else if !quoted && strings.IndexByte(chars, s[i]) >= 0 {
			return i
		}
	}
	return -1
}
