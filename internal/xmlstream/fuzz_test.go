package xmlstream_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/xmlstream"
)

// realFeeds are the seeds that lie outside the project, where MARQUEE_FEEDS says.
func realFeeds(f *testing.F) [][]byte {
	f.Helper()
	folder := os.Getenv("MARQUEE_FEEDS")
	if folder == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "planlist", "*.xml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no feeds in MARQUEE_FEEDS=%s: %v", folder, err)
	}
	var feeds [][]byte
	for _, file := range files {
		feed, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		feeds = append(feeds, feed)
	}
	return feeds
}

// reference is what encoding/xml, strict, makes of an element: the steps that parse writes down. Names are
// without their prefixes.
func reference(element []byte) ([]string, error) {
	var steps []string
	depth, roots, inText := 0, 0, false
	d := xml.NewDecoder(bytes.NewReader(element))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && roots == 1 {
			return steps, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			steps = append(steps, "start "+token.Name.Local)
			for _, a := range token.Attr {
				steps = append(steps, a.Name.Local+"="+a.Value)
			}
			depth++
		case xml.EndElement:
			depth--
			steps = append(steps, "end")
		case xml.CharData:
			if depth == 0 {
				return nil, errors.New("text outside the element")
			}
			switch {
			case len(token) == 0:
			case inText:
				steps[len(steps)-1] += string(token)
			default:
				steps = append(steps, "text "+string(token))
				inText = true
			}
			if len(token) > 0 {
				continue
			}
		case xml.Directive:
			return nil, errors.New("a DTD")
		}
		switch token.(type) {
		case xml.StartElement, xml.EndElement:
			inText = false
		}
	}
}

// withoutPrefixes brings parse's steps to the form of reference's.
func withoutPrefixes(steps []string) []string {
	local := func(name string) string {
		if prefix, rest, ok := strings.Cut(name, ":"); ok && prefix != "" && rest != "" {
			return rest
		}
		return name
	}
	out := make([]string, len(steps))
	for i, step := range steps {
		if strings.HasPrefix(step, "text ") {
			out[i] = step
			continue
		}
		if name, ok := strings.CutPrefix(step, "start "); ok {
			out[i] = "start " + local(name[:strings.LastIndexByte(name, ' ')])
			continue
		}
		if strings.HasPrefix(step, "end ") && !strings.Contains(step, "=") {
			out[i] = "end"
			continue
		}
		name, value, _ := strings.Cut(step, "=")
		out[i] = local(name) + "=" + value
	}
	return out
}

// sameSpaces: XML makes blanks of the white space in attributes' values; encoding/xml does not.
func sameSpaces(steps []string) []string {
	return slices.Collect(func(yield func(string) bool) {
		for _, s := range steps {
			if !strings.HasPrefix(s, "text ") {
				s = strings.NewReplacer("\n", " ", "\t", " ").Replace(s)
			}
			if !yield(s) {
				return
			}
		}
	})
}

// stricter are the faults that encoding/xml lets pass: an attribute twice in an element, a reference to a
// surrogate (it makes U+FFFD of it), and what is over our limits.
func stricter(err error) bool {
	return slices.ContainsFunc([]string{"twice in one element", `reference "&#`, "more than"}, func(says string) bool {
		return strings.Contains(err.Error(), says)
	})
}

// isOrdinary keeps out what is left to a record's reader (bytes that are no UTF-8, control characters), what
// is not checked at all (names beyond ASCII, colons in names), and encoding/xml's own rules for a second XML
// declaration.
func isOrdinary(element []byte) bool {
	return !bytes.ContainsFunc(element, func(r rune) bool {
		return r >= 0x7f || r < ' ' && r != '\t' && r != '\n' && r != '\r'
	}) && bytes.Count(element, []byte(":")) < 2 && !bytes.Contains(element, []byte("<?xml"))
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`<a b="1" c='2'>x<d/>&amp;&#65;<![CDATA[<]]><!-- - --><?p q="r"?></a >`, `<x:a y:b="1>2"/>`, "<a b='1\r\n2'>\r\n</a>", `<a b="1" b="2"/>`,
		`<a>&#xD800;</a>`, `<a>]]></a>`, `<a b="<"/>`, "<a>\x00\xff</a>", `<a><!DOCTYPE x></a>`, `<a><b></a></b>`, `<a b="1"c="2"/>`, `<a:b:c/>`, `<año/>`, `<a`, ``,
	} {
		f.Add([]byte(seed))
	}
	for _, feed := range realFeeds(f) {
		f.Add(bytes.TrimSpace(bytes.TrimPrefix(feed, []byte(`<?xml version="1.0" encoding="UTF-8"?>`))))
	}
	f.Fuzz(func(t *testing.T, element []byte) {
		steps, err := parse(element)
		if err != nil && !errors.Is(err, event.ErrMalformed) {
			t.Fatalf("%v is not ErrMalformed", err)
		}
		if len(element) == 0 || element[0] != '<' || element[len(element)-1] != '>' {
			if err == nil {
				t.Fatal("not an element, and accepted")
			}
			return
		}
		startTagOnly := err == nil && len(steps) > 0 && !strings.HasPrefix(steps[len(steps)-1], "end ")
		if bytes.HasPrefix(element, []byte("<?")) || bytes.HasPrefix(element, []byte("<!")) || startTagOnly || bytes.HasSuffix(element, []byte("?>")) || bytes.HasSuffix(element, []byte("-->")) {
			return // markup around the element, which is the Scanner's
		}
		want, refused := reference(element)
		switch {
		case refused == nil && err == nil:
			if diff := cmp.Diff(sameSpaces(want), sameSpaces(withoutPrefixes(steps))); diff != "" {
				t.Fatalf("steps (-encoding/xml +ours):\n%s", diff)
			}
		case refused == nil && !stricter(err):
			t.Fatalf("refused: %v; encoding/xml takes it", err)
		case err == nil && refused != nil && isOrdinary(element):
			t.Fatalf("accepted: %q; encoding/xml: %v", steps, refused)
		}
	})
}

func FuzzScanner(f *testing.F) {
	shows, err := os.ReadFile("testdata/shows.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shows, 2)
	for _, feed := range realFeeds(f) {
		f.Add(feed, 3)
	}
	for _, seed := range []string{
		"<a><b/></a>", "<a/>x", "<a><b><c></b></c></a>", "\xff\xfe<\x00a\x00/\x00>\x00", "\ufeff<a/>", `<?xml version="1.0" encoding="ISO-8859-1"?><a b="` + "\xe9" + `"/>`,
		`<!DOCTYPE a><a/>`, `<a b=">"><!-- --><![CDATA[>]]></a>`, "<a", "",
	} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, document []byte, recordDepth int) {
		recordDepth = min(max(recordDepth, 0), 40)
		nodes, err := scan(bytes.NewReader(document), recordDepth)
		if err != nil && !errors.Is(err, event.ErrMalformed) {
			t.Fatalf("%v is not ErrMalformed", err)
		}
		bytewise, again := scan(iotest.OneByteReader(bytes.NewReader(document)), recordDepth)
		if diff := cmp.Diff(nodes, bytewise); diff != "" || (err == nil) != (again == nil) {
			t.Fatalf("byte by byte: %v, whole: %v (-whole +byte by byte):\n%s", again, err, diff)
		}
		checkNodes(t, nodes, recordDepth, err == nil)
		if err != nil || !utf8.Valid(document) || bytes.Contains(document, []byte("encoding")) {
			return
		}
		// Cut anywhere before its end, it is no document.
		last := bytes.LastIndexByte(bytes.TrimRight(document, " \t\r\n"), '>')
		root := nodes[len(nodes)-1]
		if cut := bytes.LastIndex(document[:last], []byte("<")); root.Depth == 0 && !bytes.Contains(document, []byte("<!--")) && !bytes.Contains(document, []byte("<?")) && cut >= 0 {
			if _, err := scan(bytes.NewReader(document[:last]), recordDepth); err == nil {
				t.Fatal("accepted without its end")
			}
		}
	})
}

// checkNodes holds what every reader of nodes relies on.
func checkNodes(t *testing.T, nodes []node, recordDepth int, complete bool) {
	t.Helper()
	var open []node
	line := 1
	for _, n := range nodes {
		if n.Line < line {
			t.Fatalf("%v is on a line before the last node's", n)
		}
		line = n.Line
		switch n.Kind {
		case xmlstream.Open:
			if n.Depth != len(open) || n.Depth >= recordDepth {
				t.Fatalf("%v in %d containers", n, len(open))
			}
			open = append(open, n)
			if _, err := parse([]byte(n.Text)); err != nil {
				t.Fatalf("%v: %v", n, err)
			}
		case xmlstream.Close:
			if len(open) == 0 || n.Depth != len(open)-1 || n.Name != open[n.Depth].Name {
				t.Fatalf("%v closes none of %v", n, open)
			}
			open = open[:n.Depth]
		case xmlstream.Record:
			if n.Depth != recordDepth || len(open) != recordDepth || !strings.HasPrefix(n.Text, "<"+n.Name) || !strings.HasSuffix(n.Text, ">") {
				t.Fatalf("%v in %d containers", n, len(open))
			}
		}
	}
	if complete && (len(open) > 0 || len(nodes) == 0) {
		t.Fatalf("the document ends with %v open", open)
	}
}
