package event

import (
	"math"
	"math/bits"
	"time"
)

// SpanClasses is how many classes SpanClass knows: 0 to SpanClasses-1.
const SpanClasses = maxBoundedSpan + 2

// maxBoundedSpan is the last class with a bound, 2^23 minutes or about sixteen years. A search looks into each
// class once, and walks the events of the one above it, which are few.
const maxBoundedSpan = 23

// SpanClass sorts events by how long they are: 0 is an instant or at most a minute, a class above it
// at most SpanWidth of the class and longer than that of the class below. An event of a class that
// reaches into a window starts less than its class's width before it, which is what makes the search for
// overlapping events a bounded one, whatever else is in the catalog.
func (e *Event) SpanClass() int16 {
	if !e.HasEnd() {
		return 0
	}
	return spanClass(e.End.Instant.Sub(e.Start.Instant)) // which is the longest Duration where it would be longer
}

func spanClass(d time.Duration) int16 {
	if d <= time.Minute {
		return 0
	}
	started := uint64((d-1)/time.Minute) + 1 // minutes, the last of which may be a part
	return int16(min(bits.Len64(started-1), maxBoundedSpan+1))
}

// SpanWidth is the longest duration of a class, 2^class minutes. The last class has no bound (a year 1000
// to 9999 is more than a Duration holds): its width is the longest Duration, and a reader leaves the bound
// out for it. A class that is none is taken for the nearest one.
func SpanWidth(class int16) time.Duration {
	if class > maxBoundedSpan {
		return math.MaxInt64
	}
	return time.Minute << max(class, 0)
}
