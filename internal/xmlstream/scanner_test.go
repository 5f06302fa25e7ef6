package xmlstream_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/xmlstream"
)

// node is a Node that may be kept.
type node struct {
	Kind  xmlstream.Kind
	Name  string
	Depth int
	Line  int
	Text  string
}

func scan(r io.Reader, recordDepth int) ([]node, error) {
	s, err := xmlstream.NewScanner(r, recordDepth)
	if err != nil {
		return nil, err
	}
	var nodes []node
	for {
		n, err := s.Next()
		if err == io.EOF { //nolint:errorlint // io.EOF comes bare; one that is wrapped is a reader's failure.
			return nodes, nil
		}
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, node{n.Kind, n.Name, n.Depth, n.Line, string(n.Bytes)})
	}
}

func shows(tb testing.TB) []byte {
	tb.Helper()
	document, err := os.ReadFile("testdata/shows.xml")
	if err != nil {
		tb.Fatal(err)
	}
	return document
}

// readers feed one document in pieces of every kind.
func readers(document []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":            bytes.NewReader(document),
		"byte by byte":     iotest.OneByteReader(bytes.NewReader(document)),
		"half":             iotest.HalfReader(bytes.NewReader(document)),
		"data with EOF":    iotest.DataErrReader(bytes.NewReader(document)),
		"one byte and EOF": iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(document))),
	}
}

func TestScanner(t *testing.T) {
	t.Parallel()
	const second = `<show id = '2' title='She said "go"' >
         text <![CDATA[<not a="tag"> ]] > &amp; ]]> more<!-- </show> --><?pi </show> ?>
         <seat row="A" /><seat row="B"></seat >
      </show>`
	want := []node{
		{xmlstream.Open, "shows", 0, 4, `<shows version="1.0" note='1 > 0'>`},
		{xmlstream.Open, "day", 1, 6, `<day date="2030-06-30">`},
		{xmlstream.Record, "show", 2, 7, `<show id="1" title="Salt &amp; Pepper &#8211; the &#xE9;tude"/>`},
		{xmlstream.Record, "show", 2, 8, second},
		{xmlstream.Record, "empty", 2, 12, `<empty/>`},
		{xmlstream.Close, "day", 1, 13, ""},
		{xmlstream.Open, "day", 1, 14, `<day date="2030-07-01"/>`},
		{xmlstream.Close, "day", 1, 14, ""},
		{xmlstream.Open, "day", 1, 15, `<day/>`},
		{xmlstream.Close, "day", 1, 15, ""},
		{xmlstream.Close, "shows", 0, 16, ""},
	}
	for name, r := range readers(shows(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := scan(r, 2)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestScannerAttributes: containers come with their attributes, as Parse reads them; records are for Parse to read.
func TestScannerAttributes(t *testing.T) {
	t.Parallel()
	scanner, err := xmlstream.NewScanner(strings.NewReader(`<a b="1 &amp; 2" c='"'><d/><e f="3"><g h="4"/></e></a>`), 2)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]xmlstream.Attribute{}
	for {
		node, err := scanner.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if node.Kind != xmlstream.Open && node.Attributes != nil {
			t.Errorf("%s has attributes: %v", node.Name, node.Attributes)
		}
		if node.Kind == xmlstream.Open {
			got[node.Name] = slices.Clone(node.Attributes)
		}
	}
	want := map[string][]xmlstream.Attribute{"a": {{Name: "b", Value: "1 & 2"}, {Name: "c", Value: `"`}}, "d": {}, "e": {{Name: "f", Value: "3"}}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestScannerRecordDepth(t *testing.T) {
	t.Parallel()
	const document = `<a><b><c/></b><b/></a>`
	for depth, want := range map[int]string{
		0: "2 a 0 <a><b><c/></b><b/></a>\n",
		1: "0 a 0 <a>\n2 b 1 <b><c/></b>\n2 b 1 <b/>\n1 a 0 \n",
		9: "0 a 0 <a>\n0 b 1 <b>\n0 c 2 <c/>\n1 c 2 \n1 b 1 \n0 b 1 <b/>\n1 b 1 \n1 a 0 \n",
	} {
		nodes, err := scan(strings.NewReader(document), depth)
		var got strings.Builder
		for _, n := range nodes {
			fmt.Fprintln(&got, int(n.Kind), n.Name, n.Depth, n.Text)
		}
		if err != nil || got.String() != want {
			t.Errorf("depth %d: %v\n%swant\n%s", depth, err, got.String(), want)
		}
	}
}

func TestScannerEndsOnce(t *testing.T) {
	t.Parallel()
	s, err := xmlstream.NewScanner(strings.NewReader("<a/>\n"), 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, io.EOF, io.EOF} {
		if _, err := s.Next(); err != want { //nolint:errorlint // io.EOF comes bare, as from a Reader.
			t.Errorf("call %d: %v, want %v", i+1, err, want)
		}
	}
}

func TestScannerTruncated(t *testing.T) {
	t.Parallel()
	document := bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(shows(t)), []byte("<!-- the end -->")))
	for n := range document {
		for name, r := range readers(document[:n]) {
			_, err := scan(r, 2)
			if !errors.Is(err, event.ErrMalformed) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut at byte %d, read %s: %v", n, name, err)
			}
		}
	}
	if _, err := scan(bytes.NewReader(document), 2); err != nil {
		t.Errorf("whole: %v", err)
	}
	for _, behind := range []string{"\n", " \t\r\n ", "<!-- x -->", "\n<?x y?>\n"} {
		if _, err := scan(strings.NewReader(string(document)+behind), 2); err != nil {
			t.Errorf("with %q behind it: %v", behind, err)
		}
	}
	for n := 1; n < len("<!-- the end -->"); n++ {
		if _, err := scan(strings.NewReader(string(document)+"<!-- the end -->"[:n]), 2); !errors.Is(err, event.ErrMalformed) {
			t.Errorf("cut in the comment behind the root, at byte %d: %v", n, err)
		}
	}
}

func TestScannerMalformed(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("<x>", n) + strings.Repeat("</x>", n) }
	attributes := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ` a%d="x"`, i)
		}
		return b.String()
	}
	tests := map[string]struct{ document, says string }{
		"empty":                      {"", "unexpected EOF"},
		"white space":                {" \n\t ", "unexpected EOF"},
		"a comment only":             {"<!-- x -->", "unexpected EOF"},
		"text":                       {"Service unavailable", "text outside the root element"},
		"JSON":                       {`{"plans":[]}`, "text outside the root element"},
		"HTML":                       {"<!DOCTYPE html><html><body>Maintenance</body></html>", "document type declarations"},
		"text before the root":       {"x<a/>", "text outside the root element"},
		"text behind the root":       {"<a/>x", "text outside the root element"},
		"CDATA behind the root":      {"<a/><![CDATA[x]]>", "text outside the root element"},
		"CDATA before the root":      {"<![CDATA[x]]><a/>", "text outside the root element"},
		"NUL behind the root":        {"<a/>\x00", "text outside the root element"},
		"a second root":              {"<a/><b/>", "a second root <b>"},
		"a second root, too":         {"<a></a><a></a>", "a second root <a>"},
		"an end only":                {"</a>", "closes nothing"},
		"an end too many":            {"<a/></a>", "closes nothing"},
		"another end":                {"<a></b>", "closes nothing"},
		"crossed":                    {"<a><b></a></b>", "closes nothing"},
		"other case":                 {"<a></A>", "closes nothing"},
		"DTD":                        {`<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`, "document type declarations"},
		"DTD inside":                 {`<a><!DOCTYPE a></a>`, "document type declarations"},
		"an entity":                  {`<a><!ENTITY x "y"></a>`, "document type declarations"},
		"an entity bomb":             {`<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x0 "xxxxxxxxxx"><!ENTITY x1 "&x0;&x0;&x0;">]><b>&x1;</b>`, "document type declarations"},
		"a DTD in a record":          {`<a><b><c><!DOCTYPE x></c></b></a>`, "document type declarations"},
		"small letters":              {`<!doctype html><a/>`, "document type declarations"},
		"no name":                    {"<>", "not a tag"},
		"a blank for a name":         {"< a/>", "not a tag"},
		"a digit for a name":         {"<1a/>", "not a tag"},
		"NUL for a name":             {"<\x00/>", "not a tag"},
		"NUL in a name":              {"<a\x00/>", "not a tag"},
		"a quote for a name":         {`<"a"/>`, "not a tag"},
		"an end with more":           {"<a></a b>", "not a tag"},
		"an end with a blank":        {"<a></ a>", "not a tag"},
		"'<' in a tag":               {"<a <b/>", "not a tag"},
		"'<' in a value":             {`<a b="<"/>`, "'<' in the value"},
		"a quote left open":          {`<a b="></a>`, "unexpected EOF"},
		"no value":                   {"<a b></a>", "has no value"},
		"an unquoted value":          {"<a b=c></a>", "is not quoted"},
		"an attribute twice":         {`<a b="1" b="2"/>`, "twice"},
		"an unknown reference":       {`<a b="&nbsp;"/>`, "refused"},
		"no target":                  {"<? x?><a/>", "not a tag"},
		"no instruction":             {"<??><a/>", "not a tag"},
		"a dash too many":            {"<!-- a -- b --><a/>", "'--' inside a comment"},
		"containers too deep":        {deep(xmlstream.MaxDepth + 1), "nested more than 32 deep"},
		"100,000 attributes":         {"<a" + attributes(100_000) + "/>", "a tag of more than 262144 bytes"},
		"129 attributes":             {"<a" + attributes(xmlstream.MaxAttributes+1) + "/>", "more than 128"},
		"a huge tag":                 {`<a b="` + strings.Repeat("x", xmlstream.MaxTagBytes) + `"/>`, "a tag of more than 262144 bytes"},
		"a huge tag that ends never": {`<a b="` + strings.Repeat("x", 2*xmlstream.MaxTagBytes), "a tag of more than 262144 bytes"},
		"a huge comment":             {`<!--` + strings.Repeat("x", 5*xmlstream.MaxRecordBytes), "a record of more than 8388608 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes, err := scan(strings.NewReader(test.document), 100)
			if !errors.Is(err, event.ErrMalformed) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want it malformed: %s", err, test.says)
			}
			if len(err.Error()) > 300 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if strings.HasPrefix(test.says, "unexpected") && len(nodes) > 0 {
				t.Errorf("%d nodes", len(nodes))
			}
		})
	}
}

// TestScannerRecordLimits has limits that only records meet.
func TestScannerRecordLimits(t *testing.T) {
	t.Parallel()
	record := func(size int) string {
		return "<a><r>" + strings.Repeat("x", size-len("<r></r>")) + "</r></a>"
	}
	deep := func(n int) string { return strings.Repeat("<x>", n) + strings.Repeat("</x>", n) }
	for name, test := range map[string]struct {
		document string
		good     bool
	}{
		"as deep as may be":  {"<a>" + deep(xmlstream.MaxDepth-1) + "</a>", true},
		"too deep":           {"<a>" + deep(xmlstream.MaxDepth) + "</a>", false},
		"as large as may be": {record(xmlstream.MaxRecordBytes), true},
		"too large":          {record(xmlstream.MaxRecordBytes + 1), false},
		"endless":            {record(3 * xmlstream.MaxRecordBytes)[:3*xmlstream.MaxRecordBytes], false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := scan(strings.NewReader(test.document), 1)
			if test.good && err != nil || !test.good && !errors.Is(err, event.ErrMalformed) {
				t.Error(err)
			}
		})
	}
}

// TestScannerMemory: what lies behind a record is forgotten, and nothing is allocated for one. It is not
// parallel, since it counts what the whole process allocates.
func TestScannerMemory(t *testing.T) { //nolint:paralleltest // See above.
	record := "<r>" + strings.Repeat("<z a='1'/>", 100) + "</r>\n"
	const records = 20_000 // 20 MB
	document := io.MultiReader(strings.NewReader("<a>"), &repeated{text: record, left: records * len(record)}, strings.NewReader("</a>"))
	s, err := xmlstream.NewScanner(document, 1)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	seen := 0
	for n, err := s.Next(); err != io.EOF; n, err = s.Next() { //nolint:errorlint // io.EOF comes bare, as from a Reader.
		if err != nil {
			t.Fatal(err)
		}
		if n.Kind == xmlstream.Record {
			seen++
		}
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; seen != records || allocated > 1<<20 {
		t.Errorf("%d records of %d, %d bytes allocated", seen, records, allocated)
	}
}

type repeated struct {
	text string
	left int
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.left)], r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.left -= n
	return n, nil
}

// TestScannerPassesErrorsOn: a reader that was cut off has not ended, however whole the document looks.
func TestScannerPassesErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for name, r := range map[string]io.Reader{
		"at once":               iotest.ErrReader(broken),
		"inside":                io.MultiReader(strings.NewReader("<a><b>"), iotest.ErrReader(broken)),
		"behind":                io.MultiReader(strings.NewReader("<a><b/></a>\n"), iotest.ErrReader(broken)),
		"beyond the look-ahead": io.MultiReader(strings.NewReader("<a><b>"+strings.Repeat("x", 5000)), iotest.ErrReader(broken)),
	} {
		if _, err := scan(r, 1); !errors.Is(err, broken) || errors.Is(err, event.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	short := io.MultiReader(strings.NewReader("<a><b/></a>\n"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := scan(short, 1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body shorter than its length: %v", err)
	}
	if _, err := scan(io.MultiReader(strings.NewReader("<a>"+strings.Repeat("x", 5000)), stuck{}), 1); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }
