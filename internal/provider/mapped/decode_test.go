package mapped_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/mapped"
)

const shows = `{"name": "City", "events": [
	{"uid": "a", "name": "Lanterns", "begin": "2030-06-30T21:00:00"},
	{"uid": "b", "name": "Masks", "begin": "2030-07-01T21:00:00"},
	{"uid": "c", "name": "Drums", "begin": "2030-07-02T21:00:00"}]}`

const days = `{"title": "Camp", "days": [
	{"rooms": {"Hall": [{"id": 1, "t": "One"}, {"id": 2, "t": "Two"}], "Tent": [{"id": 3, "t": "Three"}]}},
	{"rooms": {}},
	{"rooms": {"Hall": [{"id": 4, "t": "Four"}]}}]}`

func TestDecodeByEachFormOfMap(t *testing.T) {
	t.Parallel()
	streamed := []string{".events[0]: a: Lanterns", ".events[1]: b: Masks", ".events[2]: c: Drums"}
	tests := map[string]struct {
		records, program, document string
		want                       []string
	}{
		"list, then object":        {"", `.events[] | {id: .uid, title: .name, start: .begin}`, shows, streamed},
		"records, then object":     {`.events[]`, `{id: .uid, title: .name, start: .begin}`, shows, streamed},
		"a list that is computed":  {`.events | reverse[]`, `{id: .uid, title: .name, start: .begin}`, shows, []string{"record 1: c: Drums", "record 2: b: Masks", "record 3: a: Lanterns"}},
		"a selection":              {"", `.events[] | select(.uid != "b") | {id: .uid, title: .name, start: .begin}`, shows, []string{streamed[0], streamed[2]}},
		"object of a whole list":   {"", `[.events[] | {id: .uid, title: .name, start: .begin}][]`, shows, []string{"record 1: a: Lanterns", "record 2: b: Masks", "record 3: c: Drums"}},
		"a variable of the outer":  {"", `.name as $city | .events[] | {id: .uid, title: ($city + " " + .name), start: .begin}`, shows, []string{"record 1: a: City Lanterns", "record 2: b: City Masks", "record 3: c: City Drums"}},
		"a function":               {"", `def t: .name; .events[] | {id: .uid, title: t, start: .begin}`, shows, streamed},
		"a function of a variable": {"", `.name as $city | def t: $city + .name; .events[] | {id: .uid, title: t, start: .begin}`, shows, []string{"record 1: a: CityLanterns", "record 2: b: CityMasks", "record 3: c: CityDrums"}},
		"lists in lists":           {"", `.days[] | .rooms[][] | {id, title: .t, start: "2030-01-01"}`, days, []string{".days[0]/1: 1: One", ".days[0]/2: 2: Two", ".days[0]/3: 3: Three", ".days[2]/1: 4: Four"}},
		"lists in lists, variables": {
			"", `.title as $c | .days[] | .rooms | to_entries[] | .key as $room | .value[] | {id, title: "\($c) \($room) \(.t)", start: "2030-01-01"}`, days,
			[]string{"record 1/1/1: 1: Camp Hall One", "record 1/1/2: 2: Camp Hall Two", "record 1/2/1: 3: Camp Tent Three", "record 3/1/1: 4: Camp Hall Four"},
		},
		"each element is bound": {"", `.events[] as $e | {id: $e.uid, title: "\(.name) \($e.name)", start: $e.begin}`, shows, []string{"record 1: a: City Lanterns", "record 2: b: City Masks", "record 3: c: City Drums"}},
		"destructured":          {"", `. as {$name, events: $all} | $all[] | {id: .uid, title: "\($name) \(.name)", start: .begin}`, shows, []string{"record 1: a: City Lanterns", "record 2: b: City Masks", "record 3: c: City Drums"}},
		"bound twice":           {"", `.name as $n | .events[] | .name as $n | .uid | {id: ., title: $n, start: "2030-01-01"}`, shows, []string{"record 1: a: Lanterns", "record 2: b: Masks", "record 3: c: Drums"}},
		"shadowed on the way":   {"", `"x" as $n | def f: $n; .name as $n | .events[] | {id: (f + .uid), title: $n, start: .begin}`, shows, []string{"record 1: xa: City", "record 2: xb: City", "record 3: xc: City"}},
		"many of one record":    {"", `.events[] | . as $e | range(2) | {id: "\($e.uid)\(.)", title: $e.name, start: $e.begin}`, shows, []string{".events[0]/1: a0: Lanterns", ".events[0]/2: a1: Lanterns", ".events[1]/1: b0: Masks", ".events[1]/2: b1: Masks", ".events[2]/1: c0: Drums", ".events[2]/2: c1: Drums"}},
		"comma":                 {"", `(.events[0], .events[2]) | {id: .uid, title: .name, start: .begin}`, shows, []string{"record 1: a: Lanterns", "record 2: c: Drums"}},
		"recursion":             {"", `.. | objects | select(.uid) | {id: .uid, title: .name, start: .begin}`, shows, []string{"record 3: a: Lanterns", "record 7: b: Masks", "record 11: c: Drums"}},
		"one event":             {"", `{id: .name, title: .name, start: "2030-01-01"}`, shows, []string{"record 1: City: City"}},
		"nothing":               {"", `.events[] | select(false)`, shows, []string{}},
		"nothing, in a list":    {"", `.events[] | {id: .uid, title: .name, start: .begin}`, `{"events": []}`, []string{}},
		"members of an object":  {"", `.events[] | {id: .uid, title: .name, start: .begin}`, `{"events": {"x": {"uid": 1, "name": "A", "begin": "2030-01-01"}}}`, []string{`.events["x"]: 1: A`}},
		"what is a list itself": {"", `.[] | {id: .uid, title: .name, start: .begin}`, `[{"uid": 1, "name": "A", "begin": "2030-01-01"}]`, []string{".[0]: 1: A"}},
		"behind other members":  {"", `.a.b[] | {id: .uid, title: .name, start: .begin}`, `{"z": [[{"b": [1]}]], "a": {"c": {}, "b": [{"uid": 1, "name": "A", "begin": "2030-01-01"}], "d": 1}, "e": null}`, []string{".a.b[0]: 1: A"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := mapped.Settings{Format: mapped.JSON, Records: test.records, Map: test.program}
			if diff := cmp.Diff(test.want, lines(mustDecode(t, settings, test.document))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, lines(mustDecode(t, settings, "\ufeff "+test.document+" \n"))); diff != "" {
				t.Errorf("with a byte order mark and white space (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOneBadRecordCostsOneRecord has a bad record between two good ones.
func TestOneBadRecordCostsOneRecord(t *testing.T) {
	t.Parallel()
	quick := mapped.Limits{StepTime: 100 * time.Millisecond, Heap: 64 << 20, PerRecord: 10}
	tests := map[string]struct {
		program, bad string
		want         []string // of the bad record
	}{
		"jq fails":              {`.[] | {id: .n, title: (.t | ascii_downcase), start: .s}`, `{"n": 7, "t": 5}`, []string{"7: INVALID_RECORD map"}},
		"jq fails on the id":    {`.[] | {id: (.n | if . == 7 then error("x") else . end), title: .t, start: .s}`, `{"n": 7, "t": "x"}`, []string{": INVALID_RECORD map"}},
		"jq fails in a series":  {`.[] | {seriesId: .x, id: .n, title: (.t | ascii_downcase), start: .s}`, `{"n": 7, "x": "s"}`, []string{"s/7: INVALID_RECORD map"}},
		"jq fails before it":    {`.[] | (.t | ascii_downcase) as $t | {id: .n, title: $t, start: .s}`, `{"n": 7, "t": 5}`, []string{": INVALID_RECORD map"}},
		"jq fails on the dates": {`.[] | .x as $s | .t as $t | .s as $d | (.dates | if . then .[] else "." end) | {seriesId: $s, id: "\($s)", title: $t, start: $d}`, `{"x": "s", "t": "x", "s": "2030-01-01", "dates": "TBA"}`, []string{"s/: INVALID_RECORD map"}},
		"jq fails halfway":      {`.[] | {id: (.n, .m // empty), title: .t, start: .s} | if .id == 8 then error("no") else . end`, `{"n": 7, "m": 8, "t": "x", "s": "2030-01-01"}`, []string{"7: x", ": INVALID_RECORD map"}},
		"error of a list":       {`.[] | if .n == 7 then error([1]) else {id: .n, title: .t, start: .s} end`, `{"n": 7}`, []string{": INVALID_RECORD map"}},
		"no object":             {`.[] | if .n == 7 then "x" else {id: .n, title: .t, start: .s} end`, `{"n": 7}`, []string{": INVALID_RECORD map"}},
		"null":                  {`.[] | if .n == 7 then null else {id: .n, title: .t, start: .s} end`, `{"n": 7}`, []string{": INVALID_RECORD map"}},
		"unknown field":         {`.[] | {id: .n, title: .t, start: .s} + if .n == 7 then {venue: "x"} else {} end`, `{"n": 7, "t": "x", "s": "2030-01-01"}`, []string{"7: INVALID_RECORD venue"}},
		"an empty field":        {`.[] | {id: .n, title: .t, start: .s, url: (if .u then .u | ascii_downcase else null end)?}`, `{"n": 7, "u": 5}`, []string{"7: INVALID_RECORD map"}},
		"an empty addend":       {`.[] | {id: .n, title: .t, start: .s} + if .n == 7 then empty else {} end`, `{"n": 7, "u": 5}`, []string{"7: INVALID_RECORD map"}},
		"an empty id":           {`.[] | {id: (.n | select(. != 7)), title: .t, start: .s}`, `{"n": 7, "t": "x", "s": "2030-01-01"}`, []string{": MISSING_ID map"}},
		"an empty series":       {`.[] | {seriesId: (.n | select(. != 7)), id: .n, title: .t, start: .s}`, `{"n": 7, "t": "x", "s": "2030-01-01"}`, []string{": MISSING_ID map"}},
		"left out":              {`.[] | select(.n != 7) | {id: .n, title: .t, start: .s}`, `{"n": 7}`, []string{}},
		"left out in between":   {`.[] | .n as $n | select($n != 7) | {id: $n, title: .t, start: .s}`, `{"n": 7}`, []string{}},
		"left out by nothing":   {`.[] | if .n == 7 then empty else {id: .n, title: .t, start: .s} end`, `{"n": 7}`, []string{}},
		"fails in an addend":    {`.[] | {id: .n, title: .t, start: .s} + {} + if .n == 7 then {url: (.u | ascii_downcase)} else {url: null} end`, `{"n": 7, "u": 5}`, []string{"7: INVALID_RECORD map"}},
		"no record at all":      {`.[] | {id: .n, title: .t, start: .s}`, `"text"`, []string{": INVALID_RECORD map"}},
		"no id":                 {`.[] | {id: .n, title: .t, start: .s}`, `{"t": "x", "s": "2030-01-01"}`, []string{": MISSING_ID id"}},
		"no such day":           {`.[] | {id: .n, title: .t, start: .s}`, `{"n": 7, "t": "x", "s": "2021-09-31T20:00"}`, []string{"7: INVALID_DATE start"}},
		"date of another form":  {`.[] | {id: .n, title: .t, start: (.s | if .[2:3] == "." then date("DD.MM.YYYY") else . end)}`, `{"n": 7, "t": "x", "s": "31.09.2021"}`, []string{"7: INVALID_DATE date"}},
		"no price":              {`.[] | {id: .n, title: .t, start: .s, price: (.p | if . then decimal else . end)}`, `{"n": 7, "t": "x", "s": "2030-01-01", "p": "free"}`, []string{"7: INVALID_PRICE decimal"}},
		"a loop":                {`.[] | {id: .n, title: .t, start: .s, url: (if .n == 7 then last(repeat(1)) else null end)}`, `{"n": 7}`, []string{"7: TOO_LARGE map"}},
		"an endless call":       {`def f: f; .[] | {id: .n, title: .t, start: .s, url: (if .n == 7 then f else null end)}`, `{"n": 7}`, []string{"7: TOO_LARGE map"}},
		"growth":                {`def f: "\(.)\(.)" | f; .[] | {id: .n, title: .t, start: .s, url: (if .n == 7 then ("x" | f) else null end)}`, `{"n": 7}`, []string{"7: TOO_LARGE map"}},
		"too many":              {`.[] | . as $r | {id: "\(.n)\(if .n == 7 then range(1000) else 0 end)", title: .t, start: .s}`, `{"n": 7, "t": "x", "s": "2030-01-01"}`, []string{"70: x", "71: x", "72: x", "73: x", "74: x", "75: x", "76: x", "77: x", "78: x", "79: x", ": TOO_LARGE map"}},
		"NUL":                   {`.[] | {id: .n, title: .t, start: .s}`, `{"n": 7, "t": "a\u0000b", "s": "2030-01-01"}`, []string{"7: INVALID_TEXT title"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const good = `{"n": %d, "t": "good", "s": "2030-01-01"}`
			document := fmt.Sprintf("["+good+",%s,"+good+"]", 1, test.bad, 2)
			for _, s := range []mapped.Settings{
				{Format: mapped.JSON, Map: test.program, Limits: quick},
				{Format: mapped.JSON, Map: strings.Replace(test.program, ".[] |", "(.[] | .) |", 1), Limits: quick}, // not streamed
			} {
				got := lines(mustDecode(t, s, document))
				if len(got) < 2 || !strings.HasSuffix(got[0], ": good") || !strings.HasSuffix(got[len(got)-1], ": good") {
					t.Fatalf("the good ones are not there: %q", got)
				}
				got = got[1 : len(got)-1]
				for i := range got {
					_, got[i], _ = strings.Cut(got[i], ": ")
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestTextThatIsNoUTF8: encoding/json puts the same character in the place of all bytes that are none.
func TestTextThatIsNoUTF8(t *testing.T) {
	t.Parallel()
	const document = "[{\"n\": \"caf\xe9\"}, {\"n\": \"caf\xe8\"}, {\"n\": \"b\", \"x\": \"\xff\"}, {\"n\": \"\U0001f3b7\"}]"
	for _, program := range []string{`.[]`, `(.[] | .)`} {
		s := mapped.Settings{Format: mapped.JSON, Map: program + ` | {id: .n, title: "x", start: "2030-01-01"}`}
		var got []string
		for _, line := range lines(mustDecode(t, s, document)) {
			_, line, _ = strings.Cut(line, ": ")
			got = append(got, line)
		}
		want := []string{"caf\ufffd: INVALID_TEXT record", "caf\ufffd: INVALID_TEXT record", "b: x", "\U0001f3b7: x"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", program, diff)
		}
		if rec := mustDecode(t, s, "[{\"n\": \"\ufffd\"}]")[0]; rec.Invalid != nil {
			t.Errorf("that character itself: %v", rec.Invalid)
		}
		for rec, err := range compile(t, s).Decode(t.Context(), iotest.OneByteReader(strings.NewReader("[{\"n\": \"\U0001f3b7 \ufffd\"}]")), madrid(t)) {
			if err != nil || rec.Invalid != nil {
				t.Errorf("byte by byte: %v, %v", rec.Invalid, err)
			}
		}
	}
}

func TestQuarantineTellsWhy(t *testing.T) {
	t.Parallel()
	settings := mapped.Settings{Format: mapped.JSON, Map: `.events[] | {id: .uid, title: .name, start: .begin, "venue": .v}`}
	records := mustDecode(t, settings, shows)
	rec := records[1]
	if want := `venue: INVALID_RECORD: no such field; there are allDay, `; !strings.HasPrefix(rec.Invalid.Error(), want) {
		t.Errorf("%s, want %s…", rec.Invalid, want)
	}
	if want := `{"begin":"2030-07-01T21:00:00","name":"Masks","uid":"b"}`; rec.Excerpt != want {
		t.Errorf("excerpt %s, want %s", rec.Excerpt, want)
	}
	long := mustDecode(t, mapped.Settings{Format: mapped.JSON, Map: `.[] | error(.)`}, `["`+strings.Repeat("ñ", 100_000)+`"]`)[0]
	if len(long.Invalid.Error()) > 1000 || len(long.Excerpt) > event.MaxExcerptBytes {
		t.Errorf("%d bytes of reason, %d of excerpt", len(long.Invalid.Error()), len(long.Excerpt))
	}
}

func TestWhatCostsTheSnapshot(t *testing.T) {
	t.Parallel()
	// What tests beside these use counts as well: here it is not about memory.
	limits := mapped.Limits{Time: 300 * time.Millisecond, StepTime: 100 * time.Millisecond, Heap: 1 << 30, Document: 1 << 20, Record: 1 << 10, Events: 5_000}
	const object = `{id: ., title: "x", start: "2030-01-01"}`
	tests := map[string]struct {
		format, records, program, document, want string
	}{
		"loops for ever":                 {mapped.JSON, "", `last(repeat(1)) | ` + object, `{}`, "takes too long"},
		"loops for ever, as records":     {mapped.JSON, `def f: f; f`, object, `{}`, "takes too long"},
		"loops without records":          {mapped.JSON, "", `{id: last(range(infinite)), title: "x", start: "x"}`, `{}`, "takes too long"},
		"loops on each record":           {mapped.JSON, "", `.[] | {id: last(repeat(1)), title: "x", start: "x"}`, `[1,2,3,4,5,6,7,8]`, "takes too long"},
		"yields a million":               {mapped.JSON, "", `range(1000000) | ` + object, `{}`, "more than 5000"},
		"yields a million, no records":   {mapped.JSON, "", `{id: range(1000000), title: "x", start: "2030-01-01"}`, `{}`, "more than 5000"},
		"yields a million, by records":   {mapped.JSON, `(1, 2)`, `range(4000) | ` + object, `{}`, "more than 5000"},
		"fails before there are any":     {mapped.JSON, "", `.events | map(.x) | .[] | ` + object, `{"events": 5}`, "before there are records"},
		"fails without records":          {mapped.JSON, "", `{id: (.a | ascii_downcase)}`, `{"a": 5}`, "map: "},
		"the list is none":               {mapped.JSON, "", `.events[] | ` + object, `{"events": 5}`, "no list at .events"},
		"the list is missing":            {mapped.JSON, "", `.events[] | ` + object, `{"error": "try again"}`, "no list at .events"},
		"the list is somewhere else":     {mapped.JSON, "", `.events[] | ` + object, `[{"events": [1]}]`, "leads through a list"},
		"an error page":                  {mapped.JSON, "", `.events[] | ` + object, `<html>`, "invalid character"},
		"an empty document":              {mapped.JSON, "", `.events[] | ` + object, ``, "unexpected EOF"},
		"an empty document, whole":       {mapped.JSON, "", `.events | ` + object, ``, "unexpected EOF"},
		"two documents":                  {mapped.JSON, "", `.[] | ` + object, `[1] [2]`, "follows the end of the document"},
		"two documents, whole":           {mapped.JSON, "", object, `1 2`, "follows the end of the document"},
		"nested":                         {mapped.JSON, "", `.[] | ` + object, strings.Repeat("[", 300) + strings.Repeat("]", 300), "nested"},
		"nested deeply":                  {mapped.JSON, "", `.[] | ` + object, strings.Repeat("[", 20_000), ""},
		"a large document":               {mapped.JSON, "", `length | ` + object, `"` + strings.Repeat("x", 2<<20) + `"`, "too large"},
		"a large record":                 {mapped.JSON, "", `.[] | ` + object, `["` + strings.Repeat("x", 100<<10) + `"]`, "too large"},
		"a large XML document":           {mapped.XML, "", `.a.b[] | ` + object, `<a>` + strings.Repeat("<b/>", 300_000) + `</a>`, "too large"},
		"a large row":                    {mapped.CSV, "", object, "a,b\n1," + strings.Repeat("x", 100<<10), "too large"},
		"XML with an entity":             {mapped.XML, "", `.a | ` + object, `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, "refused"},
		"XML that is cut off":            {mapped.XML, "", `.a | ` + object, `<a><b/>`, "unexpected EOF"},
		"CSV with a quote left open":     {mapped.CSV, "", object, "a,b\n1,\"x\n", `"`},
		"CSV, quotes in lines of a cell": {mapped.CSV, "", object, "a,b\n1,\"x\ny\" z\n", `"`},
		"CSV of nothing":                 {mapped.CSV, "", object, "", "no header line"},
		"CSV that is a sentence":         {mapped.CSV, "", object, "Service temporarily unavailable\n", "not a header line"},
		"CSV of lines that end with CR":  {mapped.CSV, "", object, "a,b\r1,2\r", "CR alone"},
		"CSV, CR alone, quoted names":    {mapped.CSV, "", object, "\"a\",\"b\"\r1,2\r", "CR alone"},
		"CSV, a name's quote left open":  {mapped.CSV, "", object, "a;\"b\n1;2\n", `line 2: `},
		"CSV, a quote in a name":         {mapped.CSV, "", object, "\"a\nb\";c \"d\"\n1;2\n", `line 2: `},
		"CSV, a bad row below such":      {mapped.CSV, "", object, "\"a\nb\",c\n1,\"x\ny\" z\n", `line 4: `},
		"CSV of two columns of a name":   {mapped.CSV, "", object, "a,a\n1,2\n", "two columns"},
		"CSV, records, a row of extras":  {mapped.CSV, `reverse[]`, object, "a,b\n1,2,3\n", "line 2: 3 cells"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, err := decode(t, mapped.Settings{Format: test.format, Records: test.records, Map: test.program, Limits: limits}, test.document)
			if !errors.Is(err, event.ErrMalformed) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestGrowth is not parallel to others: what these use counts as well.
func TestGrowth(t *testing.T) { //nolint:paralleltest // see above
	for name, grow := range map[string]string{
		"a text":     `def f: "\(.)\(.)" | f; "x" | f`,
		"a list":     `[repeat(1)] | length`,
		"many texts": `[repeat("x" * 1000)] | length`,
		"a depth":    `def f: [.] | f; 1 | f`,
	} {
		limits := mapped.Limits{Time: time.Minute, StepTime: time.Minute, Heap: 32 << 20}
		_, err := decode(t, mapped.Settings{Format: mapped.JSON, Records: grow, Map: "{}", Limits: limits}, "{}")
		if !errors.Is(err, event.ErrMalformed) || !strings.Contains(err.Error(), "too much memory") {
			t.Errorf("%s: %v", name, err)
		}
		records, err := decode(t, mapped.Settings{Format: mapped.JSON, Records: "1, 2", Map: "if . == 1 then " + grow + ` else {id: ., title: "x", start: "2030-01-01"} end`, Limits: limits}, "{}")
		if got := lines(records); err != nil || len(got) != 2 || got[0] != "record 1: : TOO_LARGE map" || got[1] != "record 2: 2: x" {
			t.Errorf("%s, on one record: %q, %v", name, got, err)
		}
	}
}

// TestStoppingEarly leaves nothing behind, which TestMain checks.
func TestStoppingEarly(t *testing.T) {
	t.Parallel()
	for _, program := range []string{`.events[] | {id: .uid, title: .name, start: .begin}`, `(.events[] | .) | {id: .uid, title: .name, start: .begin}`} {
		count := 0
		for rec, err := range compile(t, mapped.Settings{Format: mapped.JSON, Map: program}).Decode(t.Context(), strings.NewReader(shows), madrid(t)) {
			if err != nil || rec.Invalid != nil {
				t.Fatal(err, rec.Invalid)
			}
			if count++; count == 2 {
				break
			}
		}
	}
}

// TestTheReaderMayTakeItsTime: what counts is the time that the map takes.
func TestTheReaderMayTakeItsTime(t *testing.T) {
	t.Parallel()
	limits := mapped.Limits{Time: 500 * time.Millisecond, StepTime: 400 * time.Millisecond}
	for _, program := range []string{`.events[] | {id: .uid, title: .name, start: .begin}`, `(.events[] | .) | {id: .uid, title: .name, start: .begin}`} {
		m := compile(t, mapped.Settings{Format: mapped.JSON, Map: program, Limits: limits})
		count := 0
		for rec, err := range m.Decode(t.Context(), strings.NewReader(shows), madrid(t)) {
			if err != nil || rec.Invalid != nil {
				t.Fatal(err, rec.Invalid)
			}
			time.Sleep(300 * time.Millisecond)
			count++
		}
		if count != 3 {
			t.Errorf("%d events", count)
		}
	}
}
