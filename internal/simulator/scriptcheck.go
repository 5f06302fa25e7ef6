package simulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
)

func (l *loader) script(raw rawScript) (Script, error) {
	s := Script{loop: raw.Then == "loop"}
	if !slices.Contains([]string{"", "loop", "hold"}, raw.Then) {
		return Script{}, l.fail("then", fmt.Errorf("is %q, want loop or hold", raw.Then))
	}
	if n := len(raw.Steps); n < 1 || n > maxSteps {
		return Script{}, l.fail("steps", fmt.Errorf("has %d entries, want 1 to %d", n, maxSteps))
	}
	for i := range raw.Steps {
		step, err := l.step(fmt.Sprintf("steps[%d]", i), &raw.Steps[i])
		if err != nil {
			return Script{}, err
		}
		s.steps = append(s.steps, step)
	}
	return s, nil
}

func (l *loader) step(field string, raw *rawStep) (step, error) {
	s := step{answer: answer{status: http.StatusOK, truncateAt: -1}, repeat: 1}
	for _, n := range []struct {
		name          string
		from, to      *int
		least, atMost int
	}{
		{"status", raw.Status, &s.answer.status, 200, 599},
		{"drip", raw.Drip, &s.answer.drip, 1, maxDrip},
		{"truncateAt", raw.TruncateAt, &s.answer.truncateAt, 0, maxBody},
		{"repeat", raw.Repeat, &s.repeat, 1, maxRepeat},
	} {
		if n.from == nil {
			continue
		}
		if *n.from < n.least || *n.from > n.atMost {
			return step{}, l.fail(field+"."+n.name, outOfRange(*n.from, n.least, n.atMost))
		}
		*n.to = *n.from
	}
	if raw.Delay != "" {
		delay, err := time.ParseDuration(raw.Delay)
		if err != nil || delay < 0 || delay > patience {
			return step{}, l.fail(field+".delay", fmt.Errorf("is %q, want a duration such as 1.5s, at most %s", raw.Delay, patience))
		}
		s.answer.delay = delay
	}
	var err error
	if s.answer.header, err = l.header(field+".headers", raw.Headers); err != nil {
		return step{}, err
	}
	if s.mutate, err = l.mutations(field+".mutate", raw.Mutate); err != nil {
		return step{}, err
	}
	return l.withBody(field, s, raw)
}

// withBody completes a step by its body. Fixed bodies are read, and changed by the step's mutations, at once.
func (l *loader) withBody(field string, s step, raw *rawStep) (step, error) {
	body := raw.Body
	given := 0
	for _, there := range []bool{body.Inline != nil, body.File != nil, body.World != nil} {
		if there {
			given++
		}
	}
	if given > 1 {
		return step{}, l.fail(field+".body", errors.New("has more than one of inline, file and world"))
	}
	if given > 0 && !bodyAllowed(s.answer.status) {
		return step{}, l.fail(field+".body", fmt.Errorf("status %d has no body", s.answer.status))
	}
	switch {
	case body.World != nil:
		s.world = new(Generation)
		if err := s.world.UnmarshalText([]byte(*body.World)); err != nil {
			return step{}, l.fail(field+".body.world", err)
		}
		return s, nil
	case body.Inline != nil:
		s.answer.body = []byte(*body.Inline)
	case body.File != nil:
		var err error
		if s.answer.body, err = l.read(*body.File); err != nil {
			return step{}, l.fail(field+".body.file", err)
		}
	}
	var err error
	if s.answer.body, err = mutate(s.answer.body, s.mutate); err != nil {
		return step{}, l.fail(field+".mutate", err)
	}
	if l.bytes += len(s.answer.body); l.bytes > maxBodies {
		return step{}, l.fail(field+".body", fmt.Errorf("all bodies together are more than %d bytes", maxBodies))
	}
	if at := s.answer.truncateAt; raw.TruncateAt != nil && at >= len(s.answer.body) {
		return step{}, l.fail(field+".truncateAt", fmt.Errorf("is %d, but the body has only %d bytes", at, len(s.answer.body)))
	}
	return s, nil
}

func (l *loader) read(name string) ([]byte, error) {
	if l.fsys == nil {
		return nil, errors.New("this script has no folder to read files from")
	}
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%q is not a path below the script's folder", name)
	}
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	body, err := io.ReadAll(io.LimitReader(f, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxBody)
	}
	return body, nil
}

// tokenPattern is the field-name of RFC 9110, 5.1.
var tokenPattern = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func (l *loader) header(field string, raw map[string]string) (http.Header, error) {
	if len(raw) > maxHeaders {
		return nil, l.fail(field, fmt.Errorf("has %d entries, want at most %d", len(raw), maxHeaders))
	}
	header := http.Header{}
	for name, value := range raw {
		at := field + "." + name
		switch key := textproto.CanonicalMIMEHeaderKey(name); {
		case !tokenPattern.MatchString(name):
			return nil, l.fail(field, fmt.Errorf("%q is not a header's name", name))
		case key == "Content-Length" || key == "Transfer-Encoding" || key == "Connection":
			return nil, l.fail(at, errors.New("is the server's own; use truncateAt to break a body"))
		case len(value) > maxValue || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, l.fail(at, fmt.Errorf("want at most %d bytes without control characters", maxValue))
		default:
			header.Set(key, value)
		}
	}
	return header, nil
}

func (l *loader) mutations(field string, raw []rawMutation) ([]mutation, error) {
	if len(raw) > maxMutations {
		return nil, l.fail(field, fmt.Errorf("has %d entries, want at most %d", len(raw), maxMutations))
	}
	var out []mutation
	for i, r := range raw {
		at := fmt.Sprintf("%s[%d]", field, i)
		before := len(out)
		for _, m := range []struct {
			name   string
			record *int
			make   func(int) mutation
		}{{"drop", r.Drop, drop}, {"duplicate", r.Duplicate, duplicate}, {"breakDate", r.BreakDate, breakDate}} {
			if m.record == nil {
				continue
			}
			if *m.record < 1 || *m.record > maxRecord {
				return nil, l.fail(at+"."+m.name, outOfRange(*m.record, 1, maxRecord))
			}
			out = append(out, m.make(*m.record))
		}
		if r.Replace != nil {
			m, err := l.replacement(at+".replace", *r.Replace)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
		if len(out) != before+1 {
			return nil, l.fail(at, errors.New("want exactly one of drop, duplicate, breakDate and replace"))
		}
	}
	return out, nil
}

func (l *loader) replacement(field string, raw rawReplace) (mutation, error) {
	if len(raw.Pattern) > maxPattern || len(raw.With) > maxPattern {
		return nil, l.fail(field, fmt.Errorf("want at most %d bytes each for pattern and with", maxPattern))
	}
	pattern, err := regexp.Compile(raw.Pattern)
	if err != nil {
		return nil, l.fail(field+".pattern", err)
	}
	if pattern.MatchString("") {
		return nil, l.fail(field+".pattern", errors.New("matches the empty text, which is everywhere"))
	}
	return replace(pattern, raw.With), nil
}

func outOfRange(n, least, atMost int) error {
	return fmt.Errorf("is %d, want %d to %d", n, least, atMost)
}
