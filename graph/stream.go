package graph

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/99designs/gqlgen/graphql"

	"github.com/aledotdev/marquee/internal/catalog"
)

// Stream is a subscription under way.
type Stream struct {
	ctx     context.Context //nolint:containedctx // gqlgen wants it with each answer.
	respond graphql.ResponseHandler
	life    *life
}

// life is how long a stream goes on, and what ended it, apart from its client.
type life struct {
	ctx context.Context //nolint:containedctx // See Stream.
	err error
}

type lifeKey struct{}

// left says whether the client of what runs under ctx is not there any more.
func left(ctx context.Context) bool {
	if of, ok := ctx.Value(lifeKey{}).(*life); ok {
		ctx = of.ctx
	}
	return errors.Is(ctx.Err(), context.Canceled)
}

// Stream begins to execute a subscription, once. It ends with ctx, but not in the middle of an answer: what that reads may
// be read for many subscribers, of whom one has left.
func (e *Engine) Stream(ctx context.Context, op *Operation) *Stream {
	s := &Stream{life: &life{ctx: ctx}}
	ctx = context.WithValue(context.WithoutCancel(ctx), lifeKey{}, s.life)
	s.respond, s.ctx = e.executor.DispatchOperation(ctx, op.OperationContext)
	return s
}

// Next waits for the next answer; nil: there is none any more.
func (s *Stream) Next() *Answer {
	response := s.respond(s.ctx)
	if response == nil {
		return nil
	}
	response.Data = bytes.Clone(response.Data) // gqlgen writes the next into the same buffer
	return &Answer{Body: encode(response, false), Failed: len(response.Errors) > 0, Codes: codesOf(response.Errors)}
}

// Err says, after the last answer, what ended a subscription that would have gone on; nil: nothing but its context.
func (s *Stream) Err() error { return s.life.err }

// follow follows changes for as long as the stream lives whose resolver was called with ctx.
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

// give hands changes to gqlgen, which takes one after the other.
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
