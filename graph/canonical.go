package graph

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// AppendKey appends what the operation asks for, in a canonical form: without white space and names that
// don't matter, with arguments and input fields in the schema's order, defaults filled in, and values in the place of
// variables. Operations with the same key have the same answer. Operations with different keys may have the same answer, too.
func (o *Operation) AppendKey(b []byte) []byte {
	w := canonical{b: b, schema: o.schema, variables: o.Variables, numbers: map[*ast.FragmentDefinition]int{}}
	w.selections(o.Operation.SelectionSet)
	for written := 0; written < len(w.fragments); { // writing one may add others
		fragment := w.fragments[written]
		written++
		w.text("\n", fragment.TypeCondition)
		w.selections(fragment.SelectionSet)
	}
	return w.b
}

// canonical writes an operation.
type canonical struct {
	b         []byte
	schema    *ast.Schema
	variables map[string]any
	fragments []*ast.FragmentDefinition // in the order in which they are first used; each is written once
	numbers   map[*ast.FragmentDefinition]int
}

func (w *canonical) text(parts ...string) {
	for _, part := range parts {
		w.b = append(w.b, part...)
	}
}

func (w *canonical) selections(set ast.SelectionSet) {
	if len(set) == 0 {
		return
	}
	w.text("{")
	for i, selection := range set {
		if i > 0 {
			w.text(" ")
		}
		switch s := selection.(type) {
		case *ast.Field:
			if s.Alias != s.Name {
				w.text(s.Alias, ":")
			}
			w.text(s.Name)
			w.arguments(s.Definition.Arguments, s.Arguments)
			w.directives(s.Directives)
			w.selections(s.SelectionSet)
		case *ast.InlineFragment:
			w.text("...", s.TypeCondition)
			w.directives(s.Directives)
			w.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			number, met := w.numbers[s.Definition]
			if !met {
				number = len(w.fragments)
				w.numbers[s.Definition] = number
				w.fragments = append(w.fragments, s.Definition)
			}
			w.text("...", strconv.Itoa(number))
			w.directives(s.Directives)
		}
	}
	w.text("}")
}

func (w *canonical) directives(all ast.DirectiveList) {
	for _, d := range all {
		w.text("@", d.Name)
		w.arguments(d.Definition.Arguments, d.Arguments)
	}
}

func (w *canonical) arguments(defined ast.ArgumentDefinitionList, given ast.ArgumentList) {
	separator := "("
	for _, definition := range defined {
		var value *ast.Value
		if argument := given.ForName(definition.Name); argument != nil {
			value = argument.Value
		}
		separator = w.member(separator, definition.Name, value, definition.DefaultValue, definition.Type)
	}
	if separator == "," {
		w.text(")")
	}
}

// member writes an argument or input field that has a value, given or by default, and returns what comes before the next.
func (w *canonical) member(separator, name string, given, otherwise *ast.Value, t *ast.Type) string {
	if given == nil || w.unset(given) {
		given = otherwise
	}
	if given == nil {
		return separator
	}
	w.text(separator, name, ":")
	w.value(given, t)
	return ","
}

// unset says whether a value is a variable that has no value, and so counts as not given.
func (w *canonical) unset(v *ast.Value) bool {
	if v.Kind != ast.Variable {
		return false
	}
	_, set := w.variables[v.Raw]
	return !set
}

// value writes a value of the document.
func (w *canonical) value(v *ast.Value, t *ast.Type) {
	switch definition := w.schema.Types[t.NamedType]; {
	case v.Kind == ast.Variable:
		w.variable(w.variables[v.Raw], t)
	case v.Kind == ast.NullValue:
		w.text("null")
	case v.Kind == ast.ListValue:
		w.text("[")
		for _, child := range v.Children {
			w.value(child.Value, element(t))
			w.text(" ")
		}
		w.text("]")
	case t.Elem != nil: // one value is a list of one
		w.text("[")
		w.value(v, t.Elem)
		w.text(" ]")
	case v.Kind != ast.ObjectValue:
		w.scalar(v)
	case definition.Kind != ast.InputObject: // a scalar that takes any JSON
		w.text(v.String())
	default:
		separator := "{"
		for _, field := range definition.Fields {
			separator = w.member(separator, field.Name, v.Children.ForName(field.Name), field.DefaultValue, field.Type)
		}
		w.text(separator, "}")
	}
}

func (w *canonical) scalar(v *ast.Value) {
	switch v.Kind {
	case ast.StringValue, ast.BlockValue, ast.EnumValue: // variables know no difference between them
		w.b = strconv.AppendQuote(w.b, v.Raw)
	default:
		w.text(v.Raw)
	}
}

// variable writes a value of a variable as value does one of the document.
func (w *canonical) variable(v any, t *ast.Type) {
	if v == nil {
		w.text("null")
		return
	}
	if list, ok := v.([]any); ok {
		w.text("[")
		for _, one := range list {
			w.variable(one, element(t))
			w.text(" ")
		}
		w.text("]")
		return
	}
	if t.Elem != nil {
		w.text("[")
		w.variable(v, t.Elem)
		w.text(" ]")
		return
	}
	object, ok := v.(map[string]any)
	definition := w.schema.Types[t.NamedType]
	if !ok || definition.Kind != ast.InputObject {
		w.any(v)
		return
	}
	separator := "{"
	for _, field := range definition.Fields {
		if value, given := object[field.Name]; given {
			w.text(separator, field.Name, ":")
			w.variable(value, field.Type)
			separator = ","
		} else {
			separator = w.member(separator, field.Name, nil, field.DefaultValue, field.Type)
		}
	}
	w.text(separator, "}")
}

// any writes the value of a variable for a scalar.
func (w *canonical) any(v any) {
	switch v := v.(type) {
	case string:
		w.b = strconv.AppendQuote(w.b, v)
	case json.Number:
		w.text(v.String())
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w.b = strconv.AppendQuote(w.b, key)
			w.any(v[key])
		}
	default: // numbers and booleans, and lists of what validation made of them
		w.b = appendJSON(w.b, v)
	}
}

// element is the type of a list's elements. A type that is no list is returned as it is: a scalar may take a list.
func element(t *ast.Type) *ast.Type {
	if t.Elem != nil {
		return t.Elem
	}
	return t
}
