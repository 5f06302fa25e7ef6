package simulator

// Feed is one complete answer of the simulated provider, in the order in which it is written.
type Feed struct {
	Series []Series
}

// Series is a base plan: what groups events under one title.
type Series struct {
	ID        int64
	Title     string
	Organizer int  // organizer_company_id; 0 leaves the attribute out, as the real feed sometimes does
	Online    bool // sell_mode
	Events    []Event
}

// Event is a plan: one dated happening. Its ID is unique within its series only.
//
// Times are wall clock without a zone, as on the wire. They are text, because the real feed contains days that do not
// exist and time.Time cannot hold those.
type Event struct {
	ID       int64
	Start    string // YYYY-MM-DDTHH:MM:SS
	End      string
	SellFrom string
	SellTo   string
	SoldOut  bool
	Offers   []Offer
}

// Offer is a zone: a priced part of an event. Its ID may occur more than once within an event.
type Offer struct {
	ID       int
	Name     string
	Capacity int
	Cents    int // price in hundredths
	Numbered bool
}
