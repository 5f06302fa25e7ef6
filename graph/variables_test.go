package graph

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

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
