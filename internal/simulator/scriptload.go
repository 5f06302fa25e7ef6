package simulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a script.
const (
	maxScript    = 1 << 20   // bytes of YAML
	maxBody      = 64 << 20  // bytes of a body
	maxBodies    = 256 << 20 // bytes of all bodies that are not a world
	maxSteps     = 1000
	maxRepeat    = 1_000_000
	maxHeaders   = 50
	maxValue     = 8 << 10 // bytes of a header's value
	maxDrip      = 1 << 30 // bytes a second
	maxMutations = 100
	maxRecord    = 1_000_000 // the greatest number of a record
	maxPattern   = 1000      // bytes
)

// ScriptError says what is wrong with a script, and where.
type ScriptError struct {
	File         string
	Line, Column int    // from 1; 0 if not known
	Field        string // such as steps[2].status; empty if the error is not about a field
	Err          error
}

func (e *ScriptError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if e.Field != "" {
		b.WriteString(": " + e.Field)
	}
	return b.String() + ": " + e.Err.Error()
}

func (e *ScriptError) Unwrap() error { return e.Err }

// The script as the YAML decoder gives it. Texts are checked afterwards, since an error of the decoder would not have their place.
type (
	rawScript struct {
		Then  string    `yaml:"then"`
		Steps []rawStep `yaml:"steps"`
	}
	rawStep struct {
		Status     *int              `yaml:"status"`
		Headers    map[string]string `yaml:"headers"`
		Delay      string            `yaml:"delay"`
		Drip       *int              `yaml:"drip"`
		TruncateAt *int              `yaml:"truncateAt"`
		Body       rawBody           `yaml:"body"`
		Mutate     []rawMutation     `yaml:"mutate"`
		Repeat     *int              `yaml:"repeat"`
	}
	rawBody struct {
		Inline *string `yaml:"inline"`
		File   *string `yaml:"file"`
		World  *string `yaml:"world"`
	}
	rawMutation struct {
		Drop      *int        `yaml:"drop"`
		Duplicate *int        `yaml:"duplicate"`
		BreakDate *int        `yaml:"breakDate"`
		Replace   *rawReplace `yaml:"replace"`
	}
	rawReplace struct {
		Pattern string `yaml:"pattern"`
		With    string `yaml:"with"`
	}
)

// LoadScript reads a script; see [Script] for its form. name is the script's name in errors. Files for bodies are read from fsys,
// which may be nil if the script names none. If the script itself is wrong, the error is a [*ScriptError].
func LoadScript(r io.Reader, name string, fsys fs.FS) (Script, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxScript+1))
	if err != nil {
		return Script{}, fmt.Errorf("read script %s: %w", name, err)
	}
	l := loader{name: name, fsys: fsys}
	if len(text) > maxScript {
		return Script{}, l.fail("", fmt.Errorf("longer than %d bytes", maxScript))
	}
	if l.file, err = parser.ParseBytes(text, 0); err != nil {
		return Script{}, l.locate(err)
	}
	if len(l.file.Docs) != 1 || l.file.Docs[0].Body == nil {
		return Script{}, l.fail("", fmt.Errorf("has %d documents, want one with steps", len(l.file.Docs)))
	}
	var raw rawScript
	if err := yaml.NodeToValue(l.file.Docs[0].Body, &raw, yaml.Strict()); err != nil {
		return Script{}, l.locate(err)
	}
	return l.script(raw)
}

// loader checks one script.
type loader struct {
	name  string
	fsys  fs.FS
	file  *ast.File
	bytes int // of all bodies so far, except worlds
}

// fail makes the error of a field, with the field's place in the script.
func (l *loader) fail(field string, err error) error {
	e := &ScriptError{File: l.name, Field: field, Err: err}
	// The place of a missing field is that of the object in which it is missing.
	for at := field; at != "" && l.file != nil; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		path, pathErr := yaml.PathString("$." + at)
		if pathErr != nil {
			continue
		}
		if node, nodeErr := path.FilterFile(l.file); nodeErr == nil && node != nil {
			e.Line, e.Column = node.GetToken().Position.Line, node.GetToken().Position.Column
			break
		}
	}
	return e
}

// locate makes a ScriptError of an error of the YAML library, with its place and field.
func (l *loader) locate(err error) error {
	var placed yaml.Error
	if !errors.As(err, &placed) || placed.GetToken() == nil {
		return &ScriptError{File: l.name, Err: err}
	}
	token := placed.GetToken()
	e := &ScriptError{
		File: l.name, Line: token.Position.Line, Column: token.Position.Column, Err: errors.New(placed.GetMessage()),
	}
	if l.file != nil && len(l.file.Docs) > 0 {
		ast.Walk(finder(func(node ast.Node) {
			if e.Field == "" && node.GetToken() == token {
				e.Field = strings.TrimPrefix(node.GetPath(), "$.")
			}
		}), l.file.Docs[0].Body)
	}
	return e
}

// finder is a visitor that sees every node.
type finder func(ast.Node)

// Visit implements ast.Visitor.
func (f finder) Visit(node ast.Node) ast.Visitor {
	f(node)
	return f
}
