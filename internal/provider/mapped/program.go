package mapped

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// program is a provider's jq, compiled. Each stage is run on every value that the stage before it yields, and
// the last one yields events. The others yield arrays of a value and of the variables that are bound so far.
type program struct {
	stages []*gojq.Code
	// key is the last stage with only the ids left in its object, for records on which the stage fails. It is nil if the stage does not
	// end in an object with an id.
	key *gojq.Code
	// bare is key without the id: it yields an empty object for each event that the last stage means to yield. Nil if key is.
	bare *gojq.Code
	// series are the other stages, each changed to yield just the seriesId if that is a variable that the stage, or one before it, binds;
	// else nil.
	series []*gojq.Code
	// path is the path of the list that the first stage takes apart; nil if the stage is anything else.
	path []string
}

// prelude defines what maps can call in addition to jq's own functions and those of functions.go.
//
//	list          a list as it is, null as an empty list, anything else as a list of one
//	repeats(key)  of a list without ids: yields {nth, value} for each value, where nth counts the values with
//	              the same key from 0. Exact repetitions are left out.
const prelude = `
def list: if type == "array" then . elif . == null then [] else [.] end;
def repeats(key):
  [ to_entries | group_by(try [.value | key] catch null)[]
    | unique_by(.value) | sort_by(.key)
    | to_entries[] | {at: .value.key, nth: .key, value: .value.value} ]
  | sort_by(.at)[] | {nth, value};
.`

// unavailable says why maps can't call a function; empty if they can. These functions would let a map see more than the document.
func unavailable(name string) string {
	switch name {
	case "now", "localtime", "strflocaltime":
		return "the same document must give the same events at any time and in any place"
	case "input", "inputs":
		return "the document is the only input"
	case "env", "$ENV":
		return "maps don't see the environment; url and headers do, as ${NAME}"
	case "halt", "halt_error":
		return "a map can't stop the program; see error"
	case "modulemeta", "builtins":
		return "maps have no modules"
	default:
		return ""
	}
}

func compile(s Settings) (program, error) {
	mapping, err := parse("map", s.Map)
	if err != nil {
		return program{}, err
	}
	parts := split(mapping)
	records := parts[0].query
	switch {
	case s.Records != "":
		if records, err = parse("records", s.Records); err != nil {
			return program{}, err
		}
		parts = append([]part{{query: pipe(parenthesized(records), bundle(nil))}}, parts...)
	case s.Format == CSV && (len(parts) == 1 || !isRows(parts[0].query)):
		records = &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity, SuffixList: []*gojq.Suffix{{Iter: true}}}}
		parts = append([]part{{query: pipe(records, bundle(nil))}}, parts...)
	case len(parts) > 1:
		records = parts[0].query.Left
		if len(parts[0].query.Patterns) > 0 {
			records = nil
		}
	}
	var p program
	for _, part := range parts {
		code, err := part.compile()
		if err != nil {
			return program{}, &SettingError{Setting: "map", Err: err} // not reached: parse has compiled the whole
		}
		p.stages = append(p.stages, code)
	}
	if len(parts) > 1 {
		p.path = listPath(records)
	}
	last := parts[len(parts)-1]
	if key := keyOf(last.query); key != nil {
		if p.key, err = (part{query: key, variables: last.variables}).compile(); err != nil {
			p.key = nil
		}
		if p.bare, err = (part{query: bare(key), variables: last.variables}).compile(); err != nil {
			p.bare = nil
		}
	}
	p.series = make([]*gojq.Code, len(parts)-1)
	if series := seriesOf(last.query); series != nil {
		for i, part := range parts[:len(parts)-1] {
			part.query = endingIn(series, part.query)
			if p.series[i], err = part.compile(); err != nil { // the variable is bound by a later stage
				p.series[i] = nil
			}
		}
	}
	return p, nil
}

// isRows reports whether the first stage of a CSV map takes the rows apart. A map need not do so.
func isRows(q *gojq.Query) bool {
	path := listPath(q.Left)
	return path != nil && len(path) == 0 && len(q.Patterns) == 0
}

// parse reads and checks one program.
func parse(setting, text string) (*gojq.Query, error) {
	if strings.TrimSpace(text) == "" {
		return nil, &SettingError{Setting: setting, Err: errors.New("missing")}
	}
	query, err := gojq.Parse(text)
	if err != nil {
		e := &SettingError{Setting: setting, Err: err}
		if syntax, ok := errors.AsType[*gojq.ParseError](err); ok {
			e.Line, e.Column = position(strings.TrimRight(text, " \t\r\n"), syntax.Offset-len(syntax.Token))
		}
		return nil, e
	}
	if name := firstUnavailable(query); name != "" {
		e := &SettingError{Setting: setting, Err: fmt.Errorf("%s is not available: %s", name, unavailable(name))}
		e.Line, e.Column = find(text, name)
		return nil, e
	}
	if _, err := (part{query: query}).compile(); err != nil {
		e := &SettingError{Setting: setting, Err: err}
		if _, name, named := strings.Cut(err.Error(), "not defined: "); named {
			name, _, _ = strings.Cut(name, "/")
			e.Line, e.Column = find(text, name)
		}
		return nil, e
	}
	return query, nil
}

// compile compiles a part, with the prelude.
func (p part) compile() (*gojq.Code, error) {
	library, err := gojq.Parse(prelude)
	if err != nil {
		return nil, err
	}
	query := *p.query
	query.FuncDefs = slices.Concat(library.FuncDefs, query.FuncDefs)
	return gojq.Compile(&query, append(functions(), gojq.WithVariables(p.variables))...)
}

// position is the line and column of a byte, both from 1.
func position(text string, offset int) (line, column int) {
	before := text[:max(0, min(offset, len(text)))]
	return 1 + strings.Count(before, "\n"), len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
}

// find is the position of the first use of a name; 0, 0 if there is none.
func find(text, name string) (line, column int) {
	at := regexp.MustCompile(`(?:^|[^\w.$@])(` + regexp.QuoteMeta(name) + `)(?:\W|$)`).FindStringSubmatchIndex(text)
	if at == nil {
		return 0, 0
	}
	return position(text, at[2])
}

// firstUnavailable is the name of the first function that a program calls, does not define, and can't have; empty if there is none.
func firstUnavailable(q *gojq.Query) (name string) {
	defined := map[string]bool{}
	var called []string
	visit(reflect.ValueOf(q), func(node any) {
		switch node := node.(type) {
		case *gojq.FuncDef:
			defined[node.Name] = true
		case *gojq.Func:
			called = append(called, node.Name)
		}
	})
	for _, name := range called {
		if !defined[name] && unavailable(name) != "" {
			return name
		}
	}
	return ""
}

// visit calls f with every node of a syntax tree.
func visit(v reflect.Value, f func(node any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			f(v.Interface())
			visit(v.Elem(), f)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			visit(field, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), f)
		}
	default:
	}
}
