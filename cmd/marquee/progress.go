package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/syncer"
)

// showProgress shows how each provider's sync gets on, until the function that it returns is called, which
// shows a summary.
func showProgress(w io.Writer, s *syncer.Syncer, sources []*provider.Source) (finish func()) {
	bars := &progressBars{writer: progress.NewWriter(), trackers: map[string]*progress.Tracker{}, reports: map[string]syncer.Progress{}}
	bars.writer.SetOutputWriter(w)
	bars.writer.SetUpdateFrequency(100 * time.Millisecond)
	bars.writer.SetTrackerLength(20)
	bars.writer.SetAutoStop(false)
	bars.writer.Style().Visibility.ETA = true
	bars.writer.Style().Visibility.Speed = true
	for _, source := range sources {
		slug := source.Provider().Slug
		tracker := &progress.Tracker{Message: slug, Units: progress.UnitsBytes, AutoStopDisabled: true} // all bytes are there: that is not all
		bars.trackers[slug] = tracker
		bars.writer.AppendTracker(tracker)
	}
	s.Progress = bars.tell
	var rendering sync.WaitGroup
	rendering.Go(bars.writer.Render)
	return func() {
		bars.writer.Stop()
		rendering.Wait()
		bars.summary(w, sources)
	}
}

type progressBars struct {
	writer   progress.Writer
	mu       sync.Mutex
	trackers map[string]*progress.Tracker
	reports  map[string]syncer.Progress
}

func (b *progressBars) tell(p syncer.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	tracker := b.trackers[p.Provider]
	if p.Done {
		b.reports[p.Provider] = p
		why := spared(p.Err)
		if why != "" {
			tracker.UpdateMessage(p.Provider + ": " + why)
		}
		if p.Err != nil && why == "" {
			tracker.MarkAsErrored()
		} else {
			tracker.MarkAsDone()
		}
		return
	}
	if p.Total > 0 {
		tracker.UpdateTotal(p.Total)
	}
	tracker.SetValue(p.Bytes)
	if p.Records > 0 {
		tracker.UpdateMessage(fmt.Sprintf("%s: %d records", p.Provider, p.Records))
	}
}

func (b *progressBars) summary(w io.Writer, sources []*provider.Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := newTable(w)
	t.AppendHeader(table.Row{"provider", "run", "took", "outcome", "records", "added", "changed", "removed", "returned", "quarantined", "error"})
	for _, source := range sources {
		p := b.reports[source.Provider().Slug]
		r, c := p.Report, p.Report.Result.Counts
		if why := spared(p.Err); why != "" {
			t.AppendRow(table.Row{source.Provider().Slug, "", "", why, "", "", "", "", "", "", printable(text.Trim(r.Result.Error, 80))})
			continue
		}
		t.AppendRow(table.Row{
			source.Provider().Slug, r.RunID, r.Took.Round(time.Millisecond), outcomeColor(r.Result.Outcome).Sprint(r.Result.Outcome),
			c.Records, c.Added, c.Changed, c.Removed, c.Returned, c.Quarantined, printable(text.Trim(r.Result.Error, 80)),
		})
	}
	t.Render()
}
