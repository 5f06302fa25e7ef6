package mapped

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
)

// prices fills in the offers, the lowest and highest price, and the currency.
func (n *normalizer) prices(fields map[string]any, e *event.Event) {
	e.Currency = n.currency(fields)
	price := n.price(fieldPrice, fields[fieldPrice])
	least, most := n.price(fieldMinPrice, fields[fieldMinPrice]), n.price(fieldMaxPrice, fields[fieldMaxPrice])
	e.Offers = n.offers(fields[fieldOffers])
	ways := 0
	for _, given := range []bool{price != nil, least != nil || most != nil, len(e.Offers) > 0} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		n.fail(event.ReasonInvalidPrice, fieldPrice, nil, errors.New("want one of price, offers, and minPrice with maxPrice"))
	}
	if price != nil {
		e.Offers = []event.Offer{{Price: price}}
	}
	e.SetPriceBounds(n.defaults.Prices)
	if least != nil || most != nil {
		if least != nil && most != nil && least.Compare(*most) > 0 {
			n.fail(event.ReasonInvalidPrice, fieldMinPrice, fields[fieldMinPrice], fmt.Errorf("above maxPrice, which is %s", most))
		}
		e.MinPrice, e.MaxPrice = least, most
	}
}

func (n *normalizer) offers(value any) []event.Offer {
	if value == nil {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var offers []event.Offer
	for i, element := range list {
		if len(offers) > event.MaxOffers {
			break // Validate reports that there are too many
		}
		prefix := fmt.Sprintf("%s[%d].", fieldOffers, i)
		fields, ok := element.(map[string]any)
		if !ok {
			n.fail(event.ReasonInvalidRecord, strings.TrimSuffix(prefix, "."), element, errors.New("not an object"))
			return nil
		}
		n.known(fields, prefix, []string{"capacity", "id", "name", "numbered", "price"})
		offers = append(offers, event.Offer{
			ExternalID: n.textOf(prefix+"id", fields["id"]),
			Name:       n.textOf(prefix+"name", fields["name"]),
			Price:      n.price(prefix+"price", fields["price"]),
			Capacity:   n.capacity(prefix+"capacity", fields["capacity"]),
			Numbered:   n.flagOf(prefix+"numbered", fields["numbered"]),
		})
	}
	return offers
}

// price is a price of 0 or more, nil if it is missing or wrong. It is exact: a number of the feed is read digit by digit. A number that
// the map has computed is a float, which is rounded to 15 digits.
func (n *normalizer) price(field string, value any) *event.Decimal {
	if value == nil || value == "" {
		return nil
	}
	text, err := digits(value)
	var price event.Decimal
	if err == nil {
		price, err = event.ParseDecimal(text)
	}
	if err == nil && price.Negative() {
		err = errors.New("below 0")
	}
	if err != nil {
		n.fail(event.ReasonInvalidPrice, field, value, err)
		return nil
	}
	return &price
}

// digits is a number as text without an exponent, or a text as it is.
func digits(value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case int:
		return strconv.Itoa(value), nil
	case *big.Int:
		return value.String(), nil
	case json.Number:
		return withoutExponent(value.String())
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return "", event.ErrNotDecimal
		}
		return withoutExponent(strconv.FormatFloat(value, 'e', 14, 64))
	default:
		return "", event.ErrNotDecimal
	}
}

// withoutExponent moves the point of a JSON number, as in 1.5e2, which is 150: some encoders write 1E+2.
func withoutExponent(number string) (string, error) {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(number), "e")
	if !scientific {
		return number, nil
	}
	shift, err := strconv.Atoi(exponent)
	if err != nil || shift < -30 || shift > 30 {
		return "", event.ErrDecimalRange
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if shift >= 0 {
		fraction += strings.Repeat("0", max(0, shift-len(fraction)))
		whole, fraction = whole+fraction[:shift], fraction[shift:]
	} else {
		whole = strings.Repeat("0", max(0, 1-shift-len(whole))) + whole
		at := len(whole) + shift
		whole, fraction = whole[:at], whole[at:]+fraction
	}
	return sign + whole + "." + fraction + "0", nil
}

func (n *normalizer) capacity(field string, value any) *int32 {
	if value == nil || value == "" {
		return nil
	}
	text, err := digits(value)
	var seats event.Decimal
	if err == nil {
		seats, err = event.ParseDecimal(text)
	}
	count, notWhole := strconv.ParseInt(seats.String(), 10, 32)
	if err != nil || notWhole != nil || count < 0 {
		n.fail(event.ReasonInvalidNumber, field, value, errors.New("not a number of seats"))
		return nil
	}
	return new(int32(count))
}

func (n *normalizer) flag(fields map[string]any, field string) *bool {
	return n.flagOf(field, fields[field])
}

// flagOf is true or false, or nil if it is missing or wrong. It takes words and digits too, since all values of XML and CSV are texts.
func (n *normalizer) flagOf(field string, value any) *bool {
	switch value := value.(type) {
	case nil:
		return nil
	case bool:
		return &value
	case map[string]any, []any:
	default:
		switch strings.ToLower(n.textOf(field, value)) {
		case "":
			return nil
		case "true", "yes", "y", "1":
			return new(true)
		case "false", "no", "n", "0":
			return new(false)
		}
	}
	n.fail(event.ReasonInvalidNumber, field, value, errors.New("neither true nor false"))
	return nil
}
