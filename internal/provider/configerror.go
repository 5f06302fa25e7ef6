package provider

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// ErrConfig is wrapped by each ConfigError.
var ErrConfig = errors.New("provider file")

// ConfigError says what is wrong with a provider's settings, and where.
type ConfigError struct {
	File         string // empty if the Config was not read from a file
	Line, Column int    // from 1; 0 if not known
	Field        string // such as brake.minRemoved; empty if the error is not about a field
	Err          error
}

// Error is "provider file acme.yaml:3:7: currency: …".
func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString(ErrConfig.Error())
	switch {
	case e.File != "" && e.Line > 0:
		fmt.Fprintf(&b, " %s:%d:%d", e.File, e.Line, e.Column)
	case e.File != "":
		b.WriteString(" " + e.File)
	case e.Line > 0:
		fmt.Fprintf(&b, ", line %d", e.Line)
	}
	if e.Field != "" {
		b.WriteString(": " + e.Field)
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap is ErrConfig and the cause.
func (e *ConfigError) Unwrap() []error { return []error{ErrConfig, e.Err} }

func (e *ConfigError) in(file string) *ConfigError {
	e.File = file
	return e
}

// named adds the file's name to an error of Parse or New.
func named(err error, file string) error {
	if e, ok := errors.AsType[*ConfigError](err); ok {
		return e.in(file)
	}
	return &ConfigError{File: file, Err: err}
}

// fail makes the error of a field, with the field's place in the file.
func (c *Config) fail(field string, err error) *ConfigError {
	e := &ConfigError{Field: field, Err: err}
	if node := c.node(field); node != nil {
		e.Line, e.Column = node.GetToken().Position.Line, node.GetToken().Position.Column
	}
	return e
}

// node is a field's value in the file or, if the field is missing, the object that it would be in. Nil if neither is found.
func (c *Config) node(field string) ast.Node {
	for at := field; at != "" && c.file != nil; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		path, err := yaml.PathString("$." + at)
		if err != nil {
			continue
		}
		if node, err := path.FilterFile(c.file); err == nil && node != nil {
			return node
		}
	}
	return nil
}

// failInProgram is fail for an error inside a program, at a line of the program, from 1.
func (c *Config) failInProgram(field string, line int, err error) *ConfigError {
	e := c.fail(field, err)
	if literal, ok := c.node(field).(*ast.LiteralNode); ok && line > 0 {
		e.Line, e.Column = literal.Start.Position.Line+line, 1
	}
	return e
}

// locate takes the place and the field out of an error of the YAML library. The library's own text would quote the
// file, which may hold a secret.
func (c *Config) locate(err error) *ConfigError {
	var placed yaml.Error
	if !errors.As(err, &placed) || placed.GetToken() == nil {
		return &ConfigError{Err: err}
	}
	token := placed.GetToken()
	e := &ConfigError{Line: token.Position.Line, Column: token.Position.Column, Err: errors.New(placed.GetMessage())}
	var mistyped *yaml.TypeError
	var misplaced *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &mistyped): // the message speaks of Go's types
		e.Err = fmt.Errorf("want %s", kindOf(mistyped.DstType.Kind().String()))
	case errors.As(err, &misplaced) && misplaced.Expected == ast.SequenceType:
		e.Err = fmt.Errorf("want %s", kindOf("slice"))
	case errors.As(err, &misplaced) && misplaced.Expected == ast.MappingType:
		e.Err = fmt.Errorf("want %s", kindOf("map"))
	}
	if c.file == nil {
		return e
	}
	for _, document := range c.file.Docs {
		if document.Body == nil {
			continue
		}
		ast.Walk(finder(func(node ast.Node) {
			if e.Field == "" && node.GetToken() == token {
				e.Field = strings.TrimPrefix(strings.TrimPrefix(node.GetPath(), "$"), ".")
			}
		}), document.Body)
	}
	return e
}

func kindOf(goKind string) string {
	switch goKind {
	case "bool":
		return "true or false"
	case "int", "ptr":
		return "a whole number"
	case "slice":
		return "a list"
	case "map", "struct":
		return "an object"
	default:
		return "a text"
	}
}

// finder is a visitor that sees every node.
type finder func(ast.Node)

// Visit implements ast.Visitor.
func (f finder) Visit(node ast.Node) ast.Visitor {
	f(node)
	return f
}
