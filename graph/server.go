package graph

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/aledotdev/marquee/graph/generated"
)

// Limits of a document.
const (
	maxTokens       = 5_000
	parsedDocuments = 500 // kept, least recently used out first
)

// NewHandler serves the API over HTTP by POST and GET.
func NewHandler(reads Catalog, log *slog.Logger) http.Handler {
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: &Resolver{Catalog: reads}})
	server := handler.New(schema)
	server.AddTransport(transport.Options{})
	server.AddTransport(transport.GET{})
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](parsedDocuments))
	server.SetParserTokenLimit(maxTokens)
	server.SetDisableSuggestion(true)
	server.SetValidationRulesFn(withoutSuggestions)
	server.Use(extension.Introspection{})
	server.Use(&limiter{limits: Limits{}.orDefaults(), costs: costsOf(schema.Schema())})
	server.SetErrorPresenter(presenter(log))
	server.SetRecoverFunc(func(ctx context.Context, p any) error {
		log.ErrorContext(ctx, "panic in a resolver", "path", graphql.GetPath(ctx).String(), "panic", p, "stack", string(debug.Stack()))
		return errPanic
	})
	return wellFormed(server)
}

// withoutSuggestions are the rules of validation that don't guess what was meant. SetDisableSuggestion knows of
// some of them only.
func withoutSuggestions() *rules.Rules {
	all := rules.NewDefaultRules()
	for name, silent := range map[string]core.Rule{
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		all.RemoveRule(name)
		all.AddRule(silent.Name, silent.RuleFunc)
	}
	return all
}

// SDL is the schema as clients know it.
func SDL() string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(generated.NewExecutableSchema(generated.Config{}).Schema())
	return b.String()
}
