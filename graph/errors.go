package graph

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Codes of errors beside the catalog's.
const (
	codeInternal      catalog.Code = "INTERNAL"
	codeIntrospection catalog.Code = "INTROSPECTION_DISABLED"
	codeTooComplex    catalog.Code = "QUERY_TOO_COMPLEX"
)

// errPanic stands for a panic, which has already been logged with its stack.
var errPanic = errors.New("panic in a resolver")

// presenter turns errors into what the client may see. Errors of the catalog are meant for the client; those of
// parsing and validation say what is wrong with the document. All others are logged, once, and the client
// sees only that the error is internal.
func presenter(log *slog.Logger, maxTokens int) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		presented := graphql.DefaultErrorPresenter(ctx, err)
		argument := argumentOf(ctx, presented, maxTokens)
		var known *catalog.Error
		switch {
		case errors.As(err, &known):
			presented.Message = known.Message
			presented.Extensions = extensions(known.Code, cmp.Or(known.Argument, argument))
		case graphql.GetFieldContext(ctx) == nil && presented.Err == nil:
			// By gqlgen itself, of document or variables, before any resolver ran: errors of ours are wrapped.
			presented.Extensions = extensions(catalog.CodeBadUserInput, argument)
		case argument != "":
			// About a value that is of a wrong type although it has passed validation.
			presented.Message = argument + ": not a value of its type"
			presented.Extensions = extensions(catalog.CodeBadUserInput, argument)
		default:
			if !errors.Is(err, errPanic) && !left(ctx) {
				log.ErrorContext(ctx, "resolving", "path", presented.Path.String(), "error", err)
			}
			presented.Message = "internal error"
			presented.Extensions = extensions(codeInternal, "")
		}
		place(ctx, presented)
		return presented
	}
}

// place corrects the path of an error, which has to lead to a field of the response (GraphQL, 7.1.2). gqlgen's path goes on to the argument
// at fault, which is cut off. An error about a variable has a path, too, although it belongs to no field: its message names the variable instead.
func place(ctx context.Context, presented *gqlerror.Error) {
	field := graphql.GetFieldContext(ctx)
	if field == nil {
		if len(presented.Path) > 1 {
			presented.Message = "$" + presented.Path[1:].String() + ": " + presented.Message
		}
		presented.Path = nil
		return
	}
	if path := field.Path(); len(presented.Path) > len(path) {
		presented.Path = path
		_ = graphql.AddFieldLocationToError(ctx, presented) // it is the same error
	}
}

// codesOf are the codes that presented errors carry.
func codesOf(errs gqlerror.List) []catalog.Code {
	var codes []catalog.Code
	for _, err := range errs {
		if code, ok := err.Extensions["code"].(catalog.Code); ok {
			codes = append(codes, code)
		}
	}
	return codes
}

func extensions(code catalog.Code, argument string) map[string]any {
	if argument == "" {
		return map[string]any{"code": code}
	}
	return map[string]any{"code": code, "argument": argument}
}
