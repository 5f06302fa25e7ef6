package simulator

import (
	"bytes"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	applicationXML = "application/xml; charset=utf-8"
	textHTML       = "text/html; charset=utf-8"
	textPlain      = "text/plain; charset=utf-8"

	// FeedPath is the path of the feed.
	FeedPath = "/api/events"
)

// Options of a simulated provider. The zero value is valid: seed 0, today by the machine's clock in UTC, no faults.
type Options struct {
	Clock      func() time.Time // nil: time.Now
	TimeZone   *time.Location   // of the venues; nil: UTC
	Seed       uint64
	Generation Generation   // of the feed, unless the request names one
	Faults     *Faults      // nil: all answers are good
	Logger     *slog.Logger // nil: nothing is logged
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.TimeZone == nil {
		o.TimeZone = time.UTC
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// New returns the demo provider:
//
//	GET /api/events                   the feed; each answer moves the world on by a tick
//	GET /api/events?peek=1            the feed as the next answer would be, without faults and without moving the world on
//	GET /api/events?generation=NAME   planList, eventList or eventDate; also together with peek
//	GET /                             a page for people
//
// HEAD never moves the world on, as with peek. Nor does an answer with a fault, even if it is just the feed that is due, slowly.
//
// The server that runs the handler should cancel its BaseContext when it shuts down, since http.Server.Shutdown waits for hanging
// answers, up to [Faults.Hang].
func New(o Options) http.Handler {
	p := newProvider(o)
	return p.routes(p.feed)
}

// provider is a world at a tick. Its handlers are safe for concurrent use.
type provider struct {
	options      Options
	world        World
	pageTemplate *template.Template

	mu       sync.Mutex
	tick     int64
	requests uint64
}

func newProvider(o Options) *provider {
	o = o.withDefaults()
	return &provider{
		options: o, world: NewWorld(o.Seed), tick: minutes(o.Clock()),
		pageTemplate: template.Must(template.New("page").Parse(pageText)),
	}
}

func (p *provider) routes(feed http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+FeedPath, feed)
	mux.HandleFunc("GET /{$}", p.page)
	return mux
}

func (p *provider) feed(w http.ResponseWriter, r *http.Request) {
	generation, ok := p.generation(r)
	if !ok {
		http.Error(w, "generation: want planList, eventList or eventDate", http.StatusBadRequest)
		return
	}
	if peeks(r) {
		p.look(generation).play(w, r)
		return
	}
	fault := p.nextFault()
	if fault == FaultNone {
		p.move(generation).play(w, r)
		return
	}
	p.options.Logger.InfoContext(r.Context(), "answering badly on purpose", slog.Int("fault", int(fault)))
	p.options.Faults.spoil(fault, p.look(generation)).play(w, r)
}

// peeks reports whether a request must not move the world on.
func peeks(r *http.Request) bool {
	return r.URL.Query().Get("peek") == "1" || r.Method == http.MethodHead
}

func (p *provider) generation(r *http.Request) (Generation, bool) {
	g := p.options.Generation
	name := r.URL.Query().Get("generation")
	if name == "" {
		return g, true
	}
	err := g.UnmarshalText([]byte(name))
	return g, err == nil
}

func (p *provider) nextFault() Fault {
	if p.options.Faults == nil {
		return FaultNone
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.requests
	p.requests++
	return p.options.Faults.Of(p.options.Seed, n)
}

// look returns the answer that is due, and does not move the world on.
func (p *provider) look(g Generation) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.render(g)
}

// move returns the answer that is due, and moves the world on.
func (p *provider) move(g Generation) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.render(g)
	p.tick++
	return a
}

// render makes the answer with the feed of this moment. The tick is never less than the minutes of the clock, so that a provider that had
// no requests for some time, or was restarted, has the same tick as one that was asked every minute. The caller holds the lock.
func (p *provider) render(g Generation) answer {
	now := p.options.Clock().In(p.options.TimeZone)
	p.tick = max(p.tick, minutes(now))
	var b bytes.Buffer
	_ = p.world.At(DayOf(now), p.tick).Write(&b, g) // a bytes.Buffer does not fail
	a := whole(http.StatusOK, applicationXML, b.Bytes())
	a.header.Set("Cache-Control", "no-store")
	return a
}

func minutes(t time.Time) int64 { return t.Unix() / 60 }

// pageText is the template of the page for people.
const pageText = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Simulated ticketing provider</title></head><body>
<h1>Simulated ticketing provider</h1>
<p>None of these shows exists. The feed invents {{.Events}} events in {{.Series}} series around {{.Today}}, and each
fetch moves its world on a little: prices fall, seats go, shows come, sell out, go offline, vanish and return.</p>
<ul>
<li><a href="{{.Path}}?peek=1">{{.Path}}?peek=1</a> shows the feed without moving it</li>
<li><a href="{{.Path}}?peek=1&amp;generation=eventList">generation=eventList</a> and
<a href="{{.Path}}?peek=1&amp;generation=eventDate">generation=eventDate</a> show it in older forms</li>
<li>{{.Path}} is the feed itself{{if .Faults}}, which now and then answers badly on purpose{{end}}</li>
</ul>
</body></html>
`

func (p *provider) page(w http.ResponseWriter, r *http.Request) {
	now := p.options.Clock().In(p.options.TimeZone)
	p.mu.Lock()
	tick := max(p.tick, minutes(now))
	p.mu.Unlock()
	feed := p.world.At(DayOf(now), tick)
	events := 0
	for _, s := range feed.Series {
		events += len(s.Events)
	}
	var b bytes.Buffer
	err := p.pageTemplate.Execute(&b, map[string]any{
		"Path": FeedPath, "Series": len(feed.Series), "Events": events, "Today": now.Format(time.DateOnly), "Faults": p.options.Faults != nil,
	})
	if err != nil {
		p.options.Logger.ErrorContext(r.Context(), "render page", slog.Any("error", fmt.Errorf("demo provider: %w", err)))
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	a := whole(http.StatusOK, textHTML, b.Bytes())
	a.header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	a.play(w, r)
}
