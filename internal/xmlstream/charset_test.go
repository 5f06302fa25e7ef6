package xmlstream_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/aledotdev/marquee/internal/event"
)

func TestCharsets(t *testing.T) {
	t.Parallel()
	document := func(declared string) string {
		if declared != "" {
			declared = ` encoding="` + declared + `"`
		}
		return `<?xml version="1.0"` + declared + `?><a><b t="Ñandú €"/></a>`
	}
	encoded := func(e encoding.Encoding, s string) string {
		out, err := e.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	good := map[string]string{
		"UTF-8, undeclared":            document(""),
		"UTF-8, no declaration":        `<a><b t="Ñandú €"/></a>`,
		"UTF-8":                        document("UTF-8"),
		"utf-8":                        document("utf-8"),
		"UTF8":                         document("UTF8"),
		"UTF-8 with a mark":            "\ufeff" + document("UTF-8"),
		"a mark wins":                  "\ufeff" + document("ISO-8859-1"),
		"a mark, no declaration":       "\ufeff" + `<a><b t="Ñandú €"/></a>`,
		"UTF-16 LE with a mark":        encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), document("UTF-16")),
		"UTF-16 BE with a mark":        encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), document("UTF-16")),
		"UTF-16, undeclared, a mark":   encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), document("")),
		"windows-1252":                 encoded(charmap.Windows1252, document("windows-1252")),
		"ISO-8859-15":                  encoded(charmap.ISO8859_15, document("ISO-8859-15")),
		"windows-1252 called Latin 1":  encoded(charmap.Windows1252, document("ISO-8859-1")),
		"single quotes and wide space": encoded(charmap.Windows1252, `<?xml version='1.0'   encoding = 'Windows-1252' standalone="yes" ?><a><b t="Ñandú €"/></a>`),
	}
	for name, bytes := range good {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, r := range readers([]byte(bytes)) {
				nodes, err := scan(r, 1)
				if err != nil || len(nodes) != 3 || nodes[1].Text != `<b t="Ñandú €"/>` {
					t.Errorf("read %s: %v, %v", how, nodes, err)
				}
			}
		})
	}
	bad := map[string]string{
		"unknown charset":               document("klingon"),
		"no charset":                    document(" "),
		"a charset with odd bytes":      document("\x00\xff"),
		"UTF-16 in name only":           document("UTF-16"),
		"UTF-16LE in name only":         document("utf-16le"),
		"UTF-16 LE without a mark":      encoded(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), document("UTF-16")),
		"UTF-16 BE without a mark":      encoded(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), document("UTF-16")),
		"a charset that hides markup":   document("ISO-2022-KR"),
		"half of a UTF-16 character":    encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), document(""))[:61],
		"a mark and nothing":            "\ufeff",
		"a UTF-16 mark and nothing":     "\xff\xfe",
		"a declaration and nothing":     `<?xml version="1.0" encoding="ISO-8859-1"?>`,
		"a declaration that ends never": `<?xml version="1.0" encoding="klingon"` + strings.Repeat(" ", 1000),
	}
	for name, bytes := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if nodes, err := scan(strings.NewReader(bytes), 1); !errors.Is(err, event.ErrMalformed) {
				t.Errorf("%v, %v", nodes, err)
			}
		})
	}
}
