package provider_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// acme is a provider's file with some lines replaced (by key) or added. A replacement that is empty takes
// the line away.
func acme(lines ...string) string {
	file := []string{
		"slug: acme", "name: Acme Tickets", "url: https://acme.example/events", "format: json",
		"timeZone: Europe/Madrid", "currency: EUR", "map: '.events[] | {id, title, start}'",
	}
	for _, line := range lines {
		key, rest, _ := strings.Cut(line, ":")
		replaced := false
		for i := range file {
			if strings.HasPrefix(file[i], key+":") {
				if file[i], replaced = line, true; rest == "" {
					file[i] = ""
				}
			}
		}
		if !replaced {
			file = append(file, line)
		}
	}
	return strings.Join(file, "\n") + "\n"
}

func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// load loads a provider's file of this text.
func load(tb testing.TB, text string, env map[string]string) (*provider.Source, error) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "acme.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return provider.LoadFile(path, environment(env), nil)
}

func mustLoad(tb testing.TB, text string) *provider.Source {
	tb.Helper()
	source, err := load(tb, text, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return source
}

func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want string // behind the file's name
	}{
		"empty":                   {"", ": has 0 documents, want one"},
		"a comment":               {"# nothing\n", ": has 0 documents, want one"},
		"two documents":           {acme() + "---\n" + acme(), ": has 2 documents, want one"},
		"no object":               {"- slug: acme\n", ":1:1: want an object"},
		"no YAML":                 {"slug: acme\nname: [\n", ":2:7: sequence end token ']' not found"},
		"unknown key":             {acme("venue: Old Fort"), `:8:1: venue: unknown field "venue"`},
		"unknown key, inside":     {acme("brake: {maxRemoved: 5}"), `:8:9: brake.maxRemoved: unknown field "maxRemoved"`},
		"twice":                   {acme("Slug: a") + "slug: b\n", `:9:1: mapping key "slug" already defined at [1:1]`},
		"wrong type":              {acme("brake: {minRemoved: many}"), ":8:21: brake.minRemoved: want a whole number"},
		"wrong type, of a text":   {acme("name: [a]"), ":2:7: name: want a text"},
		"wrong type, of a flag":   {acme("allowPrivateAddresses: 5"), ":8:24: allowPrivateAddresses: want true or false"},
		"wrong type, of a list":   {acme("format: xml", "xml: {lists: a}"), ":8:14: xml.lists: want a list"},
		"wrong type, of headers":  {acme("headers: [a]"), ":8:10: headers: want an object"},
		"fraction":                {acme("brake: {minRemoved: 1.5}"), ":8:21: brake.minRemoved: want a whole number"},
		"slug":                    {acme("slug: Acme!"), `:1:7: slug: "Acme!": want 1 to 40 of`},
		"no slug":                 {acme("slug:"), ": slug: \"\": want"},
		"no name":                 {acme("name:"), ": name: missing"},
		"long name":               {acme("name: " + strings.Repeat("x", 300)), ":2:7: name: longer than"},
		"no url":                  {acme("url:"), ": url: want http"},
		"url of a file":           {acme("url: file:///etc/passwd"), ":3:6: url: want http"},
		"url without a host":      {acme("url: https:///x"), ":3:6: url: want http"},
		"url with a line end":     {acme(`url: "https://a.example/\nb"`), ":3:6: url: want http"},
		"format":                  {acme("format: yaml"), `:4:9: format: "yaml": want one of csv, icalendar, json, planlist, xml`},
		"zone":                    {acme("timeZone: Europe/Atlantis"), `:5:11: timeZone: "Europe/Atlantis": want an IANA name`},
		"zone of the machine":     {acme("timeZone: Local"), `:5:11: timeZone: "Local": want`},
		"no zone":                 {acme("timeZone:"), ": timeZone: \"\": want"},
		"currency":                {acme("currency: eur"), `:6:11: currency: "eur": want an ISO 4217 code`},
		"prices":                  {acme("prices: some"), `:8:9: prices: "some": want all or with-capacity`},
		"no map":                  {acme("map:"), ": map: missing"},
		"map for planlist":        {acme("format: planlist"), ":7:6: map: means nothing for the format planlist"},
		"records for planlist":    {acme("format: planlist", "map:", "records: .[]"), ":8:10: records: means nothing"},
		"csv for json":            {acme("csv: {separator: ;}"), ":8:6: csv: means nothing for the format json"},
		"xml for json":            {acme("xml: {lists: [a]}"), ":8:6: xml: means nothing"},
		"horizon for json":        {acme("horizon: {pastDays: 5}"), ":8:10: horizon: means nothing"},
		"map of one line":         {acme("map: '.events[] | {id, ti tle}'"), `:7:6: map: line 1, column 21: unexpected token "tle"`},
		"map of lines":            {acme("map: |\n  .events[]\n  # and then\n  | {id: uid}"), `:10:1: map: line 3, column 8: function not defined: uid/0`},
		"records of lines":        {acme("records: |\n\n  .events[] |"), `:10:1: records: line 2, column 12: unexpected EOF`},
		"clock":                   {acme("map: '.[] | select(.t > now)'"), ":7:6: map: line 1, column 19: now is not available"},
		"separator":               {acme("format: csv", "csv: {separator: ab}"), `:8:18: csv.separator: "ab": want one character`},
		"charset":                 {acme("format: csv", "csv: {charset: klingon}"), `:8:16: csv.charset: "klingon": want an IANA name`},
		"past":                    {acme("format: icalendar", "map:", "horizon: {pastDays: -1}"), ":8:21: horizon.pastDays: -1: want 0 to 3660"},
		"future":                  {acme("format: icalendar", "map:", "horizon: {futureDays: 4000}"), ":8:23: horizon.futureDays: 4000: want 1 to 3660"},
		"brake, removed":          {acme("brake: {maxRemovedPercent: 101}"), ":8:28: brake.maxRemovedPercent: 101: want 0 to 100"},
		"brake, least":            {acme("brake: {minRemoved: -1}"), ":8:21: brake.minRemoved: -1: want 0 to"},
		"brake, quarantined":      {acme("brake: {maxQuarantinedPercent: -1}"), ":8:32: brake.maxQuarantinedPercent: -1: want"},
		"schedule":                {acme("schedule: now and then"), `:8:11: schedule: "now and then": want a cron expression of five fields`},
		"schedule of seconds":     {acme(`schedule: "* * * * * *"`), ":8:11: schedule: "},
		"schedule out of range":   {acme(`schedule: "61 * * * *"`), ":8:11: schedule: "},
		"schedule by name":        {acme(`schedule: "@daily"`), ":8:11: schedule: "},
		"schedule that never is":  {acme(`schedule: "0 0 30 2 *"`), `:8:11: schedule: "0 0 30 2 *": there is no such date`},
		"every":                   {acme("every: 15"), `:8:8: every: "15": want a time such as 15m, from 10s to 744h0m0s`},
		"every second":            {acme("every: 1s"), ":8:8: every: "},
		"every year":              {acme("every: 8760h"), ":8:8: every: "},
		"schedule and every":      {acme("schedule: '* * * * *'", "every: 5m"), ":9:8: every: want schedule or every, not both"},
		"header":                  {acme("headers: {X Y: z}"), `:8:10: headers: "X Y" is not a header's name`},
		"header twice":            {acme("headers: {X-Y: z, x-y: z}"), ":8:24: headers.x-y: is given twice"},
		"header of ours":          {acme("headers: {Host: evil.example}"), ":8:17: headers.Host: is set by the program itself"},
		"header with a line end":  {acme(`headers: {X-Y: "a\r\nHost: b"}`), ":8:16: headers.X-Y: want at most"},
		"unset variable":          {acme("url: https://acme.example/${ACME_KEY}"), ":3:6: url: environment variable ACME_KEY is not set"},
		"empty variable":          {acme("url: https://acme.example/${EMPTY}"), ":3:6: url: environment variable EMPTY is not set"},
		"unset header's variable": {acme("headers: {Authorization: 'Bearer ${ACME_KEY}'}"), ":8:26: headers.Authorization: environment variable ACME_KEY is not set"},
		"too long":                {acme("name: " + strings.Repeat("x", 300<<10)), ": longer than 262144 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, test.text, map[string]string{"EMPTY": ""})
			var wrong *provider.ConfigError
			if !errors.Is(err, provider.ErrConfig) || !errors.As(err, &wrong) {
				t.Fatalf("error %v", err)
			}
			_, text, found := strings.Cut(err.Error(), "acme.yaml")
			if !found || !strings.HasPrefix(text, test.want) || !strings.HasPrefix(err.Error(), "provider file ") {
				t.Errorf("error\n%s, want\n…acme.yaml%s", err, test.want)
			}
		})
	}
}

func TestFilesThatAreRight(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"the least":      acme(),
		"records":        acme("records: .events[]", "map: '{id, title, start}'"),
		"planlist":       acme("format: planlist", "map:"),
		"icalendar":      acme("format: icalendar", "map:", "horizon: {pastDays: 0, futureDays: 1}"),
		"xml":            acme("format: xml", "map: '.a.b[] | {id, title, start}'", "xml: {lists: [b]}"),
		"csv":            acme("format: csv", "map: '{id, title, start}'", "csv: {separator: ';', charset: latin1}"),
		"all the others": acme("schedule: '*/15 6-22 * * mon-fri'", "prices: with-capacity", "brake: {maxRemovedPercent: 0, minRemoved: 0, maxQuarantinedPercent: 0}", "headers: {Accept: application/json}", "allowPrivateAddresses: true"),
		"one document":   "---\n" + acme() + "...\n",
	} {
		if _, err := load(t, text, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigOfNoFile(t *testing.T) {
	t.Parallel()
	_, err := provider.New(provider.Config{Slug: "acme", Name: "Acme", URL: "ftp://acme.example"}, nil)
	if want := "provider file: url: want http://… or https://…"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestBrakeIsCompleted(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]event.Brake{
		"":                              event.DefaultBrake(),
		"brake: {}":                     {MaxRemovedPercent: 20, MinRemoved: 5, MaxQuarantinedPercent: 50},
		"brake: {maxRemovedPercent: 0}": {MaxRemovedPercent: 0, MinRemoved: 5, MaxQuarantinedPercent: 50},
		"brake: {minRemoved: 100, maxQuarantinedPercent: 5}": {MaxRemovedPercent: 20, MinRemoved: 100, MaxQuarantinedPercent: 5},
	} {
		if diff := cmp.Diff(want, mustLoad(t, acme(line)).Brake()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// TestSecretsStaySecret tries to get one out of every error and form of printing.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	env := map[string]string{"KEY": secret, "BAD": "\x7f" + secret, "LINES": secret + "\r\nX: y", "HTTP": "ftp://" + secret}
	for _, text := range []string{
		acme("url: https://acme.example/${KEY}\n", "format: ${KEY}"),
		acme("url: https://acme.example/${BAD}"),
		acme("url: ${HTTP}"),
		acme("url: 'https://user:${KEY}@[::1'"),
		acme("url: 'https://acme.example/?k=${KEY}&${MISSING}'"),
		acme("headers: {Authorization: 'Bearer ${LINES}'}"),
		acme("headers: {Host: '${KEY}'}"),
		acme("url: https://acme.example/${KEY}", "timeZone: x"),
		acme("url: https://acme.example/${KEY}", "map: '.['"),
		acme("url: https://acme.example/" + secret + "\n name: ["), // in the file itself, which a syntax error must not quote
	} {
		_, err := load(t, text, env)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s\nerror %v", text, err)
		}
	}
	source, err := load(t, acme("url: https://acme.example/${KEY}", "headers: {Authorization: 'Bearer ${KEY}'}"), env)
	if err != nil {
		t.Fatal(err)
	}
	config, err := provider.Parse(strings.NewReader(acme("url: https://acme.example/${KEY}")), environment(env))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{source, config, source.Provider(), source.Fingerprint()} {
		if text := fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v); strings.Contains(text, "hunter2") {
			t.Error(text)
		}
	}
}

func TestLoadDir(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, files map[string]string) string {
		t.Helper()
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	dir := write(t, map[string]string{"b.yaml": acme("slug: b"), "a.yml": acme("slug: a"), "c.yaml.bak": "[", "README.md": "x"})
	if err := os.Mkdir(filepath.Join(dir, "d.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	sources, err := provider.LoadDir(dir, environment(nil), nil)
	if err != nil || len(sources) != 2 || sources[0].Provider().Slug != "a" || sources[1].Provider().Slug != "b" {
		t.Errorf("%v, %v", sources, err)
	}
	for want, files := range map[string]map[string]string{
		`b.yaml:1:7: slug: "acme" is taken by `: {"a.yaml": acme(), "b.yaml": acme()},
		`b.yaml:8:1: venue: unknown field`:      {"a.yaml": acme(), "b.yaml": acme("slug: b", "venue: x")},
	} {
		if _, err := provider.LoadDir(write(t, files), environment(nil), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %s", maps.Keys(files), err, want)
		}
	}
	if _, err := provider.LoadDir(filepath.Join(dir, "none"), environment(nil), nil); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, provider.ErrConfig) {
		t.Errorf("error %v", err)
	}
	if _, err := provider.LoadDir(filepath.Join(dir, "a.yml"), environment(nil), nil); !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "want the directory") {
		t.Errorf("of a file: error %v", err)
	}
}
