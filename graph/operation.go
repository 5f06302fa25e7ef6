package graph

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Request is what a client asks: one operation of a document, with its variables. Numbers in Variables
// have to be of type json.Number.
type Request struct {
	Query         string
	OperationName string
	Variables     map[string]any
	Extensions    map[string]any
}

// Mutates says whether the operation is a mutation, judged by its text alone, which need not be valid. A document of more than 5,000 tokens
// is not looked at.
func (r Request) Mutates() bool {
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: r.Query}, defaultTokens)
	if err != nil {
		return false
	}
	op := document.Operations.ForName(r.OperationName)
	return op != nil && op.Operation == ast.Mutation
}

// Operation is a request that has passed every check. It may be executed once.
type Operation struct {
	*graphql.OperationContext
	schema *ast.Schema
	cost   Cost
}

// Cost is the computed cost of the operation in points, at least 1.
func (o *Operation) Cost() int { return max(1, o.cost.Requested) }

// Answer is a finished response.
type Answer struct {
	Body    []byte         // JSON; it may be shared, and may not be changed
	Refused bool           // nothing was executed, so that there is no data entry (GraphQL, 7.1)
	Failed  bool           // it holds errors, as refused answers always do
	Codes   []catalog.Code // extensions.code of each error
}

// errNoTime is the error of an operation whose context ended before it began.
var errNoTime = errors.New("no time was left to execute the operation")

// Prepare parses a request, validates it and checks it against every limit. It returns the operation, or the answer that says what is
// wrong; the other is nil.
func (e *Engine) Prepare(ctx context.Context, r Request) (*Operation, *Answer) {
	ctx = graphql.StartOperationTrace(ctx)
	if err := e.tooLarge(ctx, r.Query); err != nil {
		return nil, e.Refuse(ctx, err)
	}
	params := graphql.RawParams{Query: r.Query, OperationName: r.OperationName, Variables: r.Variables, Extensions: r.Extensions}
	op, errs := e.executor.CreateOperationContext(ctx, &params)
	var cost Cost
	switch {
	case op.Operation != nil: // the document is a good one
		if err := checkVariables(e.schema, op, r.Variables); err != nil {
			errs = gqlerror.List{err}
		}
		if len(errs) == 0 {
			var err error
			if cost, err = e.limiter.check(op.Operation, op.Variables); err != nil {
				errs = gqlerror.List{gqlerror.Wrap(err)}
			}
		}
	case op.Doc != nil && r.OperationName == "":
		errs = gqlerror.List{gqlerror.Errorf("the document has several operations: operationName has to say which")}
	case op.Doc == nil && hasMoreTokens(r.Query, e.limiter.limits.Tokens):
		errs = gqlerror.List{gqlerror.Wrap(tooComplex("the document has too many tokens, at most %d are allowed", e.limiter.limits.Tokens))}
	}
	if len(errs) > 0 {
		return nil, e.refuse(graphql.WithOperationContext(ctx, op), errs)
	}
	return &Operation{OperationContext: op, schema: e.schema, cost: cost}, nil
}

// tooLarge says which limit a document exceeds that is not known yet. It comes before validation, whose work grows with the square of the
// number of fields.
func (e *Engine) tooLarge(ctx context.Context, text string) error {
	if _, known := e.known.Get(ctx, text); known {
		return nil
	}
	if document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, e.limiter.limits.Tokens); err == nil {
		return e.limiter.checkSize(document)
	}
	return nil // what is wrong with it is told by who parses it next
}

// hasMoreTokens says whether a document has more than n tokens, comments included, before its end or the first syntax error.
func hasMoreTokens(document string, n int) bool {
	tokens := lexer.New(&ast.Source{Input: document})
	for range n + 1 {
		if token, err := tokens.ReadToken(); err != nil || token.Kind == lexer.EOF {
			return false
		}
	}
	return true
}

// Execute resolves the operation and returns its answer. It may be called once for each operation.
func (e *Engine) Execute(ctx context.Context, op *Operation) *Answer {
	answer, ctx := e.direct(ctx, op)
	if answer != nil {
		return answer
	}
	respond, ctx := e.executor.DispatchOperation(ctx, op.OperationContext)
	response := respond(ctx)
	if response == nil { // ctx was over
		response = e.executor.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(errNoTime)})
	}
	b := encode(response, false)
	b = op.cost.appendTo(b[:len(b)-1])
	return &Answer{Body: b, Failed: len(response.Errors) > 0, Codes: codesOf(response.Errors)}
}

// maxErrors is how many mistakes of a document are told: for each the document is looked through for the argument at fault.
const maxErrors = 10

func (e *Engine) refuse(ctx context.Context, errs gqlerror.List) *Answer {
	response := e.executor.DispatchError(ctx, errs[:min(len(errs), maxErrors)])
	return &Answer{Body: encode(response, true), Refused: true, Failed: true, Codes: codesOf(response.Errors)}
}

// Refuse makes the answer to a request that never became an operation. The error is presented like those of resolvers: a
// catalog.Error as it is, any other as internal.
func (e *Engine) Refuse(ctx context.Context, err error) *Answer {
	return e.refuse(graphql.WithOperationContext(ctx, &graphql.OperationContext{}), gqlerror.List{gqlerror.Wrap(err)})
}

// envelopeBytes is room for what stands around data in most answers.
const envelopeBytes = 192

// encode writes a response as JSON, into the buffer of its data if that has room. encoding/json would check and copy
// the data once more, which is JSON already. Extensions are left out: gqlgen makes none here.
func encode(r *graphql.Response, refused bool) []byte {
	head := []byte{'{'}
	if len(r.Errors) > 0 {
		head = append(appendJSON(append(head, `"errors":`...), r.Errors), ',')
	}
	switch {
	case refused:
		head[len(head)-1] = '}' // over the comma behind the errors
		return head
	case r.Data == nil:
		return append(head, `"data":null}`...)
	default:
		head = append(head, `"data":`...)
		return append(slices.Insert(r.Data, 0, head...), '}')
	}
}

func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // what errors and extensions are made of can be told as JSON
	}
	return append(b, text...)
}
