package mapped_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/mapped"
)

// asJSON is what a map sees of a document.
func asJSON(tb testing.TB, s mapped.Settings, document string) string {
	tb.Helper()
	s.Records, s.Map = ".", `{id: 1, title: "x", start: "2030-01-01", attributes: {v: .}}`
	records := mustDecode(tb, s, document)
	if len(records) != 1 || records[0].Invalid != nil {
		tb.Fatalf("%v", records)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(records[0].Event.Attributes), `{"v":`), "}")
}

func TestXMLAsJSON(t *testing.T) {
	t.Parallel()
	lists := mapped.Settings{Format: mapped.XML, Lists: []string{"show"}}
	tests := []struct {
		settings       mapped.Settings
		document, want string
	}{
		{mapped.Settings{}, `<a/>`, `{"a":null}`},
		{mapped.Settings{}, `<a></a>`, `{"a":null}`},
		{mapped.Settings{}, `<?xml version="1.0"?><!-- c --><a x="1" y=" 2 "/>`, `{"a":{"@x":"1","@y":"2"}}`},
		{mapped.Settings{}, `<shows day="1"><show>A</show><show lang="en"> B </show><note/></shows>`, `{"shows":{"@day":"1","note":null,"show":["A",{"#text":"B","@lang":"en"}]}}`},
		{mapped.Settings{}, `<a><b>1</b><c/><b>2</b><b/></a>`, `{"a":{"b":["1","2",null],"c":null}}`},
		{mapped.Settings{}, `<a><b><c><d>x</d></c></b></a>`, `{"a":{"b":{"c":{"d":"x"}}}}`},
		{mapped.Settings{}, `<a><b>x<c/>y <![CDATA[<z>&amp;]]>&amp;&#233;</b></a>`, `{"a":{"b":{"#text":"xy \u003cz\u003e\u0026amp;\u0026é","c":null}}}`},
		{mapped.Settings{}, `<a xmlns:n="u"><n:b n:c="1"/></a>`, `{"a":{"@xmlns:n":"u","n:b":{"@n:c":"1"}}}`},
		{mapped.Settings{}, `<a><show>1</show></a>`, `{"a":{"show":"1"}}`},
		{lists, `<a><show>1</show></a>`, `{"a":{"show":["1"]}}`},
		{lists, `<a><show>1</show><show/></a>`, `{"a":{"show":["1",null]}}`},
		{lists, `<a><b><show/></b></a>`, `{"a":{"b":{"show":[null]}}}`},
		{mapped.Settings{}, "<?xml version='1.0' encoding='ISO-8859-1'?><a><b>\xe9</b></a>", `{"a":{"b":"é"}}`},
	}
	for _, test := range tests {
		test.settings.Format = mapped.XML
		got := strings.NewReplacer(`<`, `\u003c`, `>`, `\u003e`, `&`, `\u0026`).Replace(asJSON(t, test.settings, test.document))
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.document, got, test.want)
		}
	}
}

func TestXMLEvents(t *testing.T) {
	t.Parallel()
	settings := mapped.Settings{Format: mapped.XML, Lists: []string{"show"}, Map: `.shows.show[] | {id: ."@id", title: .name, start: .when, price}`}
	want := []string{"record 1: 1: A", "record 2: 2: INVALID_TEXT title", "record 3: 3: C"}
	got := lines(mustDecode(t, settings, "<shows>\n<show id='1'><name>A</name><when>2030-01-01T20:00</when><price>5.50</price></show>"+
		"<show id='2'><name>\xff</name><when>2030-01-01</when></show><show id='3'><name>C</name><when>2030-01-01</when></show></shows>"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	const program = `{id, title: .name, start: .when, price: (.price | decimal)}`
	good := []string{"line 2: 1: A", "line 3: 2: B; b"}
	tests := map[string]struct {
		settings mapped.Settings
		document string
		want     []string
	}{
		"commas":            {mapped.Settings{}, "id,name,when,price\n1,A,2030-01-01,5\n2,B; b,2030-01-01,\n", good},
		"semicolons":        {mapped.Settings{}, "id;name;when;price\r\n1;A;2030-01-01;5,50\r\n2;\"B; b\";2030-01-01;", good},
		"tabs":              {mapped.Settings{}, "id\tname\twhen\tprice\n1\tA\t2030-01-01\t5\n2\tB; b\t2030-01-01\t\n", good},
		"pipes, set":        {mapped.Settings{Separator: "|"}, "id|name|when|price\n1|A|2030-01-01|5\n2|B; b|2030-01-01|\n", good},
		"byte order mark":   {mapped.Settings{}, "\ufeffid,name,when,price\n1,A,2030-01-01,5\n2,B; b,2030-01-01,\n", good},
		"UTF-16":            {mapped.Settings{}, "\xff\xfei\x00d\x00,\x00n\x00a\x00m\x00e\x00,\x00w\x00h\x00e\x00n\x00\n\x001\x00,\x00A\x00,\x002\x000\x003\x000\x00-\x000\x001\x00-\x000\x001\x00", []string{"line 2: 1: A"}},
		"charset":           {mapped.Settings{Charset: "windows-1252"}, "id,name,when\n1,\xe9,2030-01-01\n", []string{"line 2: 1: é"}},
		"another charset":   {mapped.Settings{}, "id,name,when\n1,\xe9,2030-01-01\n2,B; b,2030-01-01\n", []string{"line 2: 1: INVALID_TEXT title", "line 3: 2: B; b"}},
		"quoted header":     {mapped.Settings{}, "\"id\";\"name, and more,,,\";\"name\";when\n1;x;A;2030-01-01\n", []string{"line 2: 1: A"}},
		"blank lines":       {mapped.Settings{}, "\nid, name ,when\n\n1,A,2030-01-01\n\n2,B; b,2030-01-01\n\n", []string{"line 4: 1: A", "line 6: 2: B; b"}},
		"lines in a cell":   {mapped.Settings{}, "id,name,when\n1,\"A\nB\",2030-01-01\n2,C,2030-01-01\n", []string{"line 2: 1: A\nB", "line 4: 2: C"}},
		"short and long":    {mapped.Settings{}, "id,name,when,price\n1,A,2030-01-01\n2,B,2030-01-01,5,,\n3,C,2030-01-01,5,,x\n4,D,2030-01-01,5\n", []string{"line 2: 1: A", "line 3: 2: B", "line 4: 3: INVALID_RECORD record", "line 5: 4: D"}},
		"lines in a name":   {mapped.Settings{Map: `{id: ."Event\nID", title: .name, start: .when}`}, "\"Event\nID\";name;when\n1;A;2030-01-01\n2;\"B; b\";2030-01-01\n", []string{"line 3: 1: A", "line 4: 2: B; b"}},
		"lines with CRLF":   {mapped.Settings{Map: `{id: ."Event\n\nID", title: .name, start: .when}`}, "\"Event\r\n\r\nID\"\tname\t\"when\"\r\n1\tA\t2030-01-01\r\n", []string{"line 4: 1: A"}},
		"CR in a name":      {mapped.Settings{Map: `{id: ."Event\rID", title: .name, start: .when}`}, "\"Event\rID\",name,when\n1,A,2030-01-01\n", []string{"line 2: 1: A"}},
		"quotes in a name":  {mapped.Settings{Map: `{id: ."the \"id\",\n,,", title: .name, start: .when}`}, "\"the \"\"id\"\",\n,,\";\"name\n\";when\n1;A;2030-01-01\n", []string{"line 4: 1: A"}},
		"by such a name":    {mapped.Settings{Map: `{id: ."Event\nID", title: .name, start: .when}`}, "\"Event\nID\",name,when\n1,A \"B\",2030-01-01\n2,\"B\nb\",2030-01-01\n3,C,2030-01-01,x\n4,D,2030-01-01\n", []string{"line 3: 1: INVALID_RECORD record", "line 4: 2: B\nb", "line 6: 3: INVALID_RECORD record", "line 7: 4: D"}},
		"blank lines first": {mapped.Settings{}, "\r\n\nid;name;when\n1;A;2030-01-01\n", []string{"line 4: 1: A"}},
		"nameless column":   {mapped.Settings{}, "id,name,,when,\n1,A,x,2030-01-01,\n", []string{"line 2: 1: A"}},
		"a quote too many":  {mapped.Settings{}, "id,name,when\n1,A \"B\" C,2030-01-01\n2,B; b,2030-01-01\n", []string{"line 2: 1: INVALID_RECORD record", "line 3: 2: B; b"}},
		"quotes in quotes":  {mapped.Settings{}, "id,name,when\n\n1,\"The \"Best\" Show\",2030-01-01\n2,\"Best\" of,2030-01-01\n3,C,2030-01-01\n", []string{"line 3: 1: INVALID_RECORD record", "line 4: 2: INVALID_RECORD record", "line 5: 3: C"}},
		"Excel's sep":       {mapped.Settings{}, "sep=;\r\nid;name;when;price;a,b,c,d,e,f\r\n1;A;2030-01-01;5,50\r\n2;\"B; b\";2030-01-01;", []string{"line 3: 1: A", "line 4: 2: B; b"}},
		"Excel's SEP":       {mapped.Settings{Map: `{id, title: .name, start: .when}`}, "\ufeffSEP=|\nid|name|when|a,b,c,d,e\n1|A|2030-01-01|\n2|B; b|2030-01-01|\n", []string{"line 3: 1: A", "line 4: 2: B; b"}},
		"a column sep=x":    {mapped.Settings{}, "sep=x,id,name,when\n,1,A,2030-01-01\n", []string{"line 2: 1: A"}},
		"header only":       {mapped.Settings{}, "id,name,when\n", []string{}},
		"rows by the map":   {mapped.Settings{Map: ".[] | " + program}, "id,name,when,price\n1,A,2030-01-01,5\n2,B; b,2030-01-01,\n", good},
		"rows by records":   {mapped.Settings{Records: ".[]", Map: program}, "id,name,when,price\n1,A,2030-01-01,5\n2,B; b,2030-01-01,\n", good},
		"the table by jq":   {mapped.Settings{Records: "reverse[]", Map: program}, "id,name,when,price\n1,A,2030-01-01,5\n2,B,2030-01-01,\n", []string{"record 1: 2: B", "record 2: 1: A"}},
		"several of a row":  {mapped.Settings{Map: `(.when | split("|")[]) as $day | {id: (.id + $day), title: .name, start: $day}`}, "id,name,when\n1,A,2030-01-01|2030-01-02\n", []string{"line 2/1: 12030-01-01: A", "line 2/2: 12030-01-02: A"}},
		"jq fails on a row": {mapped.Settings{Map: `{id, title: (.name | if . == "A" then error("no") else . end), start: .when}`}, "id,name,when\n1,A,2030-01-01\n2,B,2030-01-01\n", []string{"line 2: 1: INVALID_RECORD map", "line 3: 2: B"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := test.settings
			s.Format = mapped.CSV
			if s.Map == "" {
				s.Map = program
			}
			if diff := cmp.Diff(test.want, lines(mustDecode(t, s, test.document))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryTruncationIsNoticed: half a snapshot must never pass for a whole one.
func TestEveryTruncationIsNoticed(t *testing.T) {
	t.Parallel()
	const object = `{id: .uid, title: .name, start: .begin}`
	for name, s := range map[string]mapped.Settings{
		"json, streamed": {Format: mapped.JSON, Map: `.events[] | ` + object},
		"json, whole":    {Format: mapped.JSON, Map: `(.events[] | .) | ` + object},
		"xml":            {Format: mapped.XML, Map: `.events.event[] | ` + object},
	} {
		document := shows
		if s.Format == mapped.XML {
			document = `<?xml version="1.0"?><events><event><uid>1</uid><name>A</name><begin>2030-01-01</begin></event><event><uid>2</uid><name>A</name><begin>2030-01-01</begin></event></events>`
		}
		for n := range len(document) {
			if _, err := decode(t, s, document[:n]); !errors.Is(err, event.ErrMalformed) {
				t.Errorf("%s: %d bytes: %v", name, n, err)
			}
			cut := io.MultiReader(strings.NewReader(document[:n]), iotest.ErrReader(io.ErrClosedPipe))
			var failure error
			for _, err := range compile(t, s).Decode(t.Context(), cut, madrid(t)) {
				failure = err
			}
			if !errors.Is(failure, io.ErrClosedPipe) {
				t.Errorf("%s: %d bytes, then a failure to read: %v", name, n, failure)
			}
		}
	}
}

// TestStreamsAreEndless in memory that does not grow: more than a whole document may hold.
func TestStreamsAreEndless(t *testing.T) {
	t.Parallel()
	const count = 100_000
	limits := mapped.Limits{Document: 1000, Record: 100 << 10, Events: 10, Heap: 1 << 30} // what tests beside these use counts as well
	for name, s := range map[string]struct {
		settings         mapped.Settings
		head, each, tail string
	}{
		"json": {mapped.Settings{Format: mapped.JSON, Map: `.a.b[] | {id, title: "x", start: "2030-01-01"}`}, `{"z": [` + strings.Repeat(`[1], `, 100_000) + `0], "a": {"b": [0`, `, {"id": %d}`, `]}, "y": [` + strings.Repeat(`{"a": 1}, `, 50_000) + `0]}`},
		"csv":  {mapped.Settings{Format: mapped.CSV, Map: `{id, title: "x", start: "2030-01-01"}`}, "id,name\nx,\n", "%d,name\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w := io.Pipe()
			go func() {
				io.WriteString(w, s.head)
				for i := range count {
					fmt.Fprintf(w, s.each, i)
				}
				io.WriteString(w, s.tail)
				w.Close()
			}()
			s.settings.Limits = limits
			events := -1 // the first is a bad one, or a good one too many
			for rec, err := range compile(t, s.settings).Decode(t.Context(), r, madrid(t)) {
				if err != nil {
					t.Fatal(err)
				}
				if events++; events > 0 && rec.Invalid != nil {
					t.Fatal(rec.Invalid)
				}
			}
			if events != count {
				t.Errorf("%d events", events)
			}
		})
	}
}
