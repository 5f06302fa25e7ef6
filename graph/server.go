package graph

import (
	"context"
	"log/slog"
	"maps"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/aledotdev/marquee/graph/generated"
	"github.com/aledotdev/marquee/internal/panics"
)

// parsedDocuments is how many parsed documents are kept; the least recently used are dropped first.
const parsedDocuments = 500

// Engine checks and executes operations, whether they come by HTTP or by a WebSocket. It is safe
// for concurrent use.
type Engine struct {
	executor *executor.Executor
	known    graphql.Cache[*ast.QueryDocument] // documents by their text, which are valid
	resolver *Resolver
	schema   *ast.Schema
	limiter  *limiter
}

// NewEngine makes an Engine that reads from a catalog. Internal errors and panics go to log.
func NewEngine(reads Catalog, log *slog.Logger, limits Limits) *Engine {
	limits = limits.orDefaults()
	var places panics.Places
	resolver := NewResolver(reads)
	schema := generated.NewExecutableSchema(generated.Config{Schema: answered(), Resolvers: resolver})
	e := executor.New(schema)
	known := lru.New[*ast.QueryDocument](parsedDocuments)
	e.SetQueryCache(known)
	e.SetParserTokenLimit(limits.Tokens)
	e.SetDisableSuggestion(true)
	e.SetDefaultRulesFn(validation)
	e.Use(extension.Introspection{})
	e.Use(written{})
	e.SetErrorPresenter(presenter(log, limits.Tokens))
	e.SetRecoverFunc(func(ctx context.Context, p any) error {
		log.LogAttrs(ctx, slog.LevelError, "panic in a resolver", append(places.Attrs(p), slog.String("path", graphql.GetPath(ctx).String()))...)
		return errPanic
	})
	return &Engine{executor: e, known: known, resolver: resolver, schema: schema.Schema(), limiter: &limiter{limits: limits, costs: costsOf(schema.Schema())}}
}

// answered is the schema without what gqlparser gives every schema and nothing here can answer: what @defer defers would be sent later, and
// no transport of ours sends twice. It is null until then, non-null fields, too.
func answered() *ast.Schema {
	schema := *generated.NewExecutableSchema(generated.Config{}).Schema()
	schema.Directives = maps.Clone(schema.Directives)
	delete(schema.Directives, "defer")
	return &schema
}

// validation are the rules of validation without suggestions ("did you mean"), which SetDisableSuggestion removes from some rules only; and
// oneRootField.
func validation() *rules.Rules {
	all := rules.NewDefaultRules()
	for name, silent := range map[string]core.Rule{
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		all.RemoveRule(name)
		all.AddRule(silent.Name, silent.RuleFunc)
	}
	all.RemoveRule(rules.SingleFieldSubscriptionsRule.Name)
	all.AddRule(rules.SingleFieldSubscriptionsRule.Name, oneRootField)
	return all
}

// oneRootField is the rule that a subscription has one root field, whatever its variables are (GraphQL, 5.2.4.1). gqlparser's own rule
// counts fields that differ only in their aliases as one, and ignores @skip and @include.
func oneRootField(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(_ *core.Walker, operation *ast.OperationDefinition) {
		if operation.Operation != ast.Subscription {
			return
		}
		var root *ast.Field
		met := map[*ast.FragmentDefinition]bool{nil: true} // nil: one that is not there, which another rule tells
		certain := func(directives ast.DirectiveList) {
			for _, d := range directives {
				if d.Name == "skip" || d.Name == "include" {
					addError(core.Message("the root field of a subscription can't be left out by @%s", d.Name), core.At(d.Position))
				}
			}
		}
		var walk func(set ast.SelectionSet)
		walk = func(set ast.SelectionSet) {
			for _, selection := range set {
				switch s := selection.(type) {
				case *ast.Field:
					certain(s.Directives)
					if root == nil {
						root = s
					}
					if s.Alias != root.Alias || strings.HasPrefix(s.Name, "__") {
						addError(core.Message("a subscription has one root field, and none of introspection"), core.At(s.Position))
					}
				case *ast.InlineFragment:
					certain(s.Directives)
					walk(s.SelectionSet)
				case *ast.FragmentSpread:
					certain(s.Directives)
					if !met[s.Definition] {
						met[s.Definition] = true
						walk(s.Definition.SelectionSet)
					}
				}
			}
		}
		walk(operation.SelectionSet)
	})
}

// SDL is the schema as clients see it.
func SDL() string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(generated.NewExecutableSchema(generated.Config{}).Schema())
	return b.String()
}
