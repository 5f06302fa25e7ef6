package catalog

import (
	"iter"
	"math"
	"math/bits"
	"slices"
	"sort"
)

// This file is about how a mirror finds the events of a window.

// class is the events of a similar length. Of the events that begin long before a window, only the few that are long enough
// can reach into it. Looking class by class, as the database does (span_class), finds them without looking at all others.
type class struct {
	shortest, longest int64    // the lengths that its events may have, in microseconds
	places            []uint32 // of its events in the mirror's rows, in order
	ends              []int64  // of the same events; a slice of its own, since many are looked at for one that matters
}

// index sorts the events into classes, each for lengths up to twice those of the one before.
func (s *mirror) index() {
	var sizes [64]int
	of := func(h *held) int { return bits.Len64(uint64(max(0, h.end-h.start))) } // in [2^(class-1), 2^class)
	for i := range s.rows {
		sizes[of(&s.rows[i])]++
	}
	var at [len(sizes)]int
	for i, size := range &sizes {
		if size > 0 {
			at[i] = len(s.classes)
			s.classes = append(s.classes, class{shortest: 1 << i >> 1, longest: 1<<i - 1, places: make([]uint32, 0, size), ends: make([]int64, 0, size)})
		}
	}
	for i := range s.rows {
		c := &s.classes[at[of(&s.rows[i])]]
		c.places, c.ends = append(c.places, uint32(i)), append(c.ends, s.rows[i].end)
	}
}

// within gives the values of some columns for the events in a window and a stretch of the order of starts, in the
// stretch's direction. They are valid until the next are given. It is false if the mirror does not have a column.
func (s *mirror) within(w Window, of stretch, columns []string) (_ iter.Seq[[][]byte], ok bool) {
	var reader heldReader
	reader.wanted = make([]int, len(columns))
	for i, name := range columns {
		at := slices.Index(s.columns, name)
		if at < 0 {
			return nil, false
		}
		reader.wanted[i] = at
		part := sort.SearchInts(s.parts[:], at+1)
		reader.ends[part] = max(reader.ends[part], at+1)
	}
	return func(yield func([][]byte) bool) {
		r := reader
		both := make([][]byte, len(s.columns)+len(columns))
		r.all, r.values = both[:len(s.columns)], both[len(s.columns):]
		s.held(w, of, func(h *held) bool { return yield(r.read(s, h)) })
	}, true
}

// held gives the events in a window and a stretch of the order of starts, as long as give returns true.
func (s *mirror) held(w Window, of stretch, give func(h *held) bool) {
	b := s.bounds(w, of)
	one := func(at int) bool {
		h := &s.rows[at]
		return !w.Holds(h.span()) || give(h)
	}
	if of.descending {
		_ = b.starting(true, one) && s.reaching(b, true, one)
	} else {
		_ = s.reaching(b, false, one) && b.starting(false, one)
	}
}

// bounds are the places [from, to), in the order of starts, where the events of a window and a stretch may be. All events in [opens, to) are
// looked at; of those in [from, opens), only the ones that end in [reach, closes].
type bounds struct {
	from, opens, to int
	reach, closes   int64
}

func (s *mirror) bounds(w Window, of stretch) bounds {
	first := func(start int64) int {
		return sort.Search(len(s.rows), func(i int) bool { return s.rows[i].start >= start })
	}
	b := bounds{to: len(s.rows), reach: math.MinInt64, closes: math.MaxInt64}
	if w.To != nil {
		latest := microsOf(w.To.latest())
		b.to = first(latest + 1)
		if w.Match == EndsIn {
			b.closes = latest
		}
	}
	if w.From != nil {
		earliest := microsOf(w.From.earliest())
		switch w.Match {
		case StartsIn, Contained:
			b.from = first(earliest)
		case Overlaps:
			b.reach, b.opens = earliest, first(earliest)
		case EndsIn:
			b.reach, b.opens = earliest, b.to
		}
	}
	past := func(p *position, from int) int { // the first place at a position (from 0) or behind it (from 1)
		start := microsOf(p.key.at)
		return sort.Search(len(s.rows), func(i int) bool { return s.rows[i].compare(start, p.id) >= from })
	}
	if of.above != nil {
		b.from = max(b.from, past(of.above, 1))
	}
	if of.below != nil {
		b.to = min(b.to, past(of.below, 0))
	}
	b.opens = min(max(b.opens, b.from), b.to)
	return b
}

// starting gives the places in [opens, to), in a direction, as long as give returns true. It is false if give has returned false.
func (b bounds) starting(descending bool, give func(at int) bool) bool {
	for i := range b.to - b.opens {
		at := b.opens + i
		if descending {
			at = b.to - 1 - i
		}
		if !give(at) {
			return false
		}
	}
	return true
}

// reaching gives, in the same way, the places in [from, opens) of the events that end in [reach, closes].
func (s *mirror) reaching(b bounds, descending bool, give func(at int) bool) bool {
	if b.from >= b.opens {
		return true
	}
	runs := make([]run, 0, len(s.classes))
	for i := range s.classes {
		if r := s.run(&s.classes[i], b, descending); r.next() {
			runs = append(runs, r)
		}
	}
	for len(runs) > 0 {
		next := 0
		for i := range runs {
			if runs[i].at < runs[next].at != descending {
				next = i
			}
		}
		if !give(runs[next].at) {
			return false
		}
		if !runs[next].next() {
			runs = slices.Delete(runs, next, next+1)
		}
	}
	return true
}

// run goes through some events of a class, in one direction.
type run struct {
	places        []uint32 // of the events that are left
	ends          []int64
	at            int // the current place
	reach, closes int64
	descending    bool
}

// run goes through the events of a class that, by the lengths in it, may end within the bounds.
func (s *mirror) run(c *class, b bounds, descending bool) run {
	start := func(i int) int64 { return s.rows[c.places[i]].start }
	to := sort.Search(len(c.places), func(i int) bool { return int(c.places[i]) >= b.opens })
	to = back(to, func(i int) bool { return start(i) > b.closes-c.shortest })
	from := back(to, func(i int) bool { return int(c.places[i]) >= b.from && start(i) >= b.reach-c.longest })
	return run{places: c.places[from:to], ends: c.ends[from:to], reach: b.reach, closes: b.closes, descending: descending}
}

// back is where the stretch before end begins for all of which a condition holds. It is looked for from its end, since it is usually short.
func back(end int, holds func(i int) bool) int {
	step := 1
	for step <= end && holds(end-step) {
		step *= 2
	}
	first := max(0, end-step)
	return first + sort.Search(end-first, func(i int) bool { return holds(first + i) })
}

// next goes on to the next place whose event ends within the bounds, and says whether there is one.
func (r *run) next() bool {
	for len(r.places) > 0 {
		var end int64
		if last := len(r.places) - 1; r.descending {
			r.at, end = int(r.places[last]), r.ends[last]
			r.places, r.ends = r.places[:last], r.ends[:last]
		} else {
			r.at, end = int(r.places[0]), r.ends[0]
			r.places, r.ends = r.places[1:], r.ends[1:]
		}
		if end >= r.reach && end <= r.closes {
			return true
		}
	}
	return false
}
