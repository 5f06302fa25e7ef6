package catalog

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/terms"
)

// Bounds of a text that is looked for.
const (
	maxSearchBytes = 200
	maxSearchWords = 20
)

// text are the words of the filter's text, each once; none for a text of white space only.
func (f EventFilter) text() ([]string, error) {
	const argument = "where.text"
	if f.Text == nil || strings.TrimSpace(*f.Text) == "" {
		return nil, nil
	}
	if len(*f.Text) > maxSearchBytes {
		return nil, badInput(argument, "%s has %d bytes, at most %d are allowed", argument, len(*f.Text), maxSearchBytes)
	}
	words := terms.Words(*f.Text)
	if len(words) == 0 {
		return nil, badInput(argument, "%s holds no letter and no digit", argument)
	}
	slices.Sort(words)
	words = slices.Compact(words)
	if len(words) > maxSearchWords {
		return nil, badInput(argument, "%s has %d words, at most %d are allowed", argument, len(words), maxSearchWords)
	}
	return words, nil
}

// isWhole says that a word has to be one of the event's, not only the beginning of one: a single letter begins so many
// that it would tell nothing, at a price.
func isWhole(word string) bool { return len(word) == 1 }

// withWords is the tsquery for events that have every word, as the term that it makes.
func withWords(words []string, term func(word string) string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = lexeme(term(word))
		if !isWhole(word) {
			all[i] += ":*"
		}
	}
	return strings.Join(all, " & ")
}

// hasWords is the same for a text in Go.
func hasWords(text string, words []string) bool {
	have := terms.Words(text)
	for _, word := range words {
		if !slices.ContainsFunc(have, func(h string) bool { return h == word || !isWhole(word) && strings.HasPrefix(h, word) }) {
			return false
		}
	}
	return true
}

// lexeme quotes a term for a tsquery.
func lexeme(term string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(term) + "'"
}

// searched are the filter's parts that the index of terms knows, as one tsquery; empty if there are none.
func (f EventFilter) searched() (string, error) {
	text, err := f.text()
	if err != nil {
		return "", err
	}
	var all []string
	if len(text) > 0 {
		all = append(all, withWords(text, func(word string) string { return word }))
	}
	for _, list := range []struct {
		argument string
		names    []string
		term     func(string) string
	}{{"where.categories", f.Categories, terms.Category}, {"where.cities", f.Cities, terms.City}, {"where.countries", f.Countries, terms.Country}} {
		if len(list.names) == 0 {
			continue
		}
		choices := make([]string, len(list.names))
		for i, name := range list.names {
			if name == "" || len(name) > event.MaxNameBytes || strings.IndexByte(name, 0) >= 0 || !utf8.ValidString(name) {
				return "", badInput(list.argument, "%s: want names of 1 to %d bytes", list.argument, event.MaxNameBytes)
			}
			choices[i] = lexeme(list.term(name))
		}
		all = append(all, "("+strings.Join(choices, " | ")+")")
	}
	return strings.Join(all, " & "), nil
}
