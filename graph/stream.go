package graph

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/99designs/gqlgen/graphql"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Stream is a subscription that has begun. One goroutine may use it.
type Stream struct {
	ctx     context.Context //nolint:containedctx // gqlgen wants it with each answer.
	respond graphql.ResponseHandler
	life    *life
}

// life says how long a stream goes on, and which error ended it.
type life struct {
	ctx context.Context //nolint:containedctx // See Stream.
	err error
}

type lifeKey struct{}

// left says whether the client for which ctx runs has left.
func left(ctx context.Context) bool {
	if of, ok := ctx.Value(lifeKey{}).(*life); ok {
		ctx = of.ctx
	}
	return errors.Is(ctx.Err(), context.Canceled)
}

// Stream begins to execute a subscription; it may be called once for each operation. The stream ends with ctx, but not in the middle of an
// answer: what that reads may be read for other subscribers as well, who have not left.
func (e *Engine) Stream(ctx context.Context, op *Operation) *Stream {
	s := &Stream{life: &life{ctx: ctx}}
	ctx = context.WithValue(context.WithoutCancel(ctx), lifeKey{}, s.life)
	s.respond, s.ctx = e.executor.DispatchOperation(ctx, op.OperationContext)
	return s
}

// Next waits for the next answer. It is nil if the stream has ended.
func (s *Stream) Next() *Answer {
	response := s.respond(s.ctx)
	if response == nil {
		return nil
	}
	response.Data = bytes.Clone(response.Data) // gqlgen writes the next into the same buffer
	return &Answer{Body: encode(response, false), Failed: len(response.Errors) > 0, Codes: codesOf(response.Errors)}
}

// Err is the error that ended the stream, once Next has returned nil; nil if only its context did.
func (s *Stream) Err() error { return s.life.err }

// follow gives changes for as long as the stream lives that ctx belongs to.
func (r *Resolver) follow(ctx context.Context, after *string, where catalog.ChangeFilter) (<-chan *catalog.Change, error) {
	of, ok := ctx.Value(lifeKey{}).(*life)
	if !ok {
		of = &life{ctx: ctx}
	}
	changes, err := r.Catalog.Follow(of.ctx, after, where)
	if err != nil {
		return nil, err
	}
	given := make(chan *catalog.Change)
	go of.give(changes, given)
	return given, nil
}

// give sends changes to gqlgen, one after the other.
func (l *life) give(changes iter.Seq2[*catalog.Change, error], to chan<- *catalog.Change) {
	defer close(to)
	for change, err := range changes {
		if err != nil {
			l.err = err
			return
		}
		select {
		case to <- change:
		case <-l.ctx.Done():
			return
		}
	}
}
