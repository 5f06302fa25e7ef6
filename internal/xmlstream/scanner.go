// Package xmlstream cuts an XML document into the elements of one depth while it is read, in memory
// that does not grow with the document. It is made for feeds: a long list of small records inside a few
// containers. A DTD, and with it entities and defaults, is refused, not ignored.
//
// A Scanner only finds where elements begin and end; Parse reads what is inside a record. So records that
// need not be read cost only the cutting.
//
// The package is stricter than encoding/xml about documents (one root, no text outside it, unique attributes) and as
// strict inside a record that is parsed, except for faults that are those of one record and not of the document: bytes
// that are not UTF-8, and control characters, are passed on as they are, so that the record's reader can refuse them.
// Names beyond ASCII, namespaces, and text between records are not checked.
package xmlstream

import (
	"bytes"
	"fmt"
	"io"

	"github.com/aledotdev/marquee/internal/event"
)

// Limits of a document.
const (
	MaxDepth       = 32
	MaxTagBytes    = 256 << 10 // of one start tag with its attributes
	MaxRecordBytes = 8 << 20
	readBytes      = 64 << 10 // the buffer has room for at least so many more before each reading
)

// Kind is what a Node is.
type Kind int

// The kinds of Node.
const (
	Open   Kind = iota // a container's start tag
	Close              // a container's end
	Record             // a whole element at the record depth
)

// Node is one step through the document. Bytes and Attributes are valid until the next call of Next.
type Node struct {
	Kind       Kind
	Name       string      // of the element
	Depth      int         // of the element; the root's is 0
	Line       int         // where it begins, from 1
	Bytes      []byte      // Open: the start tag; Record: the element; Close: nil
	Attributes []Attribute // Open: those of the start tag; else nil, since Parse reads a record
	Known      bool        // Scanner.Known returned true, so the record was not checked
}

// Attribute is an attribute of a start tag. Its strings share the memory of a copy of the tag: clone those that are kept for long.
type Attribute struct{ Name, Value string }

// Scanner reads a document node by node. It is not safe for concurrent use.
type Scanner struct {
	// Known, if set, is called for a record before it is read. If it returns true, the record is taken as it is, unread.
	// Its argument goes up to the first end tag with the name of the record before, wherever that end tag is: it may be
	// less or more than the record. So Known may return true only for bytes that this package has cut
	// out as a whole record before, and that Parse has accepted: if these bytes are there, they are the whole record.
	Known func(record []byte) bool

	r           io.Reader
	recordDepth int

	attributes []Attribute // memory for the attributes of the next Open

	buf     []byte // buf[pos:] has been read, but not consumed
	pos     int
	eof     bool
	line    int
	started bool     // the root has begun
	open    []string // the names of the open containers
	pending bool     // the last container was an empty-element tag: its Close is next
	name    string   // of the last record; that of the next is mostly the same
	begin   []byte   // the beginning of its start tag, "<name"
	endTag  []byte   // its end tag, "</name>"
	empty   bool     // it was an empty-element tag, without an end tag
}

// NewScanner makes a Scanner of a document whose records are the elements at recordDepth, from 1, the root's children.
// The charset is that of the byte order mark or of the XML declaration, else UTF-8. It reads the beginning of r, and
// returns r's error, or one that wraps event.ErrMalformed if the charset is not known.
func NewScanner(r io.Reader, recordDepth int) (*Scanner, error) {
	utf8, err := decodeCharset(r)
	if err != nil {
		return nil, err
	}
	return &Scanner{r: utf8, recordDepth: recordDepth, line: 1}, nil
}

// Next returns the next node. The error is io.EOF after the root's end; any other wraps event.ErrMalformed, or is the
// reader's.
func (s *Scanner) Next() (Node, error) {
	if s.pending {
		s.pending = false
		return s.pop(), nil
	}
	for {
		if err := s.skipText(); err != nil {
			return Node{}, err
		}
		if node, err := s.known(); err != nil || node.Known {
			return node, err
		}
		m, err := s.markup(0)
		if err != nil {
			return Node{}, err
		}
		switch m.kind {
		case startTag, emptyTag:
			if s.isRecord() && s.called(m) {
				if node, err := s.known(); err != nil || node.Known {
					return node, err
				}
			}
			return s.element(m)
		case endTag:
			if len(s.open) == 0 || s.open[len(s.open)-1] != string(m.name) {
				return Node{}, s.malformed("</%s> closes nothing that is open", event.Excerpt(string(m.name), 40))
			}
			s.consume(m.end)
			return s.pop(), nil
		default:
			if m.kind == cdata && len(s.open) == 0 {
				return Node{}, s.malformed("text outside the root element")
			}
			s.consume(m.end)
		}
	}
}

// element reads on from the start tag of a container or record.
func (s *Scanner) element(m markup) (Node, error) {
	if len(s.open) == 0 && s.started {
		return Node{}, s.malformed("a second root <%s>", event.Excerpt(string(m.name), 40))
	}
	s.started = true
	if s.isRecord() {
		return s.record(m)
	}
	node := Node{Kind: Open, Name: string(m.name), Depth: len(s.open), Line: s.line, Bytes: s.buf[s.pos : s.pos+m.end]}
	s.attributes = s.attributes[:0]
	if err := Parse(node.Bytes, Handler{Attribute: s.attribute}); err != nil { // a wrong one is found even if nobody uses the attributes
		return Node{}, fmt.Errorf("line %d: %w", s.line, err)
	}
	node.Attributes = s.attributes
	if len(s.open) == MaxDepth {
		return Node{}, s.malformed("elements nested more than %d deep", MaxDepth)
	}
	s.consume(m.end)
	s.open = append(s.open, node.Name)
	s.pending = m.kind == emptyTag
	return node, nil
}

func (s *Scanner) attribute(name, value string) {
	s.attributes = append(s.attributes, Attribute{name, value})
}

func (s *Scanner) pop() Node {
	depth := len(s.open) - 1
	name := s.open[depth]
	s.open = s.open[:depth]
	return Node{Kind: Close, Name: name, Depth: depth, Line: s.line}
}

// isRecord reports whether an element that begins here is a record.
func (s *Scanner) isRecord() bool { return len(s.open) == s.recordDepth }

// known consumes the record that begins here if it is known, and has the same name as the last one and, like it, an end tag or none.
// Not even its start tag is read, since nothing of it is needed.
func (s *Scanner) known() (Node, error) {
	if s.Known == nil || !s.isRecord() || len(s.open) == 0 || s.name == "" || !bytes.HasPrefix(s.buf[s.pos:], s.begin) {
		return Node{}, nil
	}
	size := s.untilEnd()
	if size == 0 && len(s.buf)-s.pos < readBytes && !s.eof {
		if err := s.more(); err != nil {
			return Node{}, err
		}
		size = s.untilEnd()
	}
	if size == 0 || size > MaxRecordBytes || !s.Known(s.buf[s.pos:s.pos+size]) {
		return Node{}, nil
	}
	return s.recordNode(size, true), nil
}

// untilEnd is how many bytes there are up to the first end of a record like the last, or 0 if that end has not been read yet.
func (s *Scanner) untilEnd() int {
	end := s.endTag
	if s.empty {
		end = []byte("/>")
	}
	if i := bytes.Index(s.buf[s.pos:], end); i >= 0 {
		return i + len(end)
	}
	return 0
}

// plainEnd is the index after the end of the record whose start tag is first, or 0 if its end has to be found by counting tags. The
// first end tag with the record's name is its end if there is no element with that name before it, and no comment, CDATA section or
// instruction, which could have that text in it. Whether the other tags match is checked by Parse only, as it is when tags are counted.
func (s *Scanner) plainEnd(first markup) int {
	if first.kind == emptyTag {
		return first.end
	}
	b := s.buf[s.pos:min(s.pos+readBytes, len(s.buf))]
	for at := first.end; ; at++ {
		next := bytes.IndexByte(b[at:], '<')
		if next < 0 {
			return 0
		}
		at += next
		switch rest := b[at:]; {
		case bytes.HasPrefix(rest, s.endTag):
			return at + len(s.endTag)
		case len(rest) <= len(s.begin) || rest[1] == '!' || rest[1] == '?' || bytes.HasPrefix(rest, s.begin):
			return 0
		}
	}
}

// recordNode consumes a record of so many bytes.
func (s *Scanner) recordNode(size int, known bool) Node {
	node := Node{Kind: Record, Name: s.name, Depth: len(s.open), Line: s.line, Bytes: s.buf[s.pos : s.pos+size], Known: known}
	s.consume(size)
	return node
}

// called notes name and form of the record that begins with first, and reports whether they differ from those of the last. It has to be
// called before more is read, which may overwrite the name in the buffer.
func (s *Scanner) called(first markup) (otherwise bool) {
	empty := first.kind == emptyTag
	if s.name == string(first.name) && s.empty == empty {
		return false
	}
	s.empty, s.name = empty, string(first.name)
	s.begin, s.endTag = []byte("<"+s.name), []byte("</"+s.name+">")
	return true
}

// record consumes the element whose start tag is first.
func (s *Scanner) record(first markup) (Node, error) {
	if end := s.plainEnd(first); end > 0 {
		return s.recordNode(end, false), nil
	}
	end := first.end
	for depth := depthAfter(0, first.kind); depth > 0; {
		next := bytes.IndexByte(s.buf[s.pos+end:], '<')
		if next < 0 {
			end = len(s.buf) - s.pos
			if err := s.more(); err != nil {
				return Node{}, err
			}
			continue
		}
		end += next
		m, err := s.markup(end)
		if err != nil {
			return Node{}, err
		}
		end += m.end
		if depth = depthAfter(depth, m.kind); depth+len(s.open) > MaxDepth {
			return Node{}, s.malformed("elements nested more than %d deep", MaxDepth)
		}
	}
	if end > MaxRecordBytes {
		return Node{}, s.malformed("a record of more than %d bytes", MaxRecordBytes)
	}
	if first.kind == startTag && !bytes.HasSuffix(s.buf[s.pos:s.pos+end], s.endTag) {
		s.Known = nil // its end tag has white space: with tags in that form, untilEnd would search far and in vain
	}
	return s.recordNode(end, false), nil
}

func depthAfter(depth int, kind markupKind) int {
	switch kind {
	case startTag:
		return depth + 1
	case endTag:
		return depth - 1
	default:
		return depth
	}
}

// skipText consumes the text up to the next markup. In a feed, that is only white space.
func (s *Scanner) skipText() error {
	for {
		text := s.buf[s.pos:]
		next := bytes.IndexByte(text, '<')
		if next >= 0 {
			text = text[:next]
		}
		if len(s.open) == 0 && len(bytes.Trim(text, whiteSpace)) > 0 {
			return s.malformed("text outside the root element: %q", event.Excerpt(string(text), 40))
		}
		s.consume(len(text))
		if next >= 0 {
			return nil
		}
		if s.eof && s.started && len(s.open) == 0 {
			return io.EOF
		}
		if err := s.more(); err != nil {
			return err
		}
	}
}

// markup reads the markup that begins with the '<' at pos+at.
func (s *Scanner) markup(at int) (markup, error) {
	for {
		m, err := lex(s.buf[s.pos+at:])
		if err != nil {
			return markup{}, s.malformed("%w", err)
		}
		if m.kind != incomplete {
			return m, nil
		}
		if err := s.more(); err != nil {
			return markup{}, err
		}
	}
}

// more reads on until the buffer is full. What is not consumed stays in it; if that needs more room, the buffer is doubled. So
// even if everything incomplete is looked at again each time, the cost in all stays in proportion to the bytes read.
func (s *Scanner) more() error {
	if s.eof {
		return s.malformed("%w", io.ErrUnexpectedEOF)
	}
	if len(s.buf)-s.pos > MaxRecordBytes {
		return s.malformed("a record of more than %d bytes", MaxRecordBytes)
	}
	if s.pos > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
		s.pos = 0
	}
	if cap(s.buf)-len(s.buf) < readBytes {
		grown := make([]byte, len(s.buf), 2*cap(s.buf)+readBytes)
		copy(grown, s.buf)
		s.buf = grown
	}
	for idle := 0; len(s.buf) < cap(s.buf) && !s.eof; idle++ {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		switch {
		case err == io.EOF: // unwrapped, it is the document's end: a reader that was cut off returns io.ErrUnexpectedEOF
			s.eof = true
		case err != nil:
			return fmt.Errorf("line %d: %w", s.line, err)
		case n > 0:
			idle = 0
		case idle > 100:
			return fmt.Errorf("line %d: %w", s.line, io.ErrNoProgress)
		}
	}
	return nil
}

func (s *Scanner) consume(n int) {
	s.line += bytes.Count(s.buf[s.pos:s.pos+n], []byte{'\n'})
	s.pos += n
}

func (s *Scanner) malformed(format string, args ...any) error {
	return fmt.Errorf("line %d: %w: %w", s.line, event.ErrMalformed, fmt.Errorf(format, args...))
}
