package simulator

import (
	"log/slog"
	"net/http"
	"sync"
)

// Script is a list of answers that a provider gives one after the other. [LoadScript] reads it from YAML:
//
//	then: loop                     # after the last step: loop (begin again) or hold (repeat the last step; the default)
//	steps:
//	  - body: {world: planList}    # the demo world in that generation; each such answer moves it on by a tick
//	  - body: {file: feed.xml}     # a file beside the script
//	    mutate:                    # changes of the body, in this order; records are plan or event elements, counted from 1
//	      - drop: 3
//	      - duplicate: 1
//	      - breakDate: 2           # starts on 30 February
//	      - replace: {pattern: 'price="([0-9]+)', with: 'price="x$1'}
//	    truncateAt: 2000           # Content-Length is that of the whole body; the connection is closed after so many bytes
//	  - status: 503                # 200 to 599, default 200
//	    headers: {Retry-After: 120}
//	    body: {inline: "Come back later"}
//	    repeat: 3                  # how many requests get this answer, default 1
//	  - delay: 30s                 # before the answer; at most 10m
//	    drip: 100                  # bytes a second; the answer is cut off after 10 minutes
//	    body: {inline: "<planList/>"}
//
// A step without body has an empty one. Unknown keys are errors.
type Script struct {
	steps []step
	loop  bool
}

// step is one answer of a script.
type step struct {
	answer answer
	repeat int
	world  *Generation // the body is the demo world in this generation; nil: it is that of answer
	mutate []mutation  // for the world; a fixed body is changed already
}

// Handler returns a provider that answers at [FeedPath] by the script, with the same page and the same peek as that of [New].
// Options.Generation and Options.Faults are not used.
func (s Script) Handler(o Options) http.Handler {
	o.Faults = nil
	p := &player{provider: newProvider(o), script: s}
	return p.routes(p.play)
}

// player is a provider that follows a script.
type player struct {
	*provider
	script Script

	mu   sync.Mutex
	step int // the index of the step that is due
	done int // how many requests have got it already
}

func (p *player) play(w http.ResponseWriter, r *http.Request) {
	move := !peeks(r)
	s := p.next(move)
	if s.world == nil {
		s.answer.play(w, r)
		return
	}
	due := p.look
	if move {
		due = p.move
	}
	a, world := s.answer, due(*s.world)
	body, err := mutate(world.body, s.mutate)
	if err != nil {
		p.options.Logger.ErrorContext(r.Context(), "script: mutate the world", slog.Any("error", err))
		http.Error(w, "script: "+err.Error(), http.StatusInternalServerError)
		return
	}
	a.body = body
	if a.header.Get("Content-Type") == "" {
		a.header = a.header.Clone()
		a.header.Set("Content-Type", applicationXML)
	}
	a.play(w, r)
}

// next returns the step that is due. If move is set, that counts as one request.
func (p *player) next(move bool) step {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.script.steps[p.step]
	if !move {
		return s
	}
	if p.done++; p.done < s.repeat {
		return s
	}
	last := p.step == len(p.script.steps)-1
	switch {
	case !last:
		p.step, p.done = p.step+1, 0
	case p.script.loop:
		p.step, p.done = 0, 0
	default:
		p.done = s.repeat - 1 // hold, without counting on for ever
	}
	return s
}
