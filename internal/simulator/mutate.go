package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Errors of a mutation.
var (
	errNoRecord = errors.New("the body has no such record")
	errTooBig   = errors.New("the body grows too big")
)

// mutation changes a body before it is sent.
type mutation func(body []byte) ([]byte, error)

var (
	// recordPattern finds the records of all generations: plan or event elements, which are never nested.
	recordPattern = regexp.MustCompile(`(?s)<(?:plan|event)\s[^>]*?(?:/>|>.*?</(?:plan|event)>)`)
	// startPattern finds a record's start, in all generations: start_date or event_date.
	startPattern = regexp.MustCompile(`((?:_start|event)_date="\d{4})-\d\d-\d\d`)
)

const maxReplacements = 100_000 // in one body

// drop removes the n-th record, from 1.
func drop(n int) mutation {
	return func(body []byte) ([]byte, error) {
		at, err := record(body, n)
		if err != nil {
			return nil, err
		}
		return slices.Concat(body[:at[0]], body[at[1]:]), nil
	}
}

// duplicate writes the n-th record twice.
func duplicate(n int) mutation {
	return func(body []byte) ([]byte, error) {
		at, err := record(body, n)
		if err != nil {
			return nil, err
		}
		return slices.Concat(body[:at[1]], body[at[0]:]), nil
	}
}

// breakDate makes the n-th record start on 30 February.
func breakDate(n int) mutation {
	return func(body []byte) ([]byte, error) {
		at, err := record(body, n)
		if err != nil {
			return nil, err
		}
		broken := startPattern.ReplaceAll(body[at[0]:at[1]], []byte("${1}-02-30"))
		return slices.Concat(body[:at[0]], broken, body[at[1]:]), nil
	}
}

// replace replaces the first 100,000 matches of a pattern by with, in which $1 stands for the first group.
func replace(pattern *regexp.Regexp, with string) mutation {
	return func(body []byte) ([]byte, error) {
		var out []byte
		done := 0
		for _, at := range pattern.FindAllSubmatchIndex(body, maxReplacements) {
			out = append(out, body[done:at[0]]...)
			out = pattern.Expand(out, []byte(with), body, at)
			done = at[1]
			if len(out) > maxBody {
				return nil, fmt.Errorf("%w: more than %d bytes", errTooBig, maxBody)
			}
		}
		return append(out, body[done:]...), nil
	}
}

// record returns where the n-th record begins and ends.
func record(body []byte, n int) ([]int, error) {
	found := recordPattern.FindAllIndex(body, n)
	if len(found) < n {
		return nil, fmt.Errorf("%w: number %d of %d", errNoRecord, n, len(found))
	}
	return found[n-1], nil
}

func mutate(body []byte, with []mutation) ([]byte, error) {
	body = bytes.Clone(body)
	for _, m := range with {
		var err error
		if body, err = m(body); err != nil {
			return nil, err
		}
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooBig, maxBody)
	}
	return body, nil
}
