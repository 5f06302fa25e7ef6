package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/event"
)

func decimal(tb testing.TB, s string) *event.Decimal {
	tb.Helper()
	d, err := event.ParseDecimal(s)
	if err != nil {
		tb.Fatalf("ParseDecimal(%q): %v", s, err)
	}
	return &d
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, want string
		err      error
	}{
		{in: "0", want: "0"},
		{in: "-0", want: "0"},
		{in: "-0.000", want: "0"},
		{in: "15", want: "15"},
		{in: "15.00", want: "15"},
		{in: "15.50", want: "15.5"},
		{in: "0.05", want: "0.05"},
		{in: "007", want: "7"},
		{in: "-5", want: "-5"},
		{in: "-0.000001", want: "-0.000001"},
		{in: " 20.00\n", want: "20"},
		{in: "\u00a020\u00a0", want: "20"},
		{in: "999999999999.999999", want: "999999999999.999999"},
		{in: "000999999999999", want: "999999999999"},
		{in: "0.1234560", want: "0.123456"},
		{in: "1000000000000", err: event.ErrDecimalRange}, // 13 digits
		{in: "-1000000000000", err: event.ErrDecimalRange},
		{in: "0.1234567", err: event.ErrDecimalRange}, // 7 digits
		{in: "99999999999999999999999999", err: event.ErrDecimalRange},
		{in: "", err: event.ErrNotDecimal},
		{in: " ", err: event.ErrNotDecimal},
		{in: "abc", err: event.ErrNotDecimal},
		{in: "1e9", err: event.ErrNotDecimal},
		{in: ".5", err: event.ErrNotDecimal},
		{in: "5.", err: event.ErrNotDecimal},
		{in: ".", err: event.ErrNotDecimal},
		{in: "-", err: event.ErrNotDecimal},
		{in: "--5", err: event.ErrNotDecimal},
		{in: "+1", err: event.ErrNotDecimal},
		{in: "- 5", err: event.ErrNotDecimal},
		{in: "1 000", err: event.ErrNotDecimal},
		{in: "1,50", err: event.ErrNotDecimal},
		{in: "1.2.3", err: event.ErrNotDecimal},
		{in: "0x10", err: event.ErrNotDecimal},
		{in: "1_000", err: event.ErrNotDecimal},
		{in: "NaN", err: event.ErrNotDecimal},
		{in: "Inf", err: event.ErrNotDecimal},
		{in: "١٥", err: event.ErrNotDecimal},
		{in: "１５", err: event.ErrNotDecimal},
		{in: "15€", err: event.ErrNotDecimal},
		{in: "1\x005", err: event.ErrNotDecimal},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%q", test.in), func(t *testing.T) {
			t.Parallel()
			got, err := event.ParseDecimal(test.in)
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err == nil && got.String() != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestDecimalsOfOneNumberAreOneValue(t *testing.T) {
	t.Parallel()
	if a, b := *decimal(t, "15.50"), *decimal(t, "0015.5"); a != b {
		t.Errorf("%#v and %#v differ", a, b)
	}
	if (event.Decimal{}) != *decimal(t, "-0.0") {
		t.Error("the zero value is not 0")
	}
}

// drawDecimal draws the whole range, with small numbers and scales as likely as large ones.
func drawDecimal(t *rapid.T, label string) event.Decimal {
	d, err := event.DecimalFromMicros(drawMicros(t, label))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func drawMicros(t *rapid.T, label string) int64 {
	const limit = 1_000_000_000_000_000_000 - 1
	scale := rapid.SampledFrom([]int64{1, 10_000, 1_000_000}).Draw(t, label+" scale")
	return rapid.Int64Range(-limit/scale, limit/scale).Draw(t, label) * scale
}

func TestDecimalRoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := drawDecimal(t, "number")
		if parsed, err := event.ParseDecimal(d.String()); err != nil || parsed != d {
			t.Fatalf("%s is parsed as %s, %v", d, parsed, err)
		}
		if again, err := event.DecimalFromMicros(d.Micros()); err != nil || again != d {
			t.Fatalf("%s comes back from micros as %s, %v", d, again, err)
		}
		if got := string(d.Append([]byte("x"))); got != "x"+d.String() {
			t.Fatalf("Append gives %s", got)
		}
		if d.Negative() != (d.Micros() < 0) {
			t.Fatalf("Negative(%s) = %t", d, d.Negative())
		}
		text, err := json.Marshal(d)
		var read event.Decimal
		if err != nil || string(text) != d.String() || json.Unmarshal(text, &read) != nil || read != d {
			t.Fatalf("%s is %s in JSON, read as %s, %v", d, text, read, err)
		}
	})
}

func TestDecimalCompareAgreesWithRat(t *testing.T) {
	t.Parallel()
	rat := func(d event.Decimal) *big.Rat {
		r, ok := new(big.Rat).SetString(d.String())
		if !ok {
			t.Fatalf("%s is not a number to math/big", d)
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDecimal(t, "a"), drawDecimal(t, "b")
		if rapid.Bool().Draw(t, "close") {
			b = a
			if near, err := event.DecimalFromMicros(a.Micros() + rapid.Int64Range(-1, 1).Draw(t, "by")); err == nil {
				b = near
			}
		}
		if got, want := a.Compare(b), rat(a).Cmp(rat(b)); got != want {
			t.Fatalf("%s.Compare(%s) = %d, want %d", a, b, got, want)
		}
	})
}

func TestDecimalFromMicrosRange(t *testing.T) {
	t.Parallel()
	const limit = 1_000_000_000_000_000_000
	for _, micros := range []int64{limit, -limit, 1<<63 - 1, -1 << 63} {
		if d, err := event.DecimalFromMicros(micros); !errors.Is(err, event.ErrDecimalRange) {
			t.Errorf("%d: %s, %v", micros, d, err)
		}
	}
}

func TestDecimalUnmarshalJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want string
		err  error
	}{
		`15.50`:   {want: "15.5"},
		`"15.50"`: {want: "15.5"},
		`null`:    {want: "1"}, // as it was
		`1e3`:     {err: event.ErrNotDecimal},
		`"abc"`:   {err: event.ErrNotDecimal},
		`true`:    {err: event.ErrNotDecimal},
		`""`:      {err: event.ErrNotDecimal},
	}
	for in, test := range tests {
		got := *decimal(t, "1")
		err := json.Unmarshal([]byte(in), &got)
		if !errors.Is(err, test.err) || err == nil && got.String() != test.want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}
