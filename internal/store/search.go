package store

import (
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/terms"
)

// searchTerms are what an event is found by: the words of its texts, its city, country and categories. They have no
// positions and no weights, because a GIN index doesn't keep them. Instead, the words of a title are added a second time, as terms of a
// separate kind.
func searchTerms(e *event.Event) pgtype.TSVector {
	var all []string
	for _, word := range terms.Words(e.Title) {
		all = append(all, word, terms.Title(word))
	}
	if e.SeriesTitle != e.Title {
		all = append(all, terms.Words(e.SeriesTitle)...)
	}
	all = append(all, terms.Words(e.Description)...)
	for _, name := range e.Categories {
		all = appendTerm(all, terms.Category, name)
	}
	all = appendTerm(all, terms.City, e.Place.City)
	all = appendTerm(all, terms.Country, e.Place.Country)
	all = terms.Sorted(all)
	lexemes := make([]pgtype.TSVectorLexeme, len(all))
	for i, term := range all {
		lexemes[i].Word = term
	}
	return pgtype.TSVector{Lexemes: lexemes, Valid: true}
}

func appendTerm(all []string, term func(string) string, name string) []string {
	if name == "" {
		return all
	}
	return append(all, term(name))
}
