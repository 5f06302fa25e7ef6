package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/aledotdev/marquee/internal/catalog"
)

// limits refuses operations that select deeper than maxDepth; introspection has a depth of its own, which
// validation limits.
type limits struct{}

var _ graphql.OperationContextMutator = limits{}

// ExtensionName implements graphql.HandlerExtension.
func (limits) ExtensionName() string { return "Limits" }

// Validate implements graphql.HandlerExtension.
func (limits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (limits) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	depth := depths{}.of(op.Operation.SelectionSet)
	if depth <= maxDepth {
		return nil
	}
	refused := gqlerror.Wrap(&catalog.Error{
		Code: codeTooComplex, Message: fmt.Sprintf("the query is %d levels deep, at most %d are allowed", depth, maxDepth),
	})
	errcode.Set(refused, errcode.ValidationFailed) // for the HTTP status
	return refused
}

// depths are those of the fragments looked into: one that is spread twice in each of a hundred others is
// looked into once.
type depths map[*ast.FragmentDefinition]int

func (d depths) of(set ast.SelectionSet) int {
	deepest := 0
	for _, selection := range set {
		depth := 0
		switch s := selection.(type) {
		case *ast.Field:
			if strings.HasPrefix(s.Name, "__") {
				continue
			}
			depth = 1 + d.of(s.SelectionSet)
		case *ast.InlineFragment:
			depth = d.of(s.SelectionSet)
		case *ast.FragmentSpread:
			known, ok := d[s.Definition]
			if !ok {
				known = d.of(s.Definition.SelectionSet)
				d[s.Definition] = known
			}
			depth = known
		}
		deepest = max(deepest, depth)
	}
	return deepest
}
