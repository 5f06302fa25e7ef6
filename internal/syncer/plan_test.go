package syncer

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
)

// at is an event of a key with a title, as small as may be.
func at(id, title string) *event.Event {
	return &event.Event{Key: event.Key{Provider: "acme", Event: id}, Title: title}
}

// stored is e as the catalog has it; removed says since when it is out of the feed.
func stored(e *event.Event, removed time.Time) *event.Stored {
	return &event.Stored{Event: *e, Hash: e.Hash(), RemovedAt: removed}
}

// step is one record of a snapshot.
type step struct {
	event  *event.Event
	broken bool
}

// run plays a snapshot against a catalog, and tells what the plan said of each record.
func run(p *plan, catalog map[event.ID]*event.Stored, steps []step) (writes []event.Write, losers []int) {
	for i, s := range steps {
		if s.broken {
			p.seeBroken(s.event.Key)
			continue
		}
		id, hash := s.event.Key.ID(), s.event.Hash()
		differs, loser := p.see(p.number(id), hash, event.Position{Line: int32(i + 1)})
		if !loser.IsZero() {
			losers = append(losers, int(loser.Line))
		}
		if differs {
			writes = append(writes, p.decide(s.event, id, hash, catalog[id]))
		}
	}
	return writes, losers
}

func TestPlan(t *testing.T) {
	t.Parallel()
	a, b, a2 := at("a", "A"), at("b", "B"), at("a", "A two")
	gone := time.Date(2030, 6, 1, 0, 0, 0, 0, time.UTC)
	good := func(events ...*event.Event) (steps []step) {
		for _, e := range events {
			steps = append(steps, step{event: e})
		}
		return steps
	}
	tests := map[string]struct {
		present []*event.Event // in the snapshot before
		absent  []*event.Stored
		steps   []step
		kinds   []string // of the changes of each write
		losers  []int
		missing []*event.Event
		counts  event.Counts
	}{
		"nothing":               {},
		"a first snapshot":      {steps: good(a, b), kinds: []string{"ADDED", "ADDED"}, counts: event.Counts{Records: 2, Added: 2}},
		"the same":              {present: []*event.Event{a, b}, steps: good(b, a), counts: event.Counts{Records: 2, Unchanged: 2}},
		"one differs":           {present: []*event.Event{a, b}, steps: good(a2, b), kinds: []string{"RETITLED"}, counts: event.Counts{Records: 2, Changed: 1, Unchanged: 1}},
		"one left":              {present: []*event.Event{a, b}, steps: good(b), missing: []*event.Event{a}, counts: event.Counts{Records: 1, Unchanged: 1}},
		"all left":              {present: []*event.Event{a, b}, missing: []*event.Event{a, b}},
		"a removed one returns": {absent: []*event.Stored{stored(a, gone)}, steps: good(a), kinds: []string{"RETURNED"}, counts: event.Counts{Records: 1, Returned: 1}},
		"and differs": {
			absent: []*event.Stored{stored(a, gone)}, steps: good(a2), kinds: []string{"RETURNED RETITLED"},
			counts: event.Counts{Records: 1, Returned: 1, Changed: 1},
		},
		"an expired one is seen again": {absent: []*event.Stored{stored(a, time.Time{})}, steps: good(a), kinds: []string{""}, counts: event.Counts{Records: 1, Unchanged: 1}},
		"broken, never seen":           {steps: []step{{a, true}, {b, false}}, kinds: []string{"ADDED"}, counts: event.Counts{Records: 2, Added: 1, Quarantined: 1}},
		"broken, known":                {present: []*event.Event{a}, steps: []step{{a, true}}, counts: event.Counts{Records: 1, Quarantined: 1}},
		"broken, nameless":             {present: []*event.Event{a}, steps: []step{{at("", "A"), true}}, missing: []*event.Event{a}, counts: event.Counts{Records: 1, Quarantined: 1}},
		"broken, then good":            {present: []*event.Event{a}, steps: []step{{a, true}, {a2, false}}, kinds: []string{"RETITLED"}, counts: event.Counts{Records: 2, Changed: 1, Quarantined: 1}},
		"good, then broken":            {present: []*event.Event{a}, steps: []step{{a2, false}, {a, true}}, kinds: []string{"RETITLED"}, counts: event.Counts{Records: 2, Changed: 1, Quarantined: 1}},
		"twice the same, new":          {steps: good(a, a), kinds: []string{"ADDED"}, counts: event.Counts{Records: 2, Added: 1, Unchanged: 1}},
		"twice the same, known":        {present: []*event.Event{a}, steps: good(a, a), counts: event.Counts{Records: 2, Unchanged: 2}},
		"two contents, new":            {steps: good(a, a2), kinds: []string{"ADDED", "ADDED"}, losers: []int{1}, counts: event.Counts{Records: 2, Added: 1, Quarantined: 1}},
		"the last is as known":         {present: []*event.Event{a}, steps: good(a2, a), kinds: []string{"RETITLED", ""}, losers: []int{1}, counts: event.Counts{Records: 2, Unchanged: 1, Quarantined: 1}},
		"the first is as known":        {present: []*event.Event{a}, steps: good(a, a2), kinds: []string{"RETITLED"}, losers: []int{1}, counts: event.Counts{Records: 2, Changed: 1, Quarantined: 1}},
		"to and fro":                   {steps: good(a, a2, a), kinds: []string{"ADDED", "ADDED", "ADDED"}, losers: []int{1, 2}, counts: event.Counts{Records: 3, Added: 1, Quarantined: 2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var known []event.Known
			catalog := map[event.ID]*event.Stored{}
			for _, e := range test.present {
				known = append(known, event.Known{ID: e.Key.ID(), Content: e.Hash()})
				catalog[e.Key.ID()] = stored(e, time.Time{})
			}
			for _, s := range test.absent {
				catalog[s.Event.Key.ID()] = s
			}
			p := newPlan(known)
			writes, losers := run(p, catalog, test.steps)
			var kinds []string
			for _, w := range writes {
				var said string
				for i, c := range w.Changes {
					if i > 0 {
						said += " "
					}
					said += string(c.Kind)
				}
				kinds = append(kinds, said)
				if w.New != (catalog[w.ID] == nil) || w.Hash != w.Event.Hash() || w.ID != w.Event.Key.ID() {
					t.Errorf("write %+v does not describe its event", w)
				}
			}
			if diff := cmp.Diff(test.kinds, kinds); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.losers, losers); diff != "" {
				t.Errorf("losers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.counts, p.counts()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			missing := p.missing()
			if len(missing) != len(test.missing) {
				t.Errorf("%d events are missing, want %d", len(missing), len(test.missing))
			}
			for _, e := range test.missing {
				if !slices.Contains(missing, e.Key.ID()) {
					t.Errorf("%s is not missing", e.Key)
				}
			}
			idempotent(t, p, catalog, writes)
		})
	}
}

// idempotent plays what was written as the next snapshot's catalog: nothing may differ then, and asked all
// the same, decide has nothing to say. Neither does asking twice say anything else.
func idempotent(t *testing.T, p *plan, catalog map[event.ID]*event.Stored, writes []event.Write) {
	t.Helper()
	after := map[event.ID]*event.Write{} // the last of each key
	for i := range writes {
		w := &writes[i]
		after[w.ID] = w
		twice := p.decide(&w.Event, w.ID, w.Hash, catalog[w.ID])
		if diff := cmp.Diff(*w, twice, cmp.AllowUnexported(event.Decimal{}, event.LocalDateTime{})); diff != "" {
			t.Errorf("decided otherwise the second time (-first +second):\n%s", diff)
		}
	}
	var known []event.Known
	for id, w := range after {
		known = append(known, event.Known{ID: id, Content: w.Hash})
	}
	next := newPlan(known)
	for id, w := range after {
		if differs, _ := next.see(next.number(id), w.Hash, event.Position{}); differs {
			t.Errorf("%s differs from what was just written", w.Event.Key)
		}
		again := next.decide(&w.Event, id, w.Hash, stored(&w.Event, time.Time{}))
		if again.New || len(again.Changes) > 0 {
			t.Errorf("%s: asked again, decide says %+v", w.Event.Key, again.Changes)
		}
	}
	if c := next.counts(); c.Unchanged != len(after) || c.Records != len(after) {
		t.Errorf("the second time the counts are %+v, want %d unchanged", c, len(after))
	}
}
