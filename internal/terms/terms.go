// Package terms makes search terms of text. The writer stores with each event the terms by which it is found, and readers search for
// terms; both use this package, so that the terms match.
//
// If these rules change, a migration has to update the events in the catalog.
package terms

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The first characters of terms that are not plain words. Plain words consist of letters and digits, so they never begin with one of
// these.
const (
	inTitle  = "^" // a word of the title, which is also there as a plain word
	category = "#" // a category, unchanged
	city     = "@" // a city, unchanged
	country  = "%" // a country, unchanged
)

// Title is the term for a word of a title, where word is one of Words.
func Title(word string) string { return inTitle + word }

// Category is the term for a category, exactly as written.
func Category(name string) string { return category + name }

// City is the term for a city, exactly as written.
func City(name string) string { return city + name }

// Country is the term for a country, exactly as written.
func Country(name string) string { return country + name }

// maxWordBytes is how much of a word counts; the rest is cut off.
const maxWordBytes = 64

// Words are the words of a text, in order: its sequences of letters and digits, in lower case and without accents, up to 64 bytes of
// each. Those of "L'Été à Łódź" are l, ete, a and lodz.
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
		case unicode.Is(unicode.Mn, r): // an accent, which the decomposition has separated from its letter
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

// undecomposed are letters that people write without their accent or as two letters, though Unicode does not decompose them; and the final
// form of σ.
//
//nolint:gochecknoglobals // A constant table.
var undecomposed = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h", 'ı': "i", 'ς': "σ",
}

// MaxKeyBytes is the length of the longest Key: the rest of a title does not count when events are ordered by title.
const MaxKeyBytes = 120

// Key is what titles are ordered by, byte by byte: their words, so that case, accents, quotes and dashes don't
// count. The key of a title without words is the title itself, up to MaxKeyBytes of it.
func Key(title string) string {
	key := strings.Join(Words(title), " ")
	if key == "" {
		key = title
	}
	return string(cut([]byte(key), MaxKeyBytes))
}

// Sorted sorts terms in place, byte by byte, and drops repeated ones: the form in which PostgreSQL stores them.
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

// cut is the beginning of text, at most limit bytes, and never ends within a character.
func cut(text []byte, limit int) []byte {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
