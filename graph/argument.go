package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// argumentOf is the argument that an error is about, as a client would name it: window.from. It is the same
// whether its value was in the document or in a variable. It is empty if the error is not about an argument, or if the document has more
// tokens than maxTokens.
func argumentOf(ctx context.Context, err *gqlerror.Error, maxTokens int) string {
	if field := graphql.GetFieldContext(ctx); field != nil {
		// gqlgen appends the names of argument and input field to the field's path.
		return dotted("", err.Path[min(len(field.Path()), len(err.Path)):])
	}
	if !graphql.HasOperationContext(ctx) {
		return ""
	}
	// It is about a place in the document, or about a variable: ["variable", name, …].
	document, failed := parser.ParseQueryWithTokenLimit(&ast.Source{Input: graphql.GetOperationContext(ctx).RawQuery}, maxTokens)
	if failed != nil {
		return ""
	}
	if len(err.Path) > 1 && err.Path[0] == ast.PathName("variable") {
		used := search(document, func(v *ast.Value, _ *ast.Position) bool {
			return v.Kind == ast.Variable && ast.PathName(v.Raw) == err.Path[1]
		})
		return dotted(used, err.Path[2:])
	}
	if len(err.Locations) == 0 {
		return ""
	}
	at := err.Locations[0]
	return search(document, func(v *ast.Value, name *ast.Position) bool {
		return isAt(v.Position, at) || isAt(name, at)
	})
}

// dotted appends the names in a path.
func dotted(prefix string, path ast.Path) string {
	var names []string
	if prefix != "" {
		names = []string{prefix}
	}
	for _, element := range path {
		if name, ok := element.(ast.PathName); ok {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, ".")
}

func isAt(p *ast.Position, at gqlerror.Location) bool {
	return p != nil && p.Line == at.Line && p.Column == at.Column
}

// search returns the dotted name of the first value in a document's arguments for which is holds; empty if there is none. name is the
// position of the argument's or the input field's name.
func search(document *ast.QueryDocument, is func(v *ast.Value, name *ast.Position) bool) string {
	var inValue func(v *ast.Value, name *ast.Position) (string, bool)
	inValue = func(v *ast.Value, name *ast.Position) (string, bool) {
		if v == nil {
			return "", false
		}
		for _, child := range v.Children {
			if found, ok := inValue(child.Value, child.Position); ok {
				return strings.Trim(child.Name+"."+found, "."), true // elements of lists have no name
			}
		}
		return "", is(v, name)
	}
	inArguments := func(arguments ast.ArgumentList) string {
		for _, a := range arguments {
			if found, ok := inValue(a.Value, a.Position); ok {
				return strings.Trim(a.Name+"."+found, ".")
			}
		}
		return ""
	}
	inDirectives := func(directives ast.DirectiveList) string {
		for _, d := range directives {
			if found := inArguments(d.Arguments); found != "" {
				return found
			}
		}
		return ""
	}
	var inSet func(set ast.SelectionSet) string
	inSet = func(set ast.SelectionSet) string {
		for _, selection := range set {
			found := ""
			switch s := selection.(type) {
			case *ast.Field:
				if found = inArguments(s.Arguments); found == "" {
					found = inDirectives(s.Directives)
				}
				if found == "" {
					found = inSet(s.SelectionSet)
				}
			case *ast.InlineFragment:
				if found = inDirectives(s.Directives); found == "" {
					found = inSet(s.SelectionSet)
				}
			case *ast.FragmentSpread:
				found = inDirectives(s.Directives)
			}
			if found != "" {
				return found
			}
		}
		return ""
	}
	for _, operation := range document.Operations {
		if found := inSet(operation.SelectionSet); found != "" {
			return found
		}
	}
	for _, fragment := range document.Fragments {
		if found := inSet(fragment.SelectionSet); found != "" {
			return found
		}
	}
	return ""
}
