package simulator

// Feed is one complete feed of the simulated provider, in the order in which it is written.
type Feed struct {
	Series []Series
}

// Series is a base plan: several events under one title.
type Series struct {
	ID        int64
	Title     string
	Organizer int  // organizer_company_id; 0: there is no such attribute, as sometimes in the real feed
	Online    bool // sell_mode
	Events    []Event
}

// Event is a plan: one date of a series. Its ID is unique only within the series.
//
// Times are wall clock readings without a zone, as in the feed. They are texts, because the real feed has days that do not
// exist, which time.Time can't hold.
type Event struct {
	ID       int64
	Start    string // YYYY-MM-DDTHH:MM:SS
	End      string
	SellFrom string
	SellTo   string
	SoldOut  bool
	Offers   []Offer
}

// Offer is a zone: a part of an event with a price. Several offers of an event may have the same ID.
type Offer struct {
	ID       int
	Name     string
	Capacity int
	Cents    int // the price in hundredths of the currency's unit
	Numbered bool
}
