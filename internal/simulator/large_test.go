package simulator_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/simulator"
)

var errBroken = errors.New("broken")

// brokenWriter takes so many bytes, and fails from then on.
type brokenWriter struct{ after, calls int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	w.calls++
	if w.after -= len(p); w.after < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// counter counts bytes and remembers the largest write.
type counter struct{ total, largest int }

func (c *counter) Write(p []byte) (int, error) {
	c.total += len(p)
	c.largest = max(c.largest, len(p))
	return len(p), nil
}

func large(t *testing.T, o simulator.LargeOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := simulator.WriteLarge(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLargeHasItsSize(t *testing.T) {
	t.Parallel()
	var c counter
	o := simulator.LargeOptions{Series: 10_000, PlansPerSeries: 5, ZonesPerPlan: 10, Seed: 1}
	if err := simulator.WriteLarge(&c, o); err != nil {
		t.Fatal(err)
	}
	if mb := c.total >> 20; mb < 45 || mb > 65 {
		t.Errorf("%d MB, want about 50", mb)
	}
	if c.largest > 128<<10 {
		t.Errorf("a write of %d bytes: the feed is held in memory", c.largest)
	}
}

func TestLargeIsValid(t *testing.T) {
	t.Parallel()
	for _, g := range simulator.Generations() {
		feed := parse(t, large(t, simulator.LargeOptions{Series: 7, PlansPerSeries: 3, ZonesPerPlan: 4, Generation: g}))
		zones := 0
		for _, s := range feed.Output.Series {
			for _, e := range s.Events {
				zones += len(e.Zones)
			}
		}
		if len(feed.Output.Series) != 7 || zones != 7*3*4 {
			t.Errorf("%s: %d series and %d zones, want 7 and 84", g, len(feed.Output.Series), zones)
		}
	}
}

func TestLargeChanges(t *testing.T) {
	t.Parallel()
	const plans = 200 * 5
	at := func(step int, fraction float64) []xmlSeries {
		return parse(t, large(t, simulator.LargeOptions{
			Series: 200, PlansPerSeries: 5, ZonesPerPlan: 2, Seed: 9, ChangedFraction: fraction, Step: step,
		})).Output.Series
	}
	for _, tc := range []struct {
		fraction float64
		from, to int
		want     int // of all plans
	}{
		{fraction: 0.01, from: 0, to: 1, want: plans / 100},
		{fraction: 0.01, from: 41, to: 42, want: plans / 100},
		{fraction: 0.01, from: 0, to: 5, want: plans / 20},
		{fraction: 0.5, from: 3, to: 4, want: plans / 2},
		{fraction: 1, from: 0, to: 1, want: plans},
		{fraction: 0, from: 0, to: 1, want: 0},
		{fraction: 0.01, from: 6, to: 6, want: 0},
	} {
		before, after := at(tc.from, tc.fraction), at(tc.to, tc.fraction)
		changed := 0
		for i, s := range after {
			for j, e := range s.Events {
				was := before[i].Events[j]
				if cmp.Equal(was, e) {
					continue
				}
				changed++
				if was.Zones[0].Price == e.Zones[0].Price || was.Zones[0].Capacity == e.Zones[0].Capacity {
					t.Fatalf("fraction %v: %+v became %+v, want another price and capacity", tc.fraction, was, e)
				}
			}
		}
		if off := math.Abs(float64(changed - tc.want)); off > float64(tc.want)/10 {
			t.Errorf("fraction %v, step %d to %d: %d plans changed, want about %d", tc.fraction, tc.from, tc.to, changed, tc.want)
		}
	}
}

func TestLargeRefuses(t *testing.T) {
	t.Parallel()
	good := simulator.LargeOptions{Series: 1, PlansPerSeries: 1, ZonesPerPlan: 1}
	for name, spoil := range map[string]func(*simulator.LargeOptions){
		"no series":         func(o *simulator.LargeOptions) { o.Series = 0 },
		"too many series":   func(o *simulator.LargeOptions) { o.Series = 10_000_001 },
		"no plans":          func(o *simulator.LargeOptions) { o.PlansPerSeries = 0 },
		"too many zones":    func(o *simulator.LargeOptions) { o.ZonesPerPlan = 1001 },
		"step back":         func(o *simulator.LargeOptions) { o.Step = -1 },
		"fraction over 1":   func(o *simulator.LargeOptions) { o.ChangedFraction = 1.1 },
		"fraction is a NaN": func(o *simulator.LargeOptions) { o.ChangedFraction = math.NaN() },
	} {
		o := good
		spoil(&o)
		if err := simulator.WriteLarge(io.Discard, o); !errors.Is(err, simulator.ErrLargeOptions) {
			t.Errorf("%s: %v, want ErrLargeOptions", name, err)
		}
	}
}

func TestLargeStopsWithItsWriter(t *testing.T) {
	t.Parallel()
	w := &brokenWriter{after: 1 << 20}
	err := simulator.WriteLarge(w, simulator.LargeOptions{Series: 1_000_000, PlansPerSeries: 5, ZonesPerPlan: 10})
	if !errors.Is(err, errBroken) {
		t.Fatalf("%v, want the writer's error", err)
	}
	if w.calls > 50 {
		t.Errorf("%d writes after the writer broke", w.calls)
	}
}

func BenchmarkWriteLarge(b *testing.B) {
	o := simulator.LargeOptions{Series: 10_000, PlansPerSeries: 5, ZonesPerPlan: 10, Seed: 1, ChangedFraction: 0.01, Step: 1}
	var c counter
	for b.Loop() {
		c = counter{}
		if err := simulator.WriteLarge(&c, o); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(c.total))
}
