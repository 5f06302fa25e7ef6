package xmlstream

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
)

// MaxAttributes is how many attributes one element may have.
const MaxAttributes = 128

// Handler has the functions that Parse calls. Each may be nil. The strings share the memory of
// one copy of the element: clone those that are kept for long.
type Handler struct {
	Start     func(name string, depth int) // an element begins; depth is 0 for the element that is parsed
	Attribute func(name, value string)     // of the element that began last
	Text      func(text string)            // in the innermost open element; a text may come in several pieces
	End       func(depth int)              // the element at that depth ends
}

// Parse reads one element, or one start tag, that a Scanner has cut out. It checks what the Scanner does not:
// that end tags match, that attributes are well-formed and their names unique, and that references are
// to characters (&amp; or &#233;), since without a DTD there are no others. Its errors wrap event.ErrMalformed.
func Parse(element []byte, h Handler) error {
	var open [MaxDepth / 4]string            // On the stack, and enough for nearly all records:
	var attributes [MaxAttributes / 8]string // for the others, append takes memory of the heap.
	p := parser{Handler: h, rest: string(element), open: open[:0], attributes: attributes[:0]}
	if err := p.element(); err != nil {
		return fmt.Errorf("%w: %w", event.ErrMalformed, err)
	}
	return nil
}

// parser reads rest from its start.
type parser struct {
	Handler
	rest       string
	open       []string
	attributes []string // of the start tag being read
}

func (p *parser) element() error {
	if err := p.startTag(); err != nil {
		return err
	}
	if p.rest == "" { // a start tag alone
		return nil
	}
	for len(p.open) > 0 {
		if err := p.content(); err != nil {
			return err
		}
	}
	if p.rest != "" {
		return fmt.Errorf("%s after the element", quote(p.rest))
	}
	return nil
}

// content reads the text up to the next markup, and that markup.
func (p *parser) content() error {
	next := strings.IndexByte(p.rest, '<')
	if next < 0 {
		return fmt.Errorf("<%s> is not closed", event.Excerpt(p.open[len(p.open)-1], 40))
	}
	if err := p.text(p.rest[:next]); err != nil {
		return err
	}
	p.rest = p.rest[next:]
	switch {
	case strings.HasPrefix(p.rest, "</"):
		return p.endTag()
	case strings.HasPrefix(p.rest, "<?"), strings.HasPrefix(p.rest, "<!"):
		return p.special()
	default:
		return p.startTag()
	}
}

// special reads a comment, CDATA section or processing instruction.
func (p *parser) special() error {
	m, err := lex([]byte(p.rest)) // rare: the copy doesn't matter
	if err != nil {
		return err
	}
	if m.kind == incomplete {
		return fmt.Errorf("%s has no end", quote(p.rest))
	}
	if m.kind == cdata && p.Text != nil {
		p.Text(newlines(p.rest[len("<![CDATA[") : m.end-len("]]>")]))
	}
	p.rest = p.rest[m.end:]
	return nil
}

func (p *parser) startTag() error {
	tag := p.rest
	n := 0
	if tag != "" && tag[0] == '<' {
		n = nameLen(tag[1:])
	}
	if n == 0 {
		return fmt.Errorf("%s is not a tag", quote(tag))
	}
	name := tag[1 : 1+n]
	if len(p.open) > MaxDepth {
		return fmt.Errorf("elements nested more than %d deep", MaxDepth)
	}
	if p.Start != nil {
		p.Start(name, len(p.open))
	}
	p.open = append(p.open, name)
	p.attributes = p.attributes[:0]
	for rest := tag[1+n:]; ; {
		rest = trimSpace(rest)
		switch {
		case rest != "" && rest[0] == '>':
			p.rest = rest[1:]
			return nil
		case strings.HasPrefix(rest, "/>"):
			p.rest = rest[2:]
			p.end()
			return nil
		}
		var err error
		if rest, err = p.attribute(rest); err != nil {
			return err
		}
	}
}

// attribute reads the attribute that s begins with, and returns what follows it.
func (p *parser) attribute(s string) (rest string, err error) {
	name, value, rest, ok := plainAttribute(s)
	if !ok {
		if name, value, rest, err = cutAttribute(s); err != nil {
			return "", err
		}
		if value, err = attributeValue(value); err != nil {
			return "", fmt.Errorf("attribute %s: %w", quote(name), err)
		}
	}
	if slices.Contains(p.attributes, name) {
		return "", fmt.Errorf("attribute %s: twice in one element", quote(name))
	}
	if len(p.attributes) == MaxAttributes {
		return "", fmt.Errorf("attribute %s: more than %d in one element", quote(name), MaxAttributes)
	}
	p.attributes = append(p.attributes, name)
	if p.Attribute != nil {
		p.Attribute(name, value)
	}
	return rest, nil
}

// plainAttribute does what cutAttribute and attributeValue do, for attributes in the form of nearly all: name="value", where the value has
// neither references nor line breaks. It looks at each byte only once. ok is false for any other form.
func plainAttribute(s string) (name, value, rest string, ok bool) {
	i := nameLen(s)
	if i == 0 || i+2 > len(s) || s[i] != '=' || s[i+1] != '"' {
		return "", "", "", false
	}
	name, s = s[:i], s[i+2:]
	for i = range len(s) {
		switch c := s[i]; {
		case c == '"':
			return name, s[:i], s[i+1:], true
		case c < ' ' || c == '&' || c == '<':
			return "", "", "", false
		}
	}
	return "", "", "", false
}

// cutAttribute cuts off the attribute that s begins with. raw is its value as written, without the quotes.
func cutAttribute(s string) (name, raw, rest string, err error) {
	n := nameLen(s)
	if n == 0 {
		return "", "", "", fmt.Errorf("%s is not an attribute", quote(s))
	}
	name, rest = s[:n], trimSpace(s[n:])
	if rest == "" || rest[0] != '=' {
		return "", "", "", fmt.Errorf("attribute %s has no value", quote(name))
	}
	rest = trimSpace(rest[1:])
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return "", "", "", fmt.Errorf("the value of attribute %s is not quoted", quote(name))
	}
	end := strings.IndexByte(rest[1:], rest[0])
	if end < 0 {
		return "", "", "", fmt.Errorf("the value of attribute %s has no end", quote(name))
	}
	return name, rest[1 : 1+end], rest[end+2:], nil
}

func (p *parser) endTag() error {
	name, rest, found := strings.Cut(p.rest[len("</"):], ">")
	if !found || strings.TrimRight(name, whiteSpace) != p.open[len(p.open)-1] {
		return fmt.Errorf("%s closes nothing that is open", quote(p.rest))
	}
	p.rest = rest
	p.end()
	return nil
}

func (p *parser) end() {
	p.open = p.open[:len(p.open)-1]
	if p.End != nil {
		p.End(len(p.open))
	}
}

func (p *parser) text(s string) error {
	if s == "" {
		return nil
	}
	if strings.Contains(s, "]]>") {
		return errors.New("']]>' outside a CDATA section")
	}
	text, err := unescape(newlines(s))
	if err != nil {
		return err
	}
	if p.Text != nil {
		p.Text(text)
	}
	return nil
}

// trimSpace is s without white space at its start. Mostly there is none, or one blank.
func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

func quote(s string) string { return strconv.Quote(event.Excerpt(s, 40)) }

// attributeValue is what an attribute's raw value stands for: references are replaced, and line breaks and tabs become blanks
// (https://www.w3.org/TR/xml/#AVNormalize), unless they are written as references.
func attributeValue(s string) (string, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '&' || c == '<' {
			if strings.IndexByte(s, '<') >= 0 {
				return "", errors.New("'<' in the value")
			}
			return unescape(strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\t", " ").Replace(s))
		}
	}
	return s, nil
}

// newlines makes each line end a \n; see https://www.w3.org/TR/xml/#sec-line-ends.
func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
}
