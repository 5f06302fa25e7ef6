package terms_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/terms"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "",
		"  \t—«»🎷":                        "",
		"Jazz en el patio":                "jazz|en|el|patio",
		"L'Été à Łódź":                    "l|ete|a|lodz",
		"Trío «Sombra» 🎷":                 "trio|sombra",
		"E\u0301te\u0301":                 "ete", // decomposed already
		"Straße Smørrebrød Ægir œuvre":    "strasse|smorrebrod|aegir|oeuvre",
		"İstanbul ISTANBUL ıstanbul":      "istanbul|istanbul|istanbul",
		"ΟΔΥΣΣΕΎΣ Οδυσσεύς":               "οδυσσευσ|οδυσσευσ",
		"Жёлтый МОЙ":                      "желтыи|мои",
		"R&B vol.2, Nº3 AC/DC rock’n’r":   "r|b|vol|2|no3|ac|dc|rock|n|r",
		"ﬁnale Ｆｕｌｌ":                      "finale|full",
		"東京ジャズ２０２１":                       "東京シャス2021",
		"שָׁלוֹם":                         "שלום",
		"a\x00b":                          "a|b",
		strings.Repeat("é", 100) + " end": strings.Repeat("e", 64) + "|end",
		strings.Repeat("東", 30):           strings.Repeat("東", 21),
	} {
		if got := strings.Join(terms.Words(text), "|"); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"«Ópera» – el Barbero":    "opera el barbero",
		"🎷":                       "🎷",
		"...":                     "...",
		strings.Repeat("ab ", 90): strings.Repeat("ab ", 40),
	} {
		if got := terms.Key(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

// FuzzWords: words are lower-case text of a bounded length that are their own words, and spelling doesn't count.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{"L'Été à Łódź", "İstanbul", "東京ジャズ２０２１", "\xff", "ẞ", "한국", "नमस्ते"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := terms.Words(text)
		for _, w := range words {
			if w == "" || len(w) > 64 || !utf8.ValidString(w) && utf8.ValidString(text) || strings.ContainsAny(w, `^#@% '\:&|!()*`) {
				t.Errorf("%q has the word %q", text, w)
			}
			if again := terms.Words(w); len(w) < 60 && !slices.Equal(again, []string{w}) {
				t.Errorf("%q has the word %q, and that has %q", text, w, again)
			}
		}
		if key := terms.Key(text); len(key) > terms.MaxKeyBytes {
			t.Errorf("%q has a key of %d bytes", text, len(key))
		}
	})
}
