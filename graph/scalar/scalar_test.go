package scalar_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/aledotdev/marquee/graph/scalar"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

func written(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

// in makes a test of a scalar's input: what is read is written back, and compared.
func in[T any](unmarshal func(any) (T, error), marshal func(T) graphql.Marshaler) func(any) (string, error) {
	return func(v any) (string, error) {
		read, err := unmarshal(v)
		if err != nil {
			return "", err
		}
		return written(marshal(read)), nil
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	scalars := map[string]func(any) (string, error){
		"ID":             in(scalar.UnmarshalID, scalar.MarshalID),
		"run ID":         in(scalar.UnmarshalRunID, scalar.MarshalRunID),
		"DateTime":       in(scalar.UnmarshalDateTime, scalar.MarshalDateTime),
		"LocalDateTime":  in(scalar.UnmarshalLocalDateTime, scalar.MarshalLocalDateTime),
		"DateOrDateTime": in(scalar.UnmarshalDateOrDateTime, scalar.MarshalDateOrDateTime),
		"TimeZone":       in(scalar.UnmarshalTimeZone, scalar.MarshalTimeZone),
		"Decimal":        in(scalar.UnmarshalDecimal, scalar.MarshalDecimal),
		"JSON":           in(scalar.UnmarshalJSON, scalar.MarshalJSON),
	}
	for _, test := range []struct {
		scalar string
		in     any
		want   string // empty: refused
	}{
		{"ID", "9544cef3-7587-5640-92c0-59fe2667d370", `"9544cef3-7587-5640-92c0-59fe2667d370"`},
		{"ID", "9544CEF3-7587-5640-92C0-59FE2667D370", `"9544cef3-7587-5640-92c0-59fe2667d370"`},
		{"run ID", "5", `"5"`},
		{"run ID", "x", ""},
		{"DateTime", "2021-06-30T21:00:00.5+02:00", `"2021-06-30T19:00:00Z"`},
		{"DateTime", "2021-06-30", ""},
		{"LocalDateTime", "2021-06-30T21:00", `"2021-06-30T21:00:00"`},
		{"LocalDateTime", "2021-06-30T21:00Z", ""},
		{"DateOrDateTime", "2021-06-30", `"2021-06-30"`},
		{"DateOrDateTime", "2021-06-30T21:00+02:00", `"2021-06-30T19:00:00Z"`},
		{"TimeZone", "Europe/Madrid", `"Europe/Madrid"`},
		{"TimeZone", "UTC", `"UTC"`},
		{"TimeZone", "Local", ""},
		{"TimeZone", "../localtime", ""},
		{"Decimal", "15.50", `"15.5"`},
		{"Decimal", "-0", `"0"`},
		{"Decimal", json.Number("19.99"), `"19.99"`},
		{"Decimal", json.Number("1e2"), ""},
		{"Decimal", int64(20), `"20"`},
		{"Decimal", 19.99, `"19.99"`},
		{"Decimal", 0.000001, `"0.000001"`},
		{"Decimal", 123456.5, `"123456.5"`},
		{"Decimal", 999999999999.5, `"999999999999.5"`},
		{"Decimal", 1e300, ""},
		{"Decimal", 1e-300, ""},
		{"JSON", map[string]any{"a": []any{1, nil}}, `{"a":[1,null]}`},
	} {
		got, err := scalars[test.scalar](test.in)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s %v: %s, %v; want %s", test.scalar, test.in, got, err, test.want)
		}
	}
	for name, read := range scalars {
		if name == "JSON" {
			continue // it takes everything
		}
		for _, v := range []any{nil, "", "\x00", "x\x00", true, 1.5, []any{}, map[string]any{}, strings.Repeat("1", 1000), int64(-1 << 63), time.Now()} {
			got, err := read(v)
			if err == nil {
				if name == "Decimal" && v == 1.5 {
					continue
				}
				t.Errorf("%s takes %v as %s", name, v, got)
				continue
			}
			if e, ok := errors.AsType[*catalog.Error](err); !ok || e.Code != catalog.CodeBadUserInput || !strings.HasPrefix(e.Message, "not ") {
				t.Errorf("%s, %v: %#v", name, v, err)
			}
		}
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	if got := written(scalar.MarshalLocalDateTime(event.LocalDateTime{})) + written(scalar.MarshalJSON(nil)); got != "nullnull" {
		t.Errorf("nothing is written as %s", got)
	}
}

// FuzzDecimal: a number that is taken is the number that was given.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"15.5", "-0.000001", "1e9", "999999999999.999999", "", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := scalar.UnmarshalDecimal(s)
		if err != nil {
			return
		}
		again, err := scalar.UnmarshalDecimal(d.String())
		if err != nil || again != d {
			t.Errorf("%q is %s, and that is %s (%v)", s, d, again, err)
		}
		if fromNumber, err := scalar.UnmarshalDecimal(json.Number(d.String())); err != nil || fromNumber != d {
			t.Errorf("%s as a number: %s, %v", d, fromNumber, err)
		}
		if _, err := fmt.Sscan(d.String(), new(float64)); err != nil {
			t.Errorf("%s is no number: %v", d, err)
		}
	})
}
