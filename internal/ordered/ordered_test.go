package ordered_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aledotdev/marquee/internal/ordered"
)

func numbers(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// TestMap: results come in order, whatever the order in which the work is done.
func TestMap(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 7} {
		synctest.Test(t, func(t *testing.T) {
			var got []int
			for v := range ordered.Map(numbers(100), workers, func() func(int) int {
				return func(i int) int {
					time.Sleep(time.Duration(i*7919%13) * time.Millisecond)
					return 2 * i
				}
			}) {
				got = append(got, v/2)
			}
			if !slices.Equal(got, slices.Collect(numbers(100))) {
				t.Errorf("%d workers: %v", workers, got)
			}
		})
	}
}

// TestMapStops: who reads no more leaves no goroutine behind, and the stream is not read to its end.
func TestMapStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left
		read := 0
		counted := func(yield func(int) bool) {
			for i := range numbers(1_000_000) {
				read++
				if !yield(i) {
					return
				}
			}
		}
		for v := range ordered.Map(counted, 3, func() func(int) int { return func(i int) int { return i } }) {
			if v == 5 {
				break
			}
		}
		if read > 5+3*3+3 {
			t.Errorf("%d values were read", read)
		}
	})
}

// TestMapPanics: a panic reaches the reader, after what came before it.
func TestMapPanics(t *testing.T) {
	t.Parallel()
	boom := func(yield func(int) bool) {
		for i := range numbers(4) {
			if !yield(i) {
				return
			}
		}
		panic("reading")
	}
	for want, in := range map[string]func(func(int) bool){"working": numbers(10), "reading": boom} {
		seen := 0
		func() {
			defer func() {
				p, ok := recover().(ordered.Panic)
				if !ok || p.Value != want || !strings.Contains(p.String(), "ordered_test.go") {
					t.Errorf("%s: the panic is %v", want, p)
				}
			}()
			for range ordered.Map(in, runtime.GOMAXPROCS(0), func() func(int) int {
				return func(i int) int {
					if i == 4 {
						panic("working")
					}
					return i
				}
			}) {
				seen++
			}
		}()
		if seen != 4 {
			t.Errorf("%s: %d results before it, want 4", want, seen)
		}
	}
}
