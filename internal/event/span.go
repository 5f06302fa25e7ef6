package event

import (
	"math"
	"math/bits"
	"time"
)

// SpanClasses is how many span classes there are: 0 to SpanClasses-1.
const SpanClasses = maxBoundedSpan + 2

// maxBoundedSpan is the last class with a bound: 2^23 minutes, about sixteen years. The class above it has no bound, so that a
// search has to look at all its events, which are few.
const maxBoundedSpan = 23

// SpanClass is the class of the event by its length: 0 for an instant and up to a minute, then the lowest class whose SpanWidth is not
// less than the length. If an event of a class reaches into a window, it starts less than the class's width before the window. So
// a search for overlapping events looks, for each class, only at events that start within these bounds, whatever else is in the catalog.
func (e *Event) SpanClass() int16 {
	if !e.HasEnd() {
		return 0
	}
	return spanClass(e.End.Instant.Sub(e.Start.Instant)) // Sub returns the longest Duration if the result would be longer
}

func spanClass(d time.Duration) int16 {
	if d <= time.Minute {
		return 0
	}
	started := uint64((d-1)/time.Minute) + 1 // in minutes, rounded up
	return int16(min(bits.Len64(started-1), maxBoundedSpan+1))
}

// SpanWidth is the greatest length of the events of a class: 2^class minutes. The last class has no bound, since an event from the year
// 1000 to 9999 is longer than the longest Duration. SpanWidth returns that Duration for it, which a reader must not use as a bound. A
// class below 0 counts as 0, one above the last as the last.
func SpanWidth(class int16) time.Duration {
	if class > maxBoundedSpan {
		return math.MaxInt64
	}
	return time.Minute << max(class, 0)
}
