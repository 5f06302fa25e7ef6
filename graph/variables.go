package graph

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/aledotdev/marquee/graph/scalar"
)

// checkVariables reports the first value of a variable that is not of its type (GraphQL, 6.1.2); the error's path is like that of gqlgen's
// errors: ["variable", name, …]. gqlgen has already checked for values that are missing, null, unknown or no object. But it accepts enums in
// any case and numbers as text, and reads our own scalars only when a field is resolved.
func checkVariables(schema *ast.Schema, op *graphql.OperationContext, given map[string]any) *gqlerror.Error {
	for _, variable := range op.Operation.VariableDefinitions {
		value, ok := given[variable.Variable]
		if !ok {
			continue
		}
		err := checkValue(schema, variable.Type, value)
		if value == nil && isNeeded(op, variable.Variable) {
			err = gqlerror.Errorf("cannot be null")
		}
		if err != nil {
			return under(ast.PathName("variable"), under(ast.PathName(variable.Variable), err))
		}
	}
	return nil
}

// isNeeded says whether a variable is used where null is not allowed. GraphQL lets a nullable variable be used there if there is a default,
// which only counts if the variable is not given.
func isNeeded(op *graphql.OperationContext, name string) bool {
	document := &ast.QueryDocument{Operations: ast.OperationList{op.Operation}, Fragments: fragmentsOf(op.Operation.SelectionSet, nil)}
	return search(document, func(v *ast.Value, _ *ast.Position) bool {
		return v.Kind == ast.Variable && v.Raw == name && v.ExpectedType != nil && v.ExpectedType.NonNull
	}) != ""
}

// fragmentsOf adds the fragments that a selection set spreads, here or in one of these, each once.
func fragmentsOf(set ast.SelectionSet, to ast.FragmentDefinitionList) ast.FragmentDefinitionList {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			to = fragmentsOf(s.SelectionSet, to)
		case *ast.InlineFragment:
			to = fragmentsOf(s.SelectionSet, to)
		case *ast.FragmentSpread:
			if !slices.Contains(to, s.Definition) {
				to = fragmentsOf(s.Definition.SelectionSet, append(to, s.Definition))
			}
		}
	}
	return to
}

// checkValue says what is wrong with a value, nil if nothing is; the error's path leads to the part at fault.
func checkValue(schema *ast.Schema, t *ast.Type, value any) *gqlerror.Error {
	if value == nil {
		return nil
	}
	if t.Elem != nil {
		for i, one := range graphql.CoerceList(value) {
			if err := checkValue(schema, t.Elem, one); err != nil {
				return under(ast.PathIndex(i), err)
			}
		}
		return nil
	}
	switch definition := schema.Types[t.NamedType]; definition.Kind {
	case ast.InputObject:
		object, _ := value.(map[string]any)
		for _, field := range definition.Fields {
			if err := checkValue(schema, field.Type, object[field.Name]); err != nil {
				return under(ast.PathName(field.Name), err)
			}
		}
	case ast.Enum:
		if name, ok := value.(string); !ok || definition.EnumValues.ForName(name) == nil {
			return gqlerror.Errorf("%s is no value of %s", shown(value), t.NamedType)
		}
	default:
		if read, ok := scalars[t.NamedType]; ok {
			return gqlerror.Wrap(read(value))
		}
		if !isBuiltIn(t.NamedType, value) {
			return gqlerror.Errorf("%s is no value of %s", shown(value), t.NamedType)
		}
	}
	return nil
}

// isBuiltIn says whether a value is of a built-in scalar of GraphQL (3.5).
func isBuiltIn(name string, value any) bool {
	switch v := value.(type) {
	case string:
		return name == "String" || name == "ID"
	case bool:
		return name == "Boolean"
	case json.Number:
		switch name {
		case "Int":
			_, err := strconv.ParseInt(v.String(), 10, 32)
			return err == nil
		case "ID":
			_, err := strconv.ParseInt(v.String(), 10, 64)
			return err == nil
		}
		return name == "Float"
	}
	return false
}

// scalars read values of our own scalars; their errors say best what is wrong.
//
//nolint:gochecknoglobals // a constant table
var scalars = map[string]func(value any) error{
	"DateTime":       reader(scalar.UnmarshalDateTime),
	"LocalDateTime":  reader(scalar.UnmarshalLocalDateTime),
	"DateOrDateTime": reader(scalar.UnmarshalDateOrDateTime),
	"TimeZone":       reader(scalar.UnmarshalTimeZone),
	"Decimal":        reader(scalar.UnmarshalDecimal),
	"JSON":           reader(scalar.UnmarshalJSON),
}

func reader[T any](unmarshal func(value any) (T, error)) func(value any) error {
	return func(value any) error {
		_, err := unmarshal(value)
		return err
	}
}

// maxShown is how much of a value its error repeats, in bytes.
const maxShown = 60

// shown is a value as JSON, cut short.
func shown(value any) string {
	text := appendJSON(nil, value)
	if len(text) > maxShown {
		text = append(bytes.ToValidUTF8(text[:maxShown], nil), "…"...)
	}
	return string(text)
}

// under puts an element before an error's path.
func under(element ast.PathElement, err *gqlerror.Error) *gqlerror.Error {
	err.Path = append(ast.Path{element}, err.Path...)
	return err
}
