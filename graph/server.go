package graph

import (
	"cmp"
	"context"
	"errors"
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
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/aledotdev/marquee/graph/generated"
	"github.com/aledotdev/marquee/internal/catalog"
)

// Limits of a document.
const (
	maxTokens       = 5_000
	maxDepth        = 12
	parsedDocuments = 500 // kept, least recently used out first
)

const codeInternal = "INTERNAL"

// NewHandler serves the API over HTTP by POST and GET.
func NewHandler(reads Catalog, log *slog.Logger) http.Handler {
	server := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: &Resolver{Catalog: reads}}))
	server.AddTransport(transport.Options{})
	server.AddTransport(transport.GET{})
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](parsedDocuments))
	server.SetParserTokenLimit(maxTokens)
	server.SetDisableSuggestion(true)
	server.Use(extension.Introspection{})
	server.AroundOperations(limitDepth)
	server.SetErrorPresenter(presenter(log))
	server.SetRecoverFunc(func(ctx context.Context, p any) error {
		log.ErrorContext(ctx, "panic in a resolver", "panic", p, "stack", string(debug.Stack()))
		return errPanic
	})
	return server
}

// SDL is the schema as clients know it.
func SDL() string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(generated.NewExecutableSchema(generated.Config{}).Schema())
	return b.String()
}

// errPanic has been logged with its stack.
var errPanic = errors.New("panic in a resolver")

// presenter turns errors into what the client may see. Those of the catalog are meant for it; those of
// parsing and validation say what is wrong with the document; all others are logged, once, and
// told as nothing but internal.
func presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		presented := graphql.DefaultErrorPresenter(ctx, err)
		var known *catalog.Error
		switch {
		case errors.As(err, &known):
			presented.Message = known.Message
			presented.Extensions = extensions(known.Code, cmp.Or(known.Argument, argumentOf(ctx, presented.Path)))
		case presented.Err == nil:
			// By gqlgen itself, of document or variables, before any resolver ran: errors of ours are wrapped.
			presented.Extensions = extensions(catalog.CodeBadUserInput, argumentOf(ctx, presented.Path))
		default:
			if !errors.Is(err, errPanic) && !errors.Is(ctx.Err(), context.Canceled) {
				log.ErrorContext(ctx, "resolving", "path", presented.Path.String(), "error", err)
			}
			presented.Message = "internal error"
			presented.Extensions = map[string]any{"code": codeInternal}
		}
		return presented
	}
}

func extensions(code catalog.Code, argument string) map[string]any {
	if argument == "" {
		return map[string]any{"code": code}
	}
	return map[string]any{"code": code, "argument": argument}
}

// argumentOf is the part of an error's path behind the field that it occurred in: gqlgen appends the
// names of argument and input field.
func argumentOf(ctx context.Context, path ast.Path) string {
	if field := graphql.GetFieldContext(ctx); field != nil {
		path = path[min(len(field.Path()), len(path)):]
	}
	var names []string
	for _, element := range path {
		if name, ok := element.(ast.PathName); ok {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, ".")
}

// limitDepth refuses operations that select deeper than maxDepth; introspection has a depth of its own.
func limitDepth(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if depth := depthOf(op.Operation.SelectionSet); depth > maxDepth {
		return graphql.OneShot(graphql.ErrorResponse(ctx, "the query is %d levels deep, at most %d are allowed", depth, maxDepth))
	}
	return next(ctx)
}

func depthOf(set ast.SelectionSet) int {
	deepest := 0
	for _, selection := range set {
		depth := 0
		switch s := selection.(type) {
		case *ast.Field:
			if strings.HasPrefix(s.Name, "__") {
				continue
			}
			depth = 1 + depthOf(s.SelectionSet)
		case *ast.InlineFragment:
			depth = depthOf(s.SelectionSet)
		case *ast.FragmentSpread:
			depth = depthOf(s.Definition.SelectionSet)
		}
		deepest = max(deepest, depth)
	}
	return deepest
}
