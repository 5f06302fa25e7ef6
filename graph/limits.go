package graph

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Limits bound what one request may ask for. A number that is 0 takes its default.
type Limits struct {
	Tokens     int // of a document; 5,000
	Fields     int // selected in a document, and as many fragments spread; 400
	Aliases    int // in a document; 30
	Directives int // in a document; 30
	Depth      int // levels of fields of an operation, those of introspection aside; 12
	PageSize   int // 100, which is the most
	Cost       int // points of an operation, see cost.go; 5,000

	NoIntrospection bool // refuse __schema and __type
}

// maxTokens is the default, and what is looked at of a document that is refused.
const maxTokens = 5_000

// orDefaults fills in what is not given.
func (l Limits) orDefaults() Limits {
	l.Tokens = cmp.Or(l.Tokens, maxTokens)
	l.Fields = cmp.Or(l.Fields, 400)
	l.Aliases = cmp.Or(l.Aliases, 30)
	l.Directives = cmp.Or(l.Directives, 30)
	l.Depth = cmp.Or(l.Depth, 12)
	l.PageSize = cmp.Or(l.PageSize, catalog.MaxPageSize)
	l.Cost = cmp.Or(l.Cost, 5_000)
	return l
}

// Cost is what an operation was reckoned to cost, as clients see it in extensions.cost.
type Cost struct {
	Requested int `json:"requested"` // points of this operation
	Limit     int `json:"limit"`     // the most that one operation may cost
	Remaining int `json:"remaining"` // how much more this operation could have asked for
}

// appendTo ends an answer, a JSON object, with what it cost.
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

// checkSize says what is too much about a document, valid or not.
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

// check is the cost of a valid operation of a document whose size is checked, or what is too much about it.
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

// depths are those of the fragments looked into: one that is spread twice in each of a hundred others is
// looked into once.
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
