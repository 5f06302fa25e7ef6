// Package terms says what search makes of text. The writer keeps with each event the terms by which it is found, a
// reader makes those that it looks for; both ask here, so that they agree.
//
// A change of these rules needs a migration that brings the events in the catalog up to them.
package terms

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What stands before a term that is no plain word. Words are letters and digits only, so that no prefix of a word is
// one of these.
const (
	inTitle  = "^" // a word of the title, beside the plain one
	category = "#" // a category, as it is
	city     = "@" // a city, as it is
	country  = "%" // a country, as it is
)

// Title is the term for a word of a title.
func Title(word string) string { return inTitle + word }

// Category is the term for a category, letter for letter.
func Category(name string) string { return category + name }

// City is the term for a city, letter for letter.
func City(name string) string { return city + name }

// Country is the term for a country, letter for letter.
func Country(name string) string { return country + name }

// maxWordBytes is what counts of a word.
const maxWordBytes = 64

// Words are the words of a text, in order: its runs of letters and digits, without accents and case. "L'Été à Łódź" is
// l, ete, a, lodz.
func Words(text string) []string {
	var words []string
	var word []byte
	end := func() {
		if len(word) > 0 {
			words = append(words, string(cut(word, maxWordBytes)))
			word = word[:0]
		}
	}
	if !isASCII(text) {
		text = norm.NFKD.String(text)
	}
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			switch {
			case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
				word = append(word, byte(r))
			case 'A' <= r && r <= 'Z':
				word = append(word, byte(r)+'a'-'A')
			default:
				end()
			}
		case unicode.Is(unicode.Mn, r): // an accent, cut off by the decomposition
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mc, r):
			r = unicode.ToLower(r)
			if plain, ok := undecomposed[r]; ok {
				word = append(word, plain...)
			} else {
				word = utf8.AppendRune(word, r)
			}
		default:
			end()
		}
	}
	end()
	return words
}

// undecomposed are the letters that Unicode does not take for others with an accent, and people do.
//
//nolint:gochecknoglobals // A constant table.
var undecomposed = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h", 'ı': "i", 'ς': "σ",
}

// MaxKeyBytes is what counts of a title when events are put in the order of titles: the length of the longest Key.
const MaxKeyBytes = 120

// Key is what titles are ordered by, byte by byte: their words, so that neither case, accents, quotes nor dashes
// count. A title without words is its own key.
func Key(title string) string {
	key := strings.Join(Words(title), " ")
	if key == "" {
		key = title
	}
	return string(cut([]byte(key), MaxKeyBytes))
}

// Sorted sorts terms byte by byte and drops repeated ones, as PostgreSQL keeps them.
func Sorted(terms []string) []string {
	slices.Sort(terms)
	return slices.Compact(terms)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cut is the start of text, at most limit bytes, without half a letter.
func cut(text []byte, limit int) []byte {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
