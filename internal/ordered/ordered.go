// Package ordered does the work on a stream's values on several processors, and gives what comes of it in the
// stream's order.
package ordered

import (
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
)

// Panic is what a panic in a goroutine of Map becomes in the one that reads the results: that is who may recover it.
type Panic struct {
	Value any
	Stack []byte // where it happened
}

// String is the value and the stack.
func (p Panic) String() string { return fmt.Sprintf("%v\n%s", p.Value, p.Stack) }

// result is what comes of one value.
type result[Out any] struct {
	out   Out
	panic *Panic
}

type job[In, Out any] struct {
	in  In
	out chan result[Out]
}

// Map gives, for each value of in and in its order, what a worker makes of it. There are n workers, each with a function
// of its own by newWorker, which need not be safe for concurrent use. in is read by a goroutine of its own, at most
// 3n values ahead of the reader. When Map returns, all its goroutines have ended.
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
				j := job[In, Out]{value, make(chan result[Out], 1)} // with room: a worker never waits for the reader
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
