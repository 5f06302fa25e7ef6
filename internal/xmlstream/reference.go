package xmlstream

import (
	"fmt"
	"strconv"
	"strings"
)

// unescape replaces XML's references by their characters; see https://www.w3.org/TR/xml/#sec-references.
func unescape(s string) (string, error) {
	next := strings.IndexByte(s, '&')
	if next < 0 {
		return s, nil
	}
	var b strings.Builder
	for next >= 0 {
		b.WriteString(s[:next])
		name, rest, found := strings.Cut(s[next+1:], ";")
		if !found {
			return "", fmt.Errorf("'&' without a reference: %s", quote(s[next:]))
		}
		char, err := reference(name)
		if err != nil {
			return "", err
		}
		b.WriteRune(char)
		s = rest
		next = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String(), nil
}

func reference(name string) (rune, error) {
	switch name {
	case "amp":
		return '&', nil
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "quot":
		return '"', nil
	case "apos":
		return '\'', nil
	}
	number, numeric := strings.CutPrefix(name, "#")
	base := 10
	if hexed, ok := strings.CutPrefix(number, "x"); ok {
		number, base = hexed, 16
	}
	char, err := strconv.ParseUint(number, base, 21) // 21 bits hold the greatest character, 10FFFF
	if !numeric || err != nil || !isChar(rune(char)) {
		return 0, fmt.Errorf("reference %s is refused: only XML's own five and character numbers are known", quote("&"+name+";"))
	}
	return rune(char), nil
}

// isChar is XML's production Char.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}
