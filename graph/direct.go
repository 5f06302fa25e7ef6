package graph

import (
	"bytes"
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/graph/scalar"
	"github.com/aledotdev/marquee/internal/catalog"
)

// The most frequent operation, one page of events and nothing else, is answered without gqlgen's execution, whose contexts, futures and maps
// take half of the time that such a request takes beside its rows. Every other operation (with another field, a directive,
// a filter, an order, a value of a wrong type) is executed by gqlgen, and so is one whose page fails, so that the error is presented
// like all others. Tests check that both ways give the same bytes.

// direct answers an operation that is one page of events. For others the answer is nil, and the context is the one to execute the operation
// with.
func (e *Engine) direct(ctx context.Context, op *Operation) (*Answer, context.Context) {
	field := onlyEvents(op.Operation)
	if field == nil || ctx.Err() != nil {
		return nil, ctx
	}
	page, window, ok := readArguments(field, op.Variables)
	if !ok {
		return nil, ctx
	}
	asked := graphql.CollectedField{Field: field, Selections: field.SelectionSet}
	layout := e.resolver.layouts.of(op.OperationContext, asked)
	if layout == nil {
		return nil, ctx
	}
	buffer, _ := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	b := (*buffer)[:0]
	b = append(b, `{"data":{"`...)
	b = append(b, field.Alias...)
	b, err := e.write(ctx, op, asked, page, window, layout, append(b, `":`...))
	switch {
	case errors.Is(err, catalog.ErrUnwritten):
		return nil, ctx
	case err != nil:
		return nil, context.WithValue(ctx, failureKey{}, err)
	}
	b = op.cost.appendTo(append(b, '}'))
	*buffer = b
	return &Answer{Body: bytes.Clone(b)}, ctx
}

// failureKey is the context's key of the error with which direct failed to write the page.
type failureKey struct{}

func (e *Engine) write(ctx context.Context, op *Operation, asked graphql.CollectedField,
	page catalog.PageArgs, window *catalog.WindowInput, layout *catalog.Layout, b []byte,
) (_ []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = op.Recover(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: asked}), p)
		}
	}()
	query, err := e.resolver.eventQuery(page, window, nil, nil)
	if err != nil {
		return nil, err
	}
	return e.resolver.Catalog.WriteEvents(ctx, query, layout, b)
}

// onlyEvents is the page of events that is all of an operation; nil if the operation is anything else.
func onlyEvents(operation *ast.OperationDefinition) *ast.Field {
	if operation.Operation != ast.Query || len(operation.Directives) > 0 || len(operation.SelectionSet) != 1 {
		return nil
	}
	field, ok := operation.SelectionSet[0].(*ast.Field)
	if !ok || field.Name != "events" || len(field.Directives) > 0 {
		return nil
	}
	return field
}

// readArguments reads the arguments of a page and its window; false if others are given, or if one is of a wrong type.
func readArguments(field *ast.Field, variables map[string]any) (page catalog.PageArgs, window *catalog.WindowInput, ok bool) {
	in := inputs{given: field.ArgumentMap(variables)}
	page = catalog.PageArgs{
		First: optional(&in, "first", graphql.UnmarshalInt), After: optional(&in, "after", graphql.UnmarshalString),
		Last: optional(&in, "last", graphql.UnmarshalInt), Before: optional(&in, "before", graphql.UnmarshalString),
	}
	window = optional(&in, "window", readWindow)
	return page, window, in.err == nil && in.given["where"] == nil && in.given["orderBy"] == nil
}

func readWindow(value any) (catalog.WindowInput, error) {
	given, ok := value.(map[string]any)
	if !ok {
		return catalog.WindowInput{}, errors.New("no object")
	}
	in := inputs{given: given}
	w := catalog.WindowInput{
		From: optional(&in, "from", scalar.UnmarshalDateOrDateTime), To: optional(&in, "to", scalar.UnmarshalDateOrDateTime),
		TimeZone: orZero(optional(&in, "timeZone", scalar.UnmarshalTimeZone)),
		Match:    orZero(optional(&in, "match", enum[catalog.WindowMatch])),
		Preset:   optional(&in, "preset", enum[catalog.WindowPreset]),
	}
	return w, in.err
}

// enum reads the value of an enum, which validation has checked: the catalog has the same names for the values as the SDL.
func enum[T ~string](value any) (T, error) {
	name, err := graphql.UnmarshalString(value)
	return T(name), err
}

// inputs are the arguments of a field, or the fields of an input object, by name.
type inputs struct {
	given map[string]any
	err   error // of one that was of a wrong type
}

// optional is the value of an argument; nil if it is not given or null.
func optional[T any](in *inputs, name string, unmarshal func(any) (T, error)) *T {
	given := in.given[name]
	if given == nil {
		return nil
	}
	value, err := unmarshal(given)
	if err != nil {
		in.err = err
	}
	return &value
}
