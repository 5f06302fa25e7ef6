package graph

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Lists of events are not resolved by gqlgen field by field: the catalog writes the JSON of the connection from the rows,
// and gqlgen passes it on. If a selection has something that the catalog can't write (a field with arguments, for one), the whole
// connection is resolved in the ordinary way. Resolver.page decides which; for operations that are one page of events and nothing else,
// direct.go does. Tests check that all ways give the same bytes.

// page reads a page of events: as JSON if the catalog can write it, else by resolve.
func (r *Resolver) page(ctx context.Context, query catalog.EventQuery,
	resolve func(context.Context, catalog.EventQuery) (*catalog.EventPage, error),
) (*catalog.EventPage, error) {
	if err, tried := ctx.Value(failureKey{}).(error); tried {
		return nil, err
	}
	if layout := r.layouts.of(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field); layout != nil {
		buffer, _ := buffers.Get().(*[]byte)
		written, err := r.Catalog.WriteEvents(ctx, query, layout, (*buffer)[:0])
		if err == nil {
			*buffer = written
			return &catalog.EventPage{JSON: buffer}, nil
		}
		buffers.Put(buffer)
		if !errors.Is(err, catalog.ErrUnwritten) {
			return nil, err
		}
	}
	query.Fields = selectedFields(ctx)
	return resolve(ctx, query)
}

// layouts are how the connections in documents are written. The least used are dropped first.
type layouts struct {
	known *otter.Cache[*ast.Field, layout]
}

// layout is that of one field in a document. It is the same for each request, unless a directive leaves something out.
type layout struct {
	*catalog.Layout      // nil: it is not written
	varies          bool // it differs from request to request, and is not kept
}

func newLayouts() layouts {
	return layouts{otter.Must(&otter.Options[*ast.Field, layout]{MaximumSize: parsedDocuments})}
}

// of is the layout of a connection; nil if the catalog can't write it.
func (l layouts) of(op *graphql.OperationContext, field graphql.CollectedField) *catalog.Layout {
	if !slices.Equal(field.Selections, field.SelectionSet) { // the document selects this field in several places
		return layoutOf(op, field)
	}
	known, ok := l.known.GetIfPresent(field.Field)
	switch {
	case !ok:
		known.varies = varies(field.SelectionSet, map[*ast.FragmentDefinition]bool{})
		known.Layout = layoutOf(op, field)
		l.known.Set(field.Field, known)
	case known.varies:
		return layoutOf(op, field)
	}
	return known.Layout
}

func layoutOf(op *graphql.OperationContext, field graphql.CollectedField) *catalog.Layout {
	want, ok := selected(op, field)
	if !ok {
		return nil
	}
	layout, err := catalog.NewLayout(want)
	if err != nil { // ErrUnwritten
		return nil
	}
	return layout
}

// varies says whether what is selected depends on directives. Each fragment is looked at once.
func varies(set ast.SelectionSet, seen map[*ast.FragmentDefinition]bool) bool {
	return slices.ContainsFunc(set, func(s ast.Selection) bool {
		switch s := s.(type) {
		case *ast.Field:
			return len(s.Directives) > 0 || varies(s.SelectionSet, seen)
		case *ast.InlineFragment:
			return len(s.Directives) > 0 || varies(s.SelectionSet, seen)
		case *ast.FragmentSpread:
			again := seen[s.Definition]
			seen[s.Definition] = true
			return len(s.Directives) > 0 || !again && varies(s.Definition.SelectionSet, seen)
		default:
			return true
		}
	})
}

// selected is what is selected of a field; false if a part of it is deferred.
func selected(op *graphql.OperationContext, of graphql.CollectedField) (catalog.Selection, bool) {
	if len(of.Selections) == 0 {
		return nil, true
	}
	fields := graphql.CollectFields(op, of.Selections, []string{of.Definition.Type.Name(), "Node"})
	want := make(catalog.Selection, len(fields))
	for i, f := range fields {
		inner, ok := selected(op, f)
		if !ok || f.IsDeferred() {
			return nil, false
		}
		want[i] = catalog.Selected{Key: f.Alias, Name: f.Name, Of: inner}
	}
	return want, true
}

// written passes on pages that the catalog has written as JSON.
type written struct{}

var _ graphql.FieldInterceptor = written{}

// ExtensionName implements graphql.HandlerExtension.
func (written) ExtensionName() string { return "Written" }

// Validate implements graphql.HandlerExtension.
func (written) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField implements graphql.FieldInterceptor. A Marshaler in the place of a field's value is written as it is.
func (written) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	result, err := next(ctx)
	if inner, ok := errors.AsType[*catalog.FieldError](err); ok {
		failed(ctx, inner)
		return graphql.Null, nil
	}
	if page, ok := result.(*catalog.EventPage); ok && err == nil && page.JSON != nil {
		return answer{page.JSON}, nil
	}
	return result, err
}

// failed adds the error of a field in the connection that is being resolved.
func failed(ctx context.Context, inner *catalog.FieldError) {
	fields := graphql.CollectFieldsCtx(ctx, nil)
	at := slices.IndexFunc(fields, func(f graphql.CollectedField) bool { return f.Alias == inner.Key })
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: fields[at].ObjectDefinition.Name, Field: fields[at]})
	graphql.AddError(ctx, graphql.AddFieldLocationToError(ctx, inner.Err))
}

// answer is a connection as JSON. It may be written once: its buffer is then used for another.
type answer struct{ json *[]byte }

// MarshalGQL implements graphql.Marshaler.
func (a answer) MarshalGQL(w io.Writer) {
	if w, ok := w.(*bytes.Buffer); ok { // the response's, which encode writes more into
		w.Grow(len(*a.json) + envelopeBytes)
	}
	_, _ = w.Write(*a.json) // a failing writer is the transport's to notice
	buffers.Put(a.json)
}

//nolint:gochecknoglobals // buffers that are used again
var buffers = sync.Pool{New: func() any { return new([]byte) }}
