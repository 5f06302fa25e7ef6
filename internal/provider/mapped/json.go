package mapped

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"github.com/aledotdev/marquee/internal/event"
)

// Bounds of a JSON document.
const (
	maxDepth       = 200 // of a value, since programs recurse
	maxNumberBytes = 100 // of a number: the longer numbers are, the longer arithmetic takes; longer ones become texts
)

var errDepth = fmt.Errorf("nested more than %d deep", maxDepth)

// readJSON reads a whole document.
func (s Settings) readJSON(r io.Reader) (any, error) {
	decoder := newJSONDecoder(&limitedReader{r: r, left: s.Limits.Document, what: "a document"})
	value, err := decodeJSON(decoder)
	if err != nil {
		return nil, err
	}
	return value, atEnd(decoder)
}

// newJSONDecoder skips a byte order mark, and keeps the digits of numbers: as floats, prices would not be exact.
func newJSONDecoder(r io.Reader) *json.Decoder {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = buffered.Discard(len(byteOrderMark))
	}
	decoder := json.NewDecoder(buffered)
	decoder.UseNumber()
	return decoder
}

const byteOrderMark = "\xef\xbb\xbf"

// decodeJSON reads the next value.
func decodeJSON(decoder *json.Decoder) (any, error) {
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, badJSON(decoder, err)
	}
	return tidy(value, 0)
}

// tidy checks a value's depth, and makes texts of numbers that are too long for arithmetic.
func tidy(value any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, malformed("%w", errDepth)
	}
	var err error
	switch value := value.(type) {
	case []any:
		for i := range value {
			if value[i], err = tidy(value[i], depth+1); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range value {
			if value[name], err = tidy(value[name], depth+1); err != nil {
				return nil, err
			}
		}
	case json.Number:
		if len(value) > maxNumberBytes {
			return value.String(), nil
		}
	}
	return value, nil
}

// badJSON makes a fault of the feed malformed, and returns an error of reading it as it is.
func badJSON(decoder *json.Decoder, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return malformed("byte %d: %w", decoder.InputOffset(), io.ErrUnexpectedEOF)
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return malformed("byte %d: %w", decoder.InputOffset(), err)
	default:
		return err
	}
}

// atEnd checks that nothing follows the document.
func atEnd(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err == nil {
		return malformed("byte %d: something follows the end of the document", decoder.InputOffset())
	} else if !errors.Is(err, io.EOF) {
		return badJSON(decoder, err)
	}
	return nil
}

// streamJSON cuts the list at path into its elements while the document is read, in memory that does not
// grow with it. The rest of the document is read as well, to notice if it is truncated.
func (s Settings) streamJSON(r io.Reader, path []string) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		limited := &limitedReader{r: r, left: s.Limits.Record, what: "a record"}
		c := cutter{decoder: newJSONDecoder(limited), limited: limited, limit: s.Limits.Record, yield: yield}
		c.prefix = "." + strings.Join(path, ".")
		err := c.descend(path)
		if err == nil && !c.found {
			err = malformed("there is no list at %s", c.prefix)
		}
		if err == nil {
			err = atEnd(c.decoder)
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(record{}, err)
		}
	}
}

type cutter struct {
	decoder *json.Decoder
	limited *limitedReader
	limit   int64
	prefix  string
	found   bool
	yield   func(record, error) bool
}

// descend reads one value, and yields the elements of the list at path in it.
func (c *cutter) descend(path []string) error {
	c.limited.left = c.limit
	token, err := c.decoder.Token()
	if err != nil {
		return badJSON(c.decoder, err)
	}
	opening, isDelim := token.(json.Delim)
	switch {
	case !isDelim: // a text, number or null
		return nil
	case len(path) == 0:
		c.found = true
	case opening == '[':
		return malformed("byte %d: %s leads through a list", c.decoder.InputOffset(), c.prefix)
	}
	for i := 0; c.decoder.More(); i++ {
		name, index := "", strconv.Itoa(i)
		if opening == '{' {
			token, err := c.decoder.Token()
			if err != nil {
				return badJSON(c.decoder, err)
			}
			name, _ = token.(string)
			index = strconv.Quote(event.Excerpt(name, 40))
		}
		switch {
		case len(path) == 0:
			err = c.element(index)
		case name == path[0]:
			err = c.descend(path[1:])
		default:
			err = c.skip()
		}
		if err != nil {
			return err
		}
	}
	if _, err := c.decoder.Token(); err != nil { // the closing bracket
		return badJSON(c.decoder, err)
	}
	return nil
}

// skip reads one value and drops it, token by token, since it may be of any size.
func (c *cutter) skip() error {
	for depth := 0; ; {
		c.limited.left = c.limit
		token, err := c.decoder.Token()
		if err != nil {
			return badJSON(c.decoder, err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func (c *cutter) element(index string) error {
	c.limited.left = c.limit
	value, err := decodeJSON(c.decoder)
	if err != nil {
		return err
	}
	if !c.yield(record{value: value, place: c.prefix + "[" + index + "]"}, nil) {
		return errStopped
	}
	return nil
}

// textWatch notes whether bytes that are not UTF-8 are written to it: encoding/json replaces them by U+FFFD without an error.
type textWatch struct {
	checked *transform.Writer
	bad     bool
}

func newTextWatch() *textWatch {
	return &textWatch{checked: transform.NewWriter(io.Discard, encoding.UTF8Validator)}
}

// Write implements io.Writer. It does not fail.
func (w *textWatch) Write(p []byte) (int, error) {
	if !w.bad {
		_, err := w.checked.Write(p)
		w.bad = err != nil
	}
	return len(p), nil
}

var errNotUTF8 = errors.New("not UTF-8")

// replaced reports whether a text in a value has a U+FFFD.
func replaced(value any) bool {
	switch value := value.(type) {
	case string:
		return strings.ContainsRune(value, utf8.RuneError)
	case []any:
		return slices.ContainsFunc(value, replaced)
	case map[string]any:
		for _, v := range value {
			if replaced(v) {
				return true
			}
		}
	}
	return false
}

// limitedReader fails if r has more than left bytes.
type limitedReader struct {
	r    io.Reader
	left int64
	what string // names what is too large then, for the error
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		var probe [1]byte
		if n, err := l.r.Read(probe[:]); n == 0 {
			return 0, err
		}
		return 0, malformed("%s is too large to be read", l.what)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
