package event

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
)

// Decimal is an exact decimal number, with up to 12 digits before the point and up to 6 after it. Equal numbers are
// also equal by ==. The zero value is 0.
type Decimal struct {
	coefficient int64
	scale       uint8 // the number is coefficient times 10^-scale, with the least scale possible
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

// ParseDecimal reads an optional minus sign, digits, and optionally a point and more digits, with or without
// white space around them. The error is ErrNotDecimal for any other text, also with an exponent, a plus sign, group separators or a decimal
// comma: a feed with a price of 1e9 is more likely to be broken. It is ErrDecimalRange for a number with too many digits.
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

//nolint:gochecknoglobals // A constant table.
var pow10 = [maxFractionDigits + 1]int64{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}

// DecimalFromMicros is the inverse of Micros. The error is ErrDecimalRange if the number has more than 12 digits before the point.
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

// String is the shortest form without an exponent, such as "15" or "15.5".
func (d Decimal) String() string { return string(d.Append(nil)) }

// MarshalJSON writes String as a JSON number.
func (d Decimal) MarshalJSON() ([]byte, error) { return d.Append(nil), nil }

// UnmarshalJSON reads a JSON number or string in the form of ParseDecimal, with its errors. A null changes nothing, as is usual
// in encoding/json.
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
