package mapped_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/internal/provider/mapped"
)

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	const object = "{id: 1}"
	tests := map[string]struct {
		settings mapped.Settings
		setting  string
		line     int
		column   int
		text     string
	}{
		"no map":              {mapped.Settings{}, "map", 0, 0, "missing"},
		"blank map":           {mapped.Settings{Map: " \n"}, "map", 0, 0, "missing"},
		"comment only":        {mapped.Settings{Map: "# later"}, "map", 0, 0, "missing query"},
		"syntax":              {mapped.Settings{Map: ".events[]\n  | {id: .uid title: .name}"}, "map", 2, 15, `unexpected token "title"`},
		"not ended":           {mapped.Settings{Map: ".events[] | (\n"}, "map", 1, 14, "unexpected EOF"},
		"no such function":    {mapped.Settings{Map: ".events[]\n\n | {id: .uuid, title: uuid}"}, "map", 3, 23, "function not defined: uuid/0"},
		"no such variable":    {mapped.Settings{Map: ".events[] | {id: $uid}"}, "map", 1, 18, "variable not defined: $uid"},
		"wrong records":       {mapped.Settings{Map: object, Records: ".a[] |"}, "records", 1, 7, "unexpected EOF"},
		"clock":               {mapped.Settings{Map: ".[]\n| select(.now < now) | " + object}, "map", 2, 17, "now is not available"},
		"clock in records":    {mapped.Settings{Map: object, Records: ".[] | now"}, "records", 1, 7, "now is not available"},
		"clock in a function": {mapped.Settings{Map: "def f(g): {a: [g | now]}; f(1)"}, "map", 1, 20, "now is not available"},
		"zone of the machine": {mapped.Settings{Map: "0 | localtime"}, "map", 1, 5, "localtime is not available"},
		"environment":         {mapped.Settings{Map: "env.HOME"}, "map", 1, 1, "env is not available"},
		"environment, as $":   {mapped.Settings{Map: "$ENV.HOME"}, "map", 1, 1, "$ENV is not available"},
		"input":               {mapped.Settings{Map: "[inputs]"}, "map", 1, 2, "inputs is not available"},
		"halt":                {mapped.Settings{Map: `"a" | halt_error`}, "map", 1, 7, "halt_error is not available"},
		"import":              {mapped.Settings{Map: `import "a" as a; .`}, "map", 0, 0, "cannot load module"},
		"include":             {mapped.Settings{Map: `include "a"; .`}, "map", 0, 0, "cannot load module"},
		"file":                {mapped.Settings{Map: `input_filename`}, "map", 1, 1, "not defined"},
		"format":              {mapped.Settings{Format: "yaml", Map: object}, "format", 0, 0, "want json, xml or csv"},
		"separator":           {mapped.Settings{Format: mapped.CSV, Map: object, Separator: "ab"}, "csv.separator", 0, 0, "one character"},
		"quote as separator":  {mapped.Settings{Format: mapped.CSV, Map: object, Separator: `"`}, "csv.separator", 0, 0, "one character"},
		"charset":             {mapped.Settings{Format: mapped.CSV, Map: object, Charset: "latin-99"}, "csv.charset", 0, 0, "IANA"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.settings.Format == "" {
				test.settings.Format = mapped.JSON
			}
			_, err := mapped.New(test.settings)
			var wrong *mapped.SettingError
			if !errors.As(err, &wrong) {
				t.Fatalf("error %v", err)
			}
			if wrong.Setting != test.setting || wrong.Line != test.line || wrong.Column != test.column || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q at %d:%d, want %s at %d:%d with %q", err, wrong.Line, wrong.Column, test.setting, test.line, test.column, test.text)
			}
		})
	}
}

func TestOwnFunctionsMayHaveAnyName(t *testing.T) {
	t.Parallel()
	program := `def now: "2030-01-01"; def list: "x"; .[] | {id: ., title: list, start: now}`
	if got := lines(mustDecode(t, mapped.Settings{Format: mapped.JSON, Map: program}, `[1]`)); got[0] != ".[0]: 1: x" {
		t.Errorf("%q", got)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i, s := range []mapped.Settings{
		{Format: mapped.CSV, Map: "."},
		{Format: mapped.JSON, Map: "."},
		{Format: mapped.XML, Map: "."},
		{Format: mapped.XML, Map: ".", Lists: []string{"a"}},
		{Format: mapped.JSON, Map: ". "},
		{Format: mapped.JSON, Map: ".", Records: "."},
		{Format: mapped.CSV, Map: ".", Separator: ";"},
		{Format: mapped.CSV, Map: ".", Charset: "latin1"},
	} {
		name := compile(t, s).Fingerprint()
		if other, again := seen[name]; again {
			t.Errorf("%d and %d have one fingerprint", i, other)
		}
		seen[name] = i
		if again := compile(t, s).Fingerprint(); again != name {
			t.Errorf("%d: %s, then %s", i, name, again)
		}
	}
}
