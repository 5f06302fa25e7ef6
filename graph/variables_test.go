package graph

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/aledotdev/marquee/graph/generated"
)

// TestScalarsAreRead: a scalar that checkVariables knows nothing of takes no value at all.
func TestScalarsAreRead(t *testing.T) {
	t.Parallel()
	for name, definition := range generated.NewExecutableSchema(generated.Config{}).Schema().Types {
		if definition.Kind == ast.Scalar && !definition.BuiltIn && scalars[name] == nil {
			t.Errorf("%s is not read", name)
		}
	}
}

// TestNullInOtherOperations: where a variable of this name stands in another operation is no matter of this one.
func TestNullInOtherOperations(t *testing.T) {
	t.Parallel()
	document, errs := gqlparser.LoadQueryWithRules(generated.NewExecutableSchema(generated.Config{}).Schema(), `
		query A($on: Boolean) { events(where: {removed: $on}) { totalCount } }
		query B($on: Boolean!) { ...F }
		fragment F on Query { __typename @include(if: $on) }`, rules.NewDefaultRules())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for name, want := range map[string]bool{"A": false, "B": true} {
		op := &graphql.OperationContext{Doc: document, Operation: document.Operations.ForName(name)}
		if got := isNeeded(op, "on"); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestFragmentsAreLookedAtOnce: each of these spreads the next one twice.
func TestFragmentsAreLookedAtOnce(t *testing.T) {
	t.Parallel()
	const depth = 64
	var set ast.SelectionSet
	for range depth {
		fragment := &ast.FragmentDefinition{SelectionSet: set}
		set = ast.SelectionSet{&ast.FragmentSpread{Definition: fragment}, &ast.FragmentSpread{Definition: fragment}}
	}
	if varies(set, map[*ast.FragmentDefinition]bool{}) {
		t.Error("there are no directives")
	}
	if n := len(fragmentsOf(set, nil)); n != depth {
		t.Errorf("%d fragments, want %d", n, depth)
	}
}
