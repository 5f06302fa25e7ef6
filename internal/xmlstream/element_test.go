package xmlstream_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/xmlstream"
)

// parse writes down what a Handler is told, with neighbouring texts joined.
func parse(element []byte) ([]string, error) {
	var steps []string
	inText := false
	step := func(text bool, format string, args ...any) {
		if text && inText {
			steps[len(steps)-1] += args[0].(string)
			return
		}
		inText = text
		steps = append(steps, fmt.Sprintf(format, args...))
	}
	err := xmlstream.Parse(element, xmlstream.Handler{
		Start:     func(name string, depth int) { step(false, "start %s %d", name, depth) },
		Attribute: func(name, value string) { step(false, "%s=%s", name, value) },
		Text: func(text string) {
			if text != "" {
				step(true, "text %s", text)
			}
		},
		End: func(depth int) { step(false, "end %d", depth) },
	})
	return steps, err
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		element string
		want    []string
	}{
		"empty":            {`<a/>`, []string{"start a 0", "end 0"}},
		"nothing inside":   {`<a></a >`, []string{"start a 0", "end 0"}},
		"a start tag":      {`<a b="1">`, []string{"start a 0", "b=1"}},
		"attributes":       {`<a b="1" c='2'/>`, []string{"start a 0", "b=1", "c=2", "end 0"}},
		"wide attributes":  {"<a\n\tb = \"1\"\r\nc\t=\n'2' />", []string{"start a 0", "b=1", "c=2", "end 0"}},
		"close attributes": {`<a b="1"c="2"/>`, []string{"start a 0", "b=1", "c=2", "end 0"}}, // as encoding/xml
		"empty value":      {`<a b=""/>`, []string{"start a 0", "b=", "end 0"}},
		"other quotes":     {`<a b="it's" c='"'/>`, []string{"start a 0", "b=it's", `c="`, "end 0"}},
		"'>' in a value":   {`<a b="1>2" c="/>"/>`, []string{"start a 0", "b=1>2", "c=/>", "end 0"}},
		"prefixes":         {`<x:a y:b="1" xmlns:x="u"/>`, []string{"start x:a 0", "y:b=1", "xmlns:x=u", "end 0"}},
		"other letters":    {`<año título="á"/>`, []string{"start año 0", "título=á", "end 0"}},
		"text":             {`<a>x<b>y</b>z</a>`, []string{"start a 0", "text x", "start b 1", "text y", "end 1", "text z", "end 0"}},
		"CDATA":            {`<a>x<![CDATA[<b>&amp;]] ]]>y</a>`, []string{"start a 0", "text x<b>&amp;]] y", "end 0"}},
		"empty CDATA":      {`<a><![CDATA[]]></a>`, []string{"start a 0", "end 0"}},
		"comments":         {`<a><!----><!-- <b c="'> -->x</a>`, []string{"start a 0", "text x", "end 0"}},
		"instructions":     {`<a b="1"><?c d="2" e?><?f?></a>`, []string{"start a 0", "b=1", "end 0"}},
		"references":       {`<a b="&amp;&lt;&gt;&quot;&apos;">&#233;&#xE9;&#xe9;&#x1F3AD;</a>`, []string{"start a 0", `b=&<>"'`, "text ééé🎭", "end 0"}},
		"not twice":        {`<a b="&amp;lt;"/>`, []string{"start a 0", "b=&lt;", "end 0"}},
		"leading zeros":    {`<a b="&#00000000000000000065;"/>`, []string{"start a 0", "b=A", "end 0"}},
		"the last one":     {`<a b="&#x10FFFF;"/>`, []string{"start a 0", "b=\U0010FFFF", "end 0"}},
		"lines":            {"<a>1\r\n2\r3\n4<![CDATA[\r\n]]></a>", []string{"start a 0", "text 1\n2\n3\n4\n", "end 0"}},
		"lines in a value": {"<a b='1\r\n2\r3\n4\t5&#10;6'/>", []string{"start a 0", "b=1 2 3 4 5\n6", "end 0"}},
		"one record's own": {"<a b='\x00\x01\xff'>\x00\xff</a>", []string{"start a 0", "b=\x00\x01\xff", "text \x00\xff", "end 0"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parse([]byte(test.element))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseMalformed(t *testing.T) {
	t.Parallel()
	for _, element := range []string{
		"", "x", " <a/>", "<", "<>", "</a>", "<a", "<a ", "<a b", `<a b="`, `<a b="1"`, "<a/", "<a/ >", "<a / >", "<1/>", "<a\x00/>", "<a!/>",
		`<a"b"/>`, "<a b/>", "<a b=/>", "<a b=c/>", `<a b=c"/>`, `<a ="1"/>`, `<a b=="1"/>`, `<a b="1" b='2'/>`, `<a b="<"/>`, `<a/b/>`,
		"<a></b>", "<a><b></a></b>", "<a></A>", "<a></a b>", "<a></ a>", "<a></a", "<a><b/>", "<a>x", "<a/>x", "<a/><b/>", "<a></a> ", "<a/></a>",
		"<a>]]></a>", "<a><![CDATA[x</a>", "<a><![cdata[x]]></a>", "<a><!-- x</a>", "<a><!-- a--b --></a>", "<a><!-- x ---></a>", "<a><?x</a>", "<a><??></a>", "<a><? x?></a>",
		"<a><!DOCTYPE x></a>", `<a><!ENTITY x "y"></a>`, "<a><!></a>",
		"<a>&</a>", "<a>& </a>", "<a>&;</a>", "<a>&amp</a>", "<a>&nbsp;</a>", "<a>&AMP;</a>", "<a>& amp;</a>", `<a b="&"/>`, `<a b="&nbsp;"/>`, `<a b="&amp"/>`,
		"<a>&#;</a>", "<a>&#x;</a>", "<a>&#0;</a>", "<a>&#x0;</a>", "<a>&#x1;</a>", "<a>&#xD800;</a>", "<a>&#xFFFE;</a>", "<a>&#x110000;</a>", "<a>&#99999999999999999999;</a>",
		"<a>&#-5;</a>", "<a>&#+5;</a>", "<a>&#X41;</a>", "<a>&#4_1;</a>", "<a>&#65 ;</a>", "<a>&65;</a>", "<a>&x41;</a>",
		strings.Repeat("<x>", xmlstream.MaxDepth+2) + strings.Repeat("</x>", xmlstream.MaxDepth+2),
	} {
		if steps, err := parse([]byte(element)); !errors.Is(err, event.ErrMalformed) {
			t.Errorf("%.60q: %q, %v", element, steps, err)
		} else if len(err.Error()) > 300 {
			t.Errorf("%.60q: an error of %d bytes", element, len(err.Error()))
		}
	}
}

func TestParseLimitsAttributes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range xmlstream.MaxAttributes {
		fmt.Fprintf(&b, ` a%d="x"`, i)
	}
	if _, err := parse([]byte("<a" + b.String() + "/>")); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	if _, err := parse([]byte("<a" + b.String() + ` b="x"/>`)); !errors.Is(err, event.ErrMalformed) {
		t.Errorf("one more: %v", err)
	}
}

// TestParseLeavesTheElement: a Scanner's buffer, which others read too.
func TestParseLeavesTheElement(t *testing.T) {
	t.Parallel()
	element := []byte("<a b='1\t2\n'>&amp;\r\n</a>")
	before := string(element)
	if _, err := parse(element); err != nil || string(element) != before {
		t.Errorf("%q, %v", element, err)
	}
}
