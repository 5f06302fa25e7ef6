package graph

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Limits bound what one request may ask for. 0 is the default, which stands behind each.
type Limits struct {
	Tokens     int // in a document; 5,000
	Fields     int // selected in a document, and as many fragments spread; 400
	Aliases    int // in a document; 30
	Directives int // in a document; 30
	Depth      int // levels of nested fields in an operation, without introspection; 12
	PageSize   int // items of a page, 1 to 100; 100
	Cost       int // points of an operation, see cost.go; 5,000

	NoIntrospection bool // refuse __schema and __type
}

// defaultTokens is the default of Limits.Tokens.
const defaultTokens = 5_000

// orDefaults replaces zeros by defaults.
func (l Limits) orDefaults() Limits {
	l.Tokens = cmp.Or(l.Tokens, defaultTokens)
	l.Fields = cmp.Or(l.Fields, 400)
	l.Aliases = cmp.Or(l.Aliases, 30)
	l.Directives = cmp.Or(l.Directives, 30)
	l.Depth = cmp.Or(l.Depth, 12)
	l.PageSize = cmp.Or(l.PageSize, catalog.MaxPageSize)
	l.Cost = cmp.Or(l.Cost, 5_000)
	return l
}

// Cost is the computed cost of an operation, as clients see it in extensions.cost.
type Cost struct {
	Requested int `json:"requested"` // points of this operation
	Limit     int `json:"limit"`     // the most that one operation may cost
	Remaining int `json:"remaining"` // Limit - Requested: how many points more this operation could have cost
}

// appendTo adds extensions.cost to an answer, a JSON object without its last brace, and closes it.
func (c Cost) appendTo(b []byte) []byte {
	b = strconv.AppendInt(append(b, `,"extensions":{"cost":{"requested":`...), int64(c.Requested), 10)
	b = strconv.AppendInt(append(b, `,"limit":`...), int64(c.Limit), 10)
	b = strconv.AppendInt(append(b, `,"remaining":`...), int64(c.Remaining), 10)
	return append(b, "}}}"...)
}

// limiter holds operations to limits.
type limiter struct {
	limits Limits
	costs  costs
}

// checkSize says which limit a document exceeds by itself, be it valid or not.
func (l *limiter) checkSize(document *ast.QueryDocument) error {
	size := sizeOf(document)
	for _, bound := range []struct {
		what   string
		n, max int
	}{
		{"fields", size.fields, l.limits.Fields},
		{"fragment spreads", size.spreads, l.limits.Fields},
		{"aliases", size.aliases, l.limits.Aliases},
		{"directives", size.directives, l.limits.Directives},
	} {
		if bound.n > bound.max {
			return tooComplex("the document has %d %s, at most %d are allowed", bound.n, bound.what, bound.max)
		}
	}
	if l.limits.NoIntrospection && size.introspects {
		return &catalog.Error{Code: codeIntrospection, Message: "introspection is switched off here; the schema is at /schema.graphql"}
	}
	return nil
}

// check is the cost of a valid operation, or an error that says which limit it exceeds. The size of its document is checked before.
func (l *limiter) check(operation *ast.OperationDefinition, variables map[string]any) (Cost, error) {
	if depth := (depths{}).of(operation.SelectionSet); depth > l.limits.Depth {
		return Cost{}, tooComplex("the query is %d levels deep, at most %d are allowed", depth, l.limits.Depth)
	}
	requested, largest := l.costs.of(operation, variables)
	if largest.n > l.limits.PageSize {
		return Cost{}, &catalog.Error{
			Code: catalog.CodeBadUserInput, Argument: largest.argument,
			Message: fmt.Sprintf("%s is %d, want 1 to %d", largest.argument, largest.n, l.limits.PageSize),
		}
	}
	if requested > l.limits.Cost {
		return Cost{}, tooComplex("the query costs %d points, at most %d are allowed: ask for smaller pages, or for fewer lists inside of lists", requested, l.limits.Cost)
	}
	return Cost{Requested: requested, Limit: l.limits.Cost, Remaining: l.limits.Cost - requested}, nil
}

func tooComplex(format string, args ...any) error {
	return &catalog.Error{Code: codeTooComplex, Message: fmt.Sprintf(format, args...)}
}

// size is how much a document holds, whatever of it is run.
type size struct {
	fields, spreads, aliases, directives int
	introspects                          bool
}

// sizeOf measures a document; it need not be a valid one.
func sizeOf(document *ast.QueryDocument) size {
	var s size
	for _, operation := range document.Operations {
		s.directives += len(operation.Directives)
		for _, variable := range operation.VariableDefinitions {
			s.directives += len(variable.Directives)
		}
		s.add(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		s.directives += len(fragment.Directives)
		s.add(fragment.SelectionSet)
	}
	return s
}

func (s *size) add(set ast.SelectionSet) {
	for _, selection := range set {
		switch f := selection.(type) {
		case *ast.Field:
			s.fields++
			if f.Alias != f.Name {
				s.aliases++
			}
			s.introspects = s.introspects || f.Name == "__schema" || f.Name == "__type"
			s.directives += len(f.Directives)
			s.add(f.SelectionSet)
		case *ast.InlineFragment:
			s.directives += len(f.Directives)
			s.add(f.SelectionSet)
		case *ast.FragmentSpread:
			s.spreads++
			s.directives += len(f.Directives)
		}
	}
}

// depths are the depths of fragments, so that each is computed once, however often it is spread.
type depths map[*ast.FragmentDefinition]int

func (d depths) of(set ast.SelectionSet) int {
	deepest := 0
	for _, selection := range set {
		depth := 0
		switch s := selection.(type) {
		case *ast.Field:
			if strings.HasPrefix(s.Name, "__") { // validation has a limit for it
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
