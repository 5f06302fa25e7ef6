package harness

import (
	"bytes"
	"encoding/xml"
	"slices"
)

// Base is a base plan of a planlist feed: a series. Texts that are empty are left out.
type Base struct {
	ID, Title, Mode, Organizer string
	Plans                      []Plan
}

// Plan is a dated event of a Base.
type Plan struct {
	ID, Start, End, SellFrom, SellTo, SoldOut string
	Zones                                     []Zone
}

// Zone is an offer of a Plan.
type Zone struct {
	ID, Name, Price, Capacity, Numbered string
}

// PlanList is a feed of the form of 2025, with each record on a line of its own.
func PlanList(bases ...Base) []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<planList version=\"1.0\">\n<output>\n")
	for _, base := range bases {
		open(&b, "base_plan", "base_plan_id", base.ID, "sell_mode", base.Mode, "organizer_company_id", base.Organizer, "title", base.Title)
		b.WriteString(">\n")
		for _, p := range base.Plans {
			open(&b, "plan", "plan_start_date", p.Start, "plan_end_date", p.End, "plan_id", p.ID,
				"sell_from", p.SellFrom, "sell_to", p.SellTo, "sold_out", p.SoldOut)
			b.WriteString(">")
			for _, z := range p.Zones {
				open(&b, "zone", "zone_id", z.ID, "capacity", z.Capacity, "price", z.Price, "name", z.Name, "numbered", z.Numbered)
				b.WriteString("/>")
			}
			b.WriteString("</plan>\n")
		}
		b.WriteString("</base_plan>\n")
	}
	b.WriteString("</output>\n</planList>\n")
	return b.Bytes()
}

// open writes a start tag without its end, so that the caller may close it as it likes.
func open(b *bytes.Buffer, name string, attributes ...string) {
	b.WriteString("<" + name)
	for attribute := range slices.Chunk(attributes, 2) {
		if attribute[1] == "" {
			continue
		}
		b.WriteString(" " + attribute[0] + `="`)
		_ = xml.EscapeText(b, []byte(attribute[1])) // a Buffer takes everything
		b.WriteString(`"`)
	}
}
