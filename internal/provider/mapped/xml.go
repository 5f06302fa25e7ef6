package mapped

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/aledotdev/marquee/internal/xmlstream"
)

// readXML makes a JSON value of a document:
//
//	<shows day="1"><show>A</show><show lang="en">B</show><note/></shows>
//	{"shows": {"@day": "1", "show": ["A", {"@lang": "en", "#text": "B"}], "note": null}}
//
// An element with neither attributes nor elements becomes its text, or null if it has none. Any other becomes an object: of
// attributes by their names with an @ before, of elements by their names, and of its text as #text. Elements with the same name become a
// list if there are several in their parent, or if the settings say so. Names keep their prefixes. All
// values are texts, without white space around them. Text of the root element itself is left out.
func (s Settings) readXML(r io.Reader) (any, error) {
	const recordDepth = 1
	scanner, err := xmlstream.NewScanner(&limitedReader{r: r, left: s.Limits.Document, what: "a document"}, recordDepth)
	if err != nil {
		return nil, err
	}
	var root *element
	for {
		node, err := scanner.Next()
		switch {
		case errors.Is(err, io.EOF):
			return map[string]any{root.name: s.valueOf(root)}, nil
		case err != nil:
			return nil, err
		}
		switch node.Kind {
		case xmlstream.Open:
			if root, err = parseElement(node.Bytes); err != nil {
				return nil, err
			}
		case xmlstream.Record:
			child, err := parseElement(node.Bytes)
			if err != nil {
				return nil, malformed("line %d: %w", node.Line, err)
			}
			s.add(root, child.name, s.valueOf(child))
		case xmlstream.Close:
		}
	}
}

// element is an XML element that is not a JSON value yet.
type element struct {
	name     string
	text     strings.Builder
	members  map[string]any // attributes, and the values of the elements that are added
	children []*element     // elements that are still to be added
}

func parseElement(bytes []byte) (*element, error) {
	var open []*element
	var root *element
	err := xmlstream.Parse(bytes, xmlstream.Handler{
		Start: func(name string, _ int) {
			e := &element{name: name}
			if len(open) == 0 {
				root = e
			} else {
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			}
			open = append(open, e)
		},
		Attribute: func(name, value string) {
			e := open[len(open)-1]
			if e.members == nil {
				e.members = map[string]any{}
			}
			e.members["@"+name] = strings.TrimSpace(value)
		},
		Text: func(text string) { open[len(open)-1].text.WriteString(text) },
		End:  func(int) { open = open[:len(open)-1] },
	})
	return root, err
}

func (s Settings) valueOf(e *element) any {
	for _, child := range e.children {
		s.add(e, child.name, s.valueOf(child))
	}
	text := strings.TrimSpace(e.text.String())
	switch {
	case e.members == nil && text == "":
		return nil
	case e.members == nil:
		return text
	case text != "":
		e.members["#text"] = text
	}
	return e.members
}

// add adds the value of an element to its parent, beside those of the same name.
func (s Settings) add(parent *element, name string, value any) {
	if parent.members == nil {
		parent.members = map[string]any{}
	}
	before, again := parent.members[name]
	list, isList := before.([]any) // it is one that add has made: the value of an element is never a list
	switch {
	case isList:
		parent.members[name] = append(list, value)
	case again:
		parent.members[name] = []any{before, value}
	case slices.Contains(s.Lists, name):
		parent.members[name] = []any{value}
	default:
		parent.members[name] = value
	}
}
