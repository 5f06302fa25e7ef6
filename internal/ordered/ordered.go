// Package ordered processes the values of a stream on several processors, and gives the results in the
// stream's order.
package ordered

import (
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
)

// Panic is the value of a panic in the goroutine that reads the results of Map, if there was a panic in one of Map's own goroutines: so
// the reader can recover it.
type Panic struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine in which it happened
}

// String is the value and, in the lines after it, the stack.
func (p Panic) String() string { return fmt.Sprintf("%v\n%s", p.Value, p.Stack) }

// result is the result for one value, or the panic in its place.
type result[Out any] struct {
	out   Out
	panic *Panic
}

type job[In, Out any] struct {
	in  In
	out chan result[Out]
}

// Map yields the results of the values of in, in the same order. There are n workers, 1 or more; each computes results with a function
// that it gets from newWorker, so that this function need not be safe for concurrent use. newWorker itself has to be. in is read by
// another goroutine, at most 3n values ahead of the results that are yielded. When the loop over the results ends, all these
// goroutines have ended.
func Map[In, Out any](in iter.Seq[In], n int, newWorker func() func(In) Out) iter.Seq[Out] {
	return func(yield func(Out) bool) {
		var running sync.WaitGroup
		stop := make(chan struct{})
		defer running.Wait()
		defer close(stop)

		todo := make(chan job[In, Out], n)
		inOrder := make(chan chan result[Out], 2*n)
		running.Go(func() {
			defer close(inOrder)
			defer close(todo)
			defer func() {
				if p := recover(); p != nil {
					last := make(chan result[Out], 1)
					last <- result[Out]{panic: &Panic{p, debug.Stack()}}
					select {
					case inOrder <- last:
					case <-stop:
					}
				}
			}()
			for value := range in {
				j := job[In, Out]{value, make(chan result[Out], 1)} // buffered, so that a worker never waits for the reader
				select {
				case inOrder <- j.out:
				case <-stop:
					return
				}
				select {
				case todo <- j:
				case <-stop:
					return
				}
			}
		})
		for range n {
			running.Go(func() {
				work := newWorker()
				for j := range todo {
					j.out <- try(work, j.in)
				}
			})
		}
		for next := range inOrder {
			done := <-next
			if done.panic != nil {
				panic(*done.panic)
			}
			if !yield(done.out) {
				return
			}
		}
	}
}

func try[In, Out any](work func(In) Out, in In) (r result[Out]) {
	defer func() {
		if p := recover(); p != nil {
			r.panic = &Panic{p, debug.Stack()}
		}
	}()
	r.out = work(in)
	return r
}
