package mapped

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/itchyny/gojq"
	"golang.org/x/text/unicode/norm"

	"github.com/aledotdev/marquee/internal/event"
)

// functions are what maps can call in addition to jq's own. Each except digest gives null for null, so that maps need not check for what a
// feed leaves out.
//
//	date("DD.MM.YYYY HH:mm"; …)  a text in the first of these forms that fits, as 2030-06-30T21:00:00 or 2030-06-30
//	decimal, decimal(",")        the one number in a text such as "ab 12,50 €", exactly
//	decimals, decimals(",")      all numbers in a text, as a list
//	slugify                      letters and digits only, without accents, joined by hyphens
//	digest                       32 hexadecimal digits that identify a value, for ids
//	plain                        text without HTML
func functions() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction("date", 1, 8, textFunction("date", parseDate)),
		gojq.WithFunction("decimal", 0, 1, func(v any, args []any) any {
			if _, ok := gojq.ToFloat64(v); ok {
				return v
			}
			return textFunction("decimal", parseOneDecimal)(v, args)
		}),
		gojq.WithFunction("decimals", 0, 1, textFunction("decimals", parseDecimals)),
		gojq.WithFunction("slugify", 0, 0, textFunction("slugify", func(s string, _ []string) (any, error) { return slugify(s), nil })),
		gojq.WithFunction("plain", 0, 0, textFunction("plain", func(s string, _ []string) (any, error) { return plain(s), nil })),
		gojq.WithFunction("digest", 0, 0, func(v any, _ []any) any { return digest(v) }),
	}
}

// textFunction makes a jq function of one whose input and arguments are texts.
func textFunction(name string, f func(string, []string) (any, error)) func(any, []any) any {
	return func(v any, args []any) any {
		if v == nil {
			return nil
		}
		text, ok := v.(string)
		if !ok {
			return fmt.Errorf("%s wants a text, not %s", name, event.Excerpt(describe(v), 80))
		}
		texts := make([]string, len(args))
		for i, arg := range args {
			if texts[i], ok = arg.(string); !ok {
				return fmt.Errorf("%s: its arguments are texts, not %s", name, event.Excerpt(describe(arg), 80))
			}
		}
		result, err := f(text, texts)
		if err != nil {
			return err
		}
		return result
	}
}

// dateTokens translates the parts of a date's form into Go's. They are those of Unicode's UTS 35, except that D and Y are as in
// most date libraries: the day of the month, and the calendar year.
var dateTokens = strings.NewReplacer( //nolint:gochecknoglobals // a constant table
	"YYYY", "2006", "YY", "06", "MMMM", "January", "MMM", "Jan", "MM", "01", "M", "1", "DD", "02", "D", "2",
	"HH", "15", "H", "15", "hh", "03", "h", "3", "mm", "04", "ss", "05", "A", "PM", "a", "pm", "Z", "Z07:00",
)

func parseDate(text string, forms []string) (any, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	for _, form := range forms {
		t, err := time.Parse(dateTokens.Replace(form), text)
		switch {
		case err != nil:
		case strings.Contains(form, "Z"):
			return t.Format(time.RFC3339), nil
		case strings.ContainsAny(form, "Hh"):
			return t.Format(event.LocalLayout), nil
		default:
			return t.Format(time.DateOnly), nil
		}
	}
	return nil, event.NewInvalid(event.ReasonInvalidDate, "date", text, fmt.Errorf("no date that exists in the form %s", strings.Join(forms, " or ")))
}

// numberForm is digits, with points, commas or other group marks between them.
var numberForm = regexp.MustCompile(`-?\d+(?:[.,'’\x{00a0}\x{202f}]\d+)*`)

func parseOneDecimal(text string, marks []string) (any, error) {
	numbers, err := parseDecimals(text, marks)
	if err != nil {
		return nil, err
	}
	switch list, _ := numbers.([]any); {
	case len(list) == 1:
		return list[0], nil
	case len(list) == 0 && strings.TrimSpace(text) == "":
		return nil, nil
	case len(list) == 0:
		return nil, event.NewInvalid(event.ReasonInvalidPrice, "decimal", text, errors.New("no number in it"))
	default:
		return nil, event.NewInvalid(event.ReasonInvalidPrice, "decimal", text, errors.New("several numbers in it; see decimals"))
	}
}

func parseDecimals(text string, marks []string) (any, error) {
	mark := ""
	if len(marks) > 0 {
		mark = marks[0]
	}
	numbers := []any{}
	for _, at := range numberForm.FindAllStringIndex(text, -1) {
		number := text[at[0]:at[1]]
		if before := text[:at[0]]; strings.HasPrefix(number, "-") && before != "" && !strings.HasSuffix(before, " ") {
			number = number[1:] // it is a hyphen: 10-20 is a range
		}
		if len(numbers) == 0 { // before a later number, a comma may separate a list
			number = leadingMark(text[:at[0]]) + number
		}
		plain, err := plainDecimal(number, mark)
		if err != nil {
			return nil, event.NewInvalid(event.ReasonInvalidPrice, "decimal", text, err)
		}
		numbers = append(numbers, json.Number(plain))
	}
	return numbers, nil
}

// leadingMark is "0." or "0," if the text before a number's digits shows that the number begins with its decimal mark, as in "$.50"; else
// empty.
func leadingMark(before string) string {
	for _, mark := range []string{".", ","} {
		if rest, ok := strings.CutSuffix(before, mark); ok {
			if last, _ := utf8.DecodeLastRuneInString(rest); rest == "" || unicode.IsSpace(last) || unicode.Is(unicode.Sc, last) {
				return "0" + mark
			}
		}
	}
	return ""
}

var errAmbiguous = errors.New(`the mark may be a decimal or a group mark; say decimal(",") or decimal(".")`)

var errGroups = errors.New("digits are grouped by thousands, if at all")

// plainDecimal is a number with a point as its decimal mark and without group marks. mark is the decimal mark of the number given. If
// it is empty, the decimal mark is the last point or comma; if that may just as well group thousands, the error is errAmbiguous.
func plainDecimal(number, mark string) (string, error) {
	if mark == "" {
		last := strings.LastIndexAny(number, ".,")
		if last >= 0 {
			mark = number[last : last+1]
			other := strings.Trim(".,", mark)
			switch {
			case strings.Count(number, mark) > 1: // 1.234.567
				mark = other
			case !strings.Contains(number, other) && len(number)-last-1 == 3 && strings.TrimLeft(number[:last], "-") != "0":
				return "", errAmbiguous
			}
		}
	}
	whole, fraction, _ := strings.Cut(number, mark)
	if mark == "" {
		whole, fraction = number, ""
	}
	if strings.ContainsFunc(fraction, func(r rune) bool { return !unicode.IsDigit(r) }) {
		return "", event.ErrNotDecimal
	}
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r != '-' && !unicode.IsDigit(r) })
	for i, group := range groups[min(1, len(groups)):] {
		if n := len(group); n != 3 && (n != 2 || i == len(groups)-2) { // 12,34,567 in India
			return "", errGroups
		}
	}
	whole = strings.Join(groups, "")
	if fraction != "" {
		whole += "." + fraction
	}
	decimal, err := event.ParseDecimal(whole)
	return decimal.String(), err
}

// slugify keeps letters and digits of every script, without accents and in lower case, and joins what was apart by hyphens.
func slugify(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(strings.ReplaceAll(strings.ToLower(s), "ß", "ss")) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}

// digest is the first half of the SHA-256 of a text or, for any other value, of its JSON; in hexadecimal.
func digest(v any) any {
	text, ok := v.(string)
	if !ok {
		text = describe(v)
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

var (
	htmlBreaks = regexp.MustCompile(`(?i)<(?:br|/p|/div|/li|/h[1-6])\s*/?>`)
	htmlTags   = regexp.MustCompile(`</?[A-Za-z][^<>]*>|<!--[^>]*-->`)
	blanks     = regexp.MustCompile(`[ \t\x{00a0}]+`)
	emptyLines = regexp.MustCompile(` ?\n[ \n]*`)
)

// plain makes text of HTML. The text is for people: as HTML it would not be safe.
func plain(s string) string {
	s = htmlBreaks.ReplaceAllString(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	s = html.UnescapeString(htmlTags.ReplaceAllString(s, ""))
	return strings.TrimSpace(emptyLines.ReplaceAllString(blanks.ReplaceAllString(s, " "), "\n"))
}
