package mapped_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFunctions(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // an expression of . to its JSON, or the start of what is wrong with it
		`"24.04.2020" | date("DD.MM.YYYY")`:                     `"2020-04-24"`,
		`"4.4.2020 9:05" | date("D.M.YYYY H:mm")`:               `"2020-04-04T09:05:00"`,
		`"24.04.2020" | date("DD.MM.YYYY HH:mm"; "DD.MM.YYYY")`: `"2020-04-24"`,
		`" 24.04.2020 19:00:30 " | date("DD.MM.YYYY HH:mm:ss")`: `"2020-04-24T19:00:30"`,
		`"04/24/20 7:05 PM" | date("MM/DD/YY h:mm A")`:          `"2020-04-24T19:05:00"`,
		`"24 Apr 2020" | date("D MMM YYYY")`:                    `"2020-04-24"`,
		`"April 4, 2020" | date("MMMM D, YYYY")`:                `"2020-04-04"`,
		`"20200424T1900+02:00" | date("YYYYMMDDTHHmmZ")`:        `"2020-04-24T19:00:00+02:00"`,
		`null | date("DD.MM.YYYY")`:                             `null`,
		`"" | date("DD.MM.YYYY")`:                               `null`,
		`"31.09.2021" | date("DD.MM.YYYY")`:                     `date: INVALID_DATE "31.09.2021"`,
		`"24.4.2020" | date("DD.MM.YYYY")`:                      `date: INVALID_DATE`,
		`"x" | date("D.M.YYYY"; "YYYY")`:                        `date: INVALID_DATE "x": no date that exists in the form D.M.YYYY or YYYY`,
		`5 | date("D.M.YYYY")`:                                  `map: INVALID_RECORD: date wants a text, not 5`,
		`"x" | date(5)`:                                         `map: INVALID_RECORD: date: its arguments are texts, not 5`,
		`"x" | try date("D") catch "none"`:                      `"none"`,
		`1909076400 | todate`:                                   `"2030-06-30T19:00:00Z"`,
		`"12,50 €" | decimal`:                                   `12.5`,
		`"ab 10 EUR" | decimal`:                                 `10`,
		`"EUR 1.234,50" | decimal`:                              `1234.5`,
		`"$1,234.50" | decimal`:                                 `1234.5`,
		`"1.234.567" | decimal`:                                 `1234567`,
		`"1.234.567,8" | decimal`:                               `1234567.8`,
		`"CHF 1'234.50" | decimal`:                              `1234.5`,
		"\"1\u00a0234,50\" | decimal":                           `1234.5`,
		`"0,125" | decimal`:                                     `0.125`,
		`"19.99" | decimal`:                                     `19.99`,
		`"-5" | decimal`:                                        `-5`,
		`"1.234" | decimal`:                                     `decimal: INVALID_PRICE "1.234": the mark may be`,
		`"1.234" | decimal(",")`:                                `1234`,
		`"1.234" | decimal(".")`:                                `1.234`,
		`"1,5" | decimal(".")`:                                  `decimal: INVALID_PRICE "1,5": digits are grouped`,
		`"1,234,50" | decimal`:                                  `decimal: INVALID_PRICE "1,234,50": digits are grouped`,
		`"12.5.30" | decimal`:                                   `decimal: INVALID_PRICE "12.5.30": digits are grouped`,
		`"12,34,567.50" | decimal`:                              `1234567.5`,
		`"$.50" | decimal`:                                      `0.5`,
		`",99 €" | decimal`:                                     `0.99`,
		`"10€,20€" | decimals`:                                  `[10,20]`,
		`"Fr.12.50" | decimal`:                                  `12.5`,
		`"" | decimal`:                                          `null`,
		`null | decimal`:                                        `null`,
		`"free" | decimal`:                                      `decimal: INVALID_PRICE "free": no number in it`,
		`"10-20 €" | decimal`:                                   `decimal: INVALID_PRICE "10-20 €": several`,
		`true | decimal`:                                        `map: INVALID_RECORD: decimal wants a text, not true`,
		`"10-20 €" | decimals`:                                  `[10,20]`,
		`"12,50 / 8 €" | decimals | [min, max]`:                 `[8,12.5]`,
		`"free" | decimals`:                                     `[]`,
		`"` + strings.Repeat("9", 40) + `" | decimals`:          `decimal: INVALID_PRICE`,
		`"KubeCon + CloudNativeCon  Europe!" | slugify`:         `"kubecon-cloudnativecon-europe"`,
		`" Ñandú & Straße — Ålesund " | slugify`:                `"nandu-strasse-alesund"`,
		`"東京 2030" | slugify`:                                   `"東京-2030"`,
		`"***" | slugify`:                                       `""`,
		`[1, {"b": 1, "a": 2}] | digest | length`:               `32`,
		`"abc" | digest`:                                        `"ba7816bf8f01cfea414140de5dae2223"`,
		`[{"b": 1, "a": 2}, {"a": 2, "b": 1}] | map(digest) | unique | length`:   `1`,
		`"<p>One<br/>two &amp; <b>three</b></p>\n\n  <p>four</p> 5 < 6" | plain`: `"One\ntwo & three\nfour\n5 < 6"`,
		`"a\r\nb<!-- c -->" | plain`:           `"a\nb"`,
		`[null, [1], 1, {"a": 1}] | map(list)`: `[[],[1],[1],[{"a":1}]]`,
		`[{"k": 1}, {"k": 2}, 5, {"k": 1, "x": 1}, {"k": 2}, 6] | [repeats(.k) | [.nth, .value]]`: `[[0,{"k":1}],[0,{"k":2}],[0,5],[1,{"k":1,"x":1}],[1,6]]`,
	}
	for expression, want := range tests {
		rec := mustDecodeOne(t, `.[] | {id: 1, title: "x", start: "2030-01-01", attributes: {v: [`+expression+`]}}`, "[{}]")
		if rec.Invalid == nil {
			var attributes struct{ V json.RawMessage }
			if err := json.Unmarshal(rec.Event.Attributes, &attributes); err != nil {
				t.Fatal(err)
			}
			if string(attributes.V) != "["+want+"]" {
				t.Errorf("%s: %s, want %s", expression, attributes.V, want)
			}
			continue
		}
		if !strings.HasPrefix(rec.Invalid.Error(), want) {
			t.Errorf("%s: %v, want %s", expression, rec.Invalid, want)
		}
	}
}
