package event_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
)

func lasting(d time.Duration) *event.Event {
	start := time.Date(2030, 5, 4, 20, 0, 0, 0, time.UTC)
	return &event.Event{Start: event.MomentOf(start, time.UTC), End: event.MomentOf(start.Add(d), time.UTC)}
}

func TestSpanClass(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := map[string]struct {
		duration time.Duration
		want     int16
	}{
		"nothing":            {0, 0},
		"a second":           {time.Second, 0},
		"a minute":           {time.Minute, 0},
		"over a minute":      {time.Minute + time.Second, 1},
		"two minutes":        {2 * time.Minute, 1},
		"over two minutes":   {2*time.Minute + time.Second, 2},
		"four minutes":       {4 * time.Minute, 2},
		"an hour":            {time.Hour, 6},
		"64 minutes":         {64 * time.Minute, 6},
		"90 minutes":         {90 * time.Minute, 7},
		"a day":              {day, 11},
		"a year":             {365 * day, 20},
		"2^23 minutes":       {1 << 23 * time.Minute, 23},
		"over 2^23 minutes":  {1<<23*time.Minute + time.Second, 24},
		"a hundred years":    {100 * 365 * day, 24},
		"the end is earlier": {-time.Hour, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := lasting(test.duration).SpanClass(); got != test.want {
				t.Errorf("class %d, want %d", got, test.want)
			}
		})
	}
}

func TestSpanClassWithoutEnd(t *testing.T) {
	t.Parallel()
	e := event.Event{Start: event.MomentOf(time.Date(2030, 5, 4, 20, 0, 0, 0, time.UTC), time.UTC)}
	if got := e.SpanClass(); got != 0 {
		t.Errorf("class %d of an instant event, want 0", got)
	}
}

func TestSpanClassOfMillennia(t *testing.T) {
	t.Parallel()
	e := event.Event{
		Start: event.MomentOf(time.Date(1000, 1, 2, 0, 0, 0, 0, time.UTC), time.UTC),
		End:   event.MomentOf(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC),
	}
	if got, want := e.SpanClass(), int16(event.SpanClasses-1); got != want {
		t.Errorf("class %d, want the last, %d", got, want)
	}
}

func TestSpanWidth(t *testing.T) {
	t.Parallel()
	for class, want := range map[int16]time.Duration{
		-1: time.Minute, 0: time.Minute, 1: 2 * time.Minute, 23: 1 << 23 * time.Minute,
		event.SpanClasses - 1: math.MaxInt64, event.SpanClasses: math.MaxInt64, math.MaxInt16: math.MaxInt64,
	} {
		if got := event.SpanWidth(class); got != want {
			t.Errorf("SpanWidth(%d) = %s, want %s", class, got, want)
		}
	}
}

// TestSpanClassIsTheLeastThatHolds is what the search relies on.
func TestSpanClassIsTheLeastThatHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(200*365*24*time.Hour/time.Second)).Draw(t, "seconds")) * time.Second
		class := lasting(d).SpanClass()
		if class < 0 || class >= event.SpanClasses {
			t.Fatalf("class %d of %s is none of %d", class, d, event.SpanClasses)
		}
		if d > event.SpanWidth(class) {
			t.Fatalf("%s is longer than its class %d, %s", d, class, event.SpanWidth(class))
		}
		if class > 0 && d <= event.SpanWidth(class-1) {
			t.Fatalf("%s is in class %d, but fits in the class below", d, class)
		}
	})
}
