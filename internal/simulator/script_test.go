package simulator_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/simulator"
)

const threeRecords = `<planList><output><base_plan base_plan_id="1">
<plan plan_start_date="2026-01-01T20:00:00" plan_id="1"><zone zone_id="1" price="10.00"/></plan>
<plan plan_start_date="2026-01-02T20:00:00" plan_id="2"/>
<plan plan_start_date="2026-01-03T20:00:00" plan_id="3"></plan>
</base_plan></output></planList>`

func load(t *testing.T, text string) simulator.Script {
	t.Helper()
	s, err := simulator.LoadScript(strings.NewReader(text), "script.yaml", fstest.MapFS{"three.xml": {Data: []byte(threeRecords)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScriptPlaysItsSteps(t *testing.T) {
	t.Parallel()
	server := serve(t, load(t, `
then: loop
steps:
  - status: 503
    headers: {Retry-After: 120, x-note: "a b"}
    body: {inline: "Come back later"}
    repeat: 2
  - body: {file: three.xml}
    truncateAt: 20
  - status: 204
`).Handler(simulator.Options{Clock: fixed().Now}))
	for round := range 2 {
		for range 2 {
			if peeked := get(t, server, http.MethodGet, "/api/events?peek=1"); peeked.status != http.StatusServiceUnavailable {
				t.Errorf("round %d: peek gives %d, want 503", round, peeked.status)
			}
			got := get(t, server, http.MethodGet, "/api/events")
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "120" || got.header.Get("X-Note") != "a b" || string(got.body) != "Come back later" {
				t.Errorf("round %d: %d %v %s", round, got.status, got.header, got.body)
			}
		}
		cut := get(t, server, http.MethodGet, "/api/events")
		if !errors.Is(cut.err, io.ErrUnexpectedEOF) || string(cut.body) != threeRecords[:20] {
			t.Errorf("round %d: %q, %v; want 20 bytes and an unexpected EOF", round, cut.body, cut.err)
		}
		if empty := get(t, server, http.MethodGet, "/api/events"); empty.status != http.StatusNoContent || empty.err != nil {
			t.Errorf("round %d: %d, %v; want 204", round, empty.status, empty.err)
		}
	}
}

func TestScriptHolds(t *testing.T) {
	t.Parallel()
	server := serve(t, load(t, `{steps: [{status: 500}, {status: 200, repeat: 2}]}`).Handler(simulator.Options{}))
	for n, want := range []int{500, 200, 200, 200, 200, 200} {
		if got := get(t, server, http.MethodGet, "/api/events"); got.status != want {
			t.Errorf("answer %d: %d, want %d", n, got.status, want)
		}
	}
}

func TestScriptServesTheWorld(t *testing.T) {
	t.Parallel()
	server := serve(t, load(t, `
then: loop
steps:
  - body: {world: planList}
  - body: {world: eventList}
    headers: {Content-Type: text/xml}
  - body: {world: planList}
    mutate: [{drop: 1}]
`).Handler(simulator.Options{Clock: fixed().Now, Seed: 4}))
	reference := serve(t, simulator.New(simulator.Options{Clock: fixed().Now, Seed: 4}))

	plain := get(t, server, http.MethodGet, "/api/events")
	if !bytes.Equal(plain.body, get(t, reference, http.MethodGet, "/api/events").body) {
		t.Error("the first answer is not the world")
	}
	if got := plain.header.Get("Content-Type"); got != "application/xml; charset=utf-8" {
		t.Errorf("content type %s", got)
	}
	second := get(t, server, http.MethodGet, "/api/events")
	if !bytes.Equal(second.body, get(t, reference, http.MethodGet, "/api/events?generation=eventList").body) {
		t.Error("the second answer is not the world, moved on")
	}
	if got := second.header.Get("Content-Type"); got != "text/xml" {
		t.Errorf("content type %s, want the script's", got)
	}
	dropped, whole := get(t, server, http.MethodGet, "/api/events"), get(t, reference, http.MethodGet, "/api/events")
	if got, want := bytes.Count(dropped.body, []byte("<plan ")), bytes.Count(whole.body, []byte("<plan "))-1; got != want {
		t.Errorf("%d records, want %d", got, want)
	}
}

// A mutation that the world of the moment cannot take says so.
func TestScriptMutationOfMissingRecord(t *testing.T) {
	t.Parallel()
	server := serve(t, load(t, `{steps: [{body: {world: planList}, mutate: [{drop: 1000}]}]}`).Handler(simulator.Options{Clock: fixed().Now}))
	if got := get(t, server, http.MethodGet, "/api/events"); got.status != http.StatusInternalServerError || !bytes.Contains(got.body, []byte("no such record")) {
		t.Errorf("%d %s; want 500 and the reason", got.status, got.body)
	}
}

func TestMutations(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, mutate, want string
	}{
		{"drop", `[{drop: 2}]`, strings.Replace(threeRecords, `<plan plan_start_date="2026-01-02T20:00:00" plan_id="2"/>`, "", 1)},
		{"duplicate", `[{duplicate: 2}]`, strings.Replace(threeRecords, `plan_id="2"/>`, `plan_id="2"/><plan plan_start_date="2026-01-02T20:00:00" plan_id="2"/>`, 1)},
		{"break date", `[{breakDate: 3}]`, strings.Replace(threeRecords, "2026-01-03", "2026-02-30", 1)},
		{"replace", `[{replace: {pattern: 'price="(\d+)', with: 'price="x$1'}}]`, strings.Replace(threeRecords, `"10.00"`, `"x10.00"`, 1)},
		{"one after the other", `[{drop: 1}, {breakDate: 1}, {drop: 2}]`, `<planList><output><base_plan base_plan_id="1">` +
			"\n\n" + `<plan plan_start_date="2026-02-30T20:00:00" plan_id="2"/>` + "\n\n</base_plan></output></planList>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, load(t, `{steps: [{body: {file: three.xml}, mutate: `+tc.mutate+`}]}`).Handler(simulator.Options{}))
			if diff := cmp.Diff(tc.want, string(get(t, server, http.MethodGet, "/api/events").body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestScriptErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		line       int
		field      string
		says       string
	}{
		{"unknown key", "steps:\n  - status: 200\n    statsu: 3\n", 3, "steps[0].statsu", `unknown field "statsu"`},
		{"unknown key at the top", "steps: []\nloop: true\n", 2, "loop", "unknown field"},
		{"unknown key in a body", "steps:\n  - body: {inlin: x}\n", 2, "steps[0].body.inlin", "unknown field"},
		{"wrong type", "steps:\n  - status: 200\n  - status: many\n", 3, "steps[1].status", "cannot unmarshal"},
		{"no YAML", "steps: [\n", 1, "", ""},
		{"duplicate key", "steps:\n  - status: 200\n    status: 500\n", 3, "", "already defined"},
		{"nothing", "", 0, "", "want one with steps"},
		{"two documents", "steps: [{}]\n---\nsteps: [{}]\n", 0, "", "2 documents"},
		{"no steps", "then: loop\n", 0, "steps", "want 1 to 1000"},
		{"then", "then: stop\nsteps: [{}]\n", 1, "then", "want loop or hold"},
		{"status low", "steps:\n  - status: 99\n", 2, "steps[0].status", "want 200 to 599"},
		{"status high", "steps:\n  - {}\n  - status: 600\n", 3, "steps[1].status", "want 200 to 599"},
		{"delay", "steps:\n  - repeat: 1\n    delay: soon\n", 3, "steps[0].delay", "want a duration"},
		{"long delay", "steps:\n  - delay: 11m\n", 2, "steps[0].delay", "at most 10m"},
		{"negative delay", "steps:\n  - delay: -1s\n", 2, "steps[0].delay", "want a duration"},
		{"drip", "steps:\n  - drip: 0\n", 2, "steps[0].drip", "is 0"},
		{"repeat", "steps:\n  - repeat: 1000001\n", 2, "steps[0].repeat", "want 1 to"},
		{"truncate past the end", "steps:\n  - body: {inline: abc}\n    truncateAt: 3\n", 3, "steps[0].truncateAt", "only 3 bytes"},
		{"two bodies", "steps:\n  - body: {inline: a, world: planList}\n", 2, "steps[0].body", "more than one"},
		{"body of a 304", "steps:\n  - status: 304\n    body: {inline: a}\n", 3, "steps[0].body", "has no body"},
		{"unknown world", "steps:\n  - body:\n      world: mars\n", 3, "steps[0].body.world", `unknown generation "mars"`},
		{"no such file", "steps:\n  - body:\n      file: no.xml\n", 3, "steps[0].body.file", "does not exist"},
		{"file outside", "steps:\n  - body:\n      file: ../x\n", 3, "steps[0].body.file", "not a path below"},
		{"header name", "steps:\n  - headers: {'a b': c}\n", 2, "steps[0].headers", "not a header's name"},
		{"header value", "steps:\n  - headers:\n      X-A: \"a\\r\\nb\"\n", 3, "steps[0].headers.X-A", "control"},
		{"own header", "steps:\n  - headers:\n      content-length: 3\n", 3, "steps[0].headers.content-length", "truncateAt"},
		{"empty mutation", "steps:\n  - mutate:\n      - {}\n", 3, "steps[0].mutate[0]", "exactly one"},
		{"double mutation", "steps:\n  - mutate:\n      - {drop: 1, duplicate: 1}\n", 3, "steps[0].mutate[0]", "exactly one"},
		{"record 0", "steps:\n  - mutate:\n      - drop: 0\n", 3, "steps[0].mutate[0].drop", "is 0"},
		{"no such record", "steps:\n  - body: {file: three.xml}\n    mutate: [{drop: 4}]\n", 3, "steps[0].mutate", "number 4 of 3"},
		{"pattern", "steps:\n  - mutate:\n      - replace: {pattern: '('}\n", 3, "steps[0].mutate[0].replace.pattern", "missing closing"},
		{"empty pattern", "steps:\n  - mutate:\n      - replace: {pattern: 'a*'}\n", 3, "steps[0].mutate[0].replace.pattern", "empty text"},
		{"too long", strings.Repeat("#", 1<<20+1), 0, "", "longer than"},
		{"too many steps", "steps: [" + strings.Repeat("{},", 1000) + "{}]", 1, "steps", "1001 entries"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := simulator.LoadScript(strings.NewReader(tc.text), "bad.yaml", fstest.MapFS{"three.xml": {Data: []byte(threeRecords)}})
			var got *simulator.ScriptError
			if !errors.As(err, &got) {
				t.Fatalf("%v, want a ScriptError", err)
			}
			if got.File != "bad.yaml" || got.Line != tc.line || got.Field != tc.field || !strings.Contains(got.Error(), tc.says) {
				t.Errorf("%v (line %d, field %q); want line %d, field %q, %q", got, got.Line, got.Field, tc.line, tc.field, tc.says)
			}
			if strings.Contains(got.Error(), "\n") {
				t.Errorf("more than one line: %q", got.Error())
			}
		})
	}
}

func TestScriptGrowsOnlySoFar(t *testing.T) {
	t.Parallel()
	text := "steps:\n  - body: {inline: '" + strings.Repeat("x", 90_000) + "'}\n    mutate: [{replace: {pattern: x, with: '" + strings.Repeat("y", 1000) + "'}}]\n"
	if _, err := simulator.LoadScript(strings.NewReader(text), "big.yaml", nil); err == nil || !strings.Contains(err.Error(), "too big") {
		t.Errorf("%v, want too big", err)
	}
}

func TestScriptWithoutFolder(t *testing.T) {
	t.Parallel()
	_, err := simulator.LoadScript(strings.NewReader("steps: [{body: {file: a.xml}}]"), "s.yaml", nil)
	if err == nil || !strings.Contains(err.Error(), "no folder") {
		t.Errorf("%v, want an error about the folder", err)
	}
}

func TestScriptReaderFails(t *testing.T) {
	t.Parallel()
	_, err := simulator.LoadScript(io.MultiReader(strings.NewReader("steps:"), failingReader{}), "s.yaml", nil)
	if !errors.Is(err, errBroken) {
		t.Errorf("%v, want the reader's error", err)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errBroken }

func FuzzLoadScript(f *testing.F) {
	f.Add("then: loop\nsteps:\n  - body: {world: planList}\n    mutate: [{drop: 1}, {replace: {pattern: a, with: b}}]\n")
	f.Add("steps:\n  - status: 503\n    headers: {Retry-After: 5}\n    delay: 1s\n    drip: 3\n    truncateAt: 1\n    body: {inline: ab}\n")
	f.Add("steps: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := simulator.LoadScript(strings.NewReader(text), "f.yaml", fstest.MapFS{})
		var wrong *simulator.ScriptError
		if err != nil && !errors.As(err, &wrong) {
			t.Errorf("%v, want a ScriptError", err)
		}
	})
}

// TestGuide: the script that docs/simulator.md shows is one.
func TestGuide(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(scripts) == 0 {
		t.Fatal("it shows none")
	}
	for _, found := range scripts {
		if _, err := simulator.LoadScript(strings.NewReader(found[1]), "docs/simulator.md", nil); err != nil {
			t.Error(err)
		}
	}
}
