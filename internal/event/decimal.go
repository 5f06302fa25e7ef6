package event

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
)

// Decimal is an exact decimal number: coefficient times 10^-scale. It is kept without trailing zeros,
// so two equal numbers are the same value and compare with ==. Range: 12 digits before the point, 6
// after it. The zero value is 0.
type Decimal struct {
	coefficient int64
	scale       uint8
}

const (
	maxIntegerDigits  = 12
	maxFractionDigits = 6
)

// Errors of ParseDecimal.
var (
	ErrNotDecimal   = errors.New("not a decimal number")
	ErrDecimalRange = errors.New("more than 12 digits before the point or 6 after it")
)

// ParseDecimal reads an optional minus sign, digits, and optionally a point and more digits, with
// white space around it. Exponents, plus signs, group separators and decimal commas are no decimals:
// a feed that means 1000000000 by 1e9 is more likely broken.
func ParseDecimal(s string) (Decimal, error) {
	s = strings.TrimSpace(s)
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return Decimal{}, ErrNotDecimal
	}
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if len(whole) > maxIntegerDigits || len(fraction) > maxFractionDigits {
		return Decimal{}, ErrDecimalRange
	}
	coefficient := appendDigits(appendDigits(0, whole), fraction) // 18 digits always fit
	if negative {
		coefficient = -coefficient
	}
	return Decimal{coefficient, uint8(len(fraction))}, nil
}

func appendDigits(n int64, digits string) int64 {
	for _, c := range []byte(digits) {
		n = 10*n + int64(c-'0')
	}
	return n
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Compare returns -1, 0 or +1.
func (d Decimal) Compare(other Decimal) int {
	if d.scale == other.scale {
		return cmp.Compare(d.coefficient, other.coefficient)
	}
	return cmp.Compare(d.Micros(), other.Micros())
}

// Micros is the number times 10^6, which is exact.
func (d Decimal) Micros() int64 {
	return d.coefficient * pow10[maxFractionDigits-d.scale]
}

//nolint:gochecknoglobals // A table: nobody writes to it.
var pow10 = [maxFractionDigits + 1]int64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}

// DecimalFromMicros is the inverse of Micros. It fails for a number out of a Decimal's range.
func DecimalFromMicros(micros int64) (Decimal, error) {
	if micros >= int64(1e18) || micros <= -int64(1e18) {
		return Decimal{}, ErrDecimalRange
	}
	d := Decimal{micros, maxFractionDigits}
	for d.scale > 0 && d.coefficient%10 == 0 {
		d.coefficient /= 10
		d.scale--
	}
	return d, nil
}

// Negative reports whether the number is below 0.
func (d Decimal) Negative() bool { return d.coefficient < 0 }

// Append appends the number as String writes it.
func (d Decimal) Append(b []byte) []byte {
	if d.scale == 0 {
		return strconv.AppendInt(b, d.coefficient, 10)
	}
	abs := uint64(d.coefficient)
	if d.coefficient < 0 {
		b = append(b, '-')
		abs = -abs
	}
	unit := uint64(pow10[d.scale])
	b = strconv.AppendUint(b, abs/unit, 10)
	b = append(b, '.')
	fraction := strconv.AppendUint(make([]byte, 0, maxFractionDigits), abs%unit, 10)
	for range int(d.scale) - len(fraction) {
		b = append(b, '0')
	}
	return append(b, fraction...)
}

// String is the shortest plain form: no exponent, no trailing zeros, "15" or "15.5".
func (d Decimal) String() string { return string(d.Append(nil)) }

// MarshalJSON writes a JSON number, exactly.
func (d Decimal) MarshalJSON() ([]byte, error) { return d.Append(nil), nil }

// UnmarshalJSON reads a JSON number or string in the form of ParseDecimal. A null changes nothing, as
// everywhere in encoding/json.
func (d *Decimal) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	parsed, err := ParseDecimal(strings.Trim(string(data), `"`))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
