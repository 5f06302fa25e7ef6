package catalog

// A page of events can be written as JSON straight from the rows, see WriteEvents. This is what is known of each
// field for that. A new field of the API's Event is one line in eventObject; one that can't be written (it has
// arguments, or wants another statement) stays out of it, and pages that select it are left to the resolvers.

// object is a kind of object that can be written: its name, and its fields by theirs.
type object struct {
	name   string
	fields map[string]field
}

// field is how one field of an object is written: a value by write, an object by of.
type field struct {
	columns []string                         // what it is made of, as selected
	write   func(w *writer, values [][]byte) // takes the columns' values as PostgreSQL sends them, nil for NULL
	of      *object                          // null if all columns are null or empty, unless there are none
	list    func(w *writer, each *program, values [][]byte)
}

func scalar(write func(w *writer, values [][]byte), columns ...string) field {
	return field{columns: columns, write: write}
}

//nolint:gochecknoglobals // constant tables
var (
	connectionObject = &object{"EventConnection", map[string]field{
		"nodes":      {of: eventObject},
		"edges":      {of: edgeObject},
		"pageInfo":   {of: pageInfoObject},
		"totalCount": {},
	}}
	// What it is made of is known when the page has been read, see page.info.
	pageInfoObject = &object{"PageInfo", map[string]field{
		"hasNextPage":     {write: func(w *writer, _ [][]byte) { w.flag(w.info.HasNextPage) }},
		"hasPreviousPage": {write: func(w *writer, _ [][]byte) { w.flag(w.info.HasPreviousPage) }},
		"startCursor":     {write: func(w *writer, _ [][]byte) { w.word(w.info.StartCursor) }},
		"endCursor":       {write: func(w *writer, _ [][]byte) { w.word(w.info.EndCursor) }},
	}}
	edgeObject = &object{"EventEdge", map[string]field{
		"cursor": {write: (*writer).cursor}, // of the row's position, which is read anyway
		"node":   {of: eventObject},
	}}
	eventObject = &object{"Event", map[string]field{
		"id":          scalar((*writer).id, "id"),
		"title":       scalar((*writer).text, "title"),
		"description": scalar((*writer).given, "description"),
		"url":         scalar((*writer).given, "url"),
		"imageUrl":    scalar((*writer).given, "image_url"),
		"categories":  scalar((*writer).strings, "categories"),

		"startsAt":    scalar((*writer).instant, "starts_at"),
		"endsAt":      scalar((*writer).instant, "ends_at"),
		"startsLocal": scalar((*writer).local, "starts_local"),
		"endsLocal":   scalar((*writer).local, "ends_local"),
		"timeZone":    scalar((*writer).text, "time_zone"),
		"allDay":      scalar((*writer).boolean, "all_day"),

		"status":         scalar((*writer).text, "status"),
		"attendanceMode": scalar((*writer).text, "attendance_mode"),
		"availability": scalar((*writer).availability, "status", "starts_at", "ends_at", "sale_starts_at", "sale_ends_at",
			"no_seats_left", "sold_out", "online", "removed_at", "min_price"),
		"saleStartsAt": scalar((*writer).instant, "sale_starts_at"),
		"saleEndsAt":   scalar((*writer).instant, "sale_ends_at"),
		"minPrice":     money("min_price", (*writer).decimal),
		"maxPrice":     money("max_price", (*writer).decimal),
		"offers":       {columns: []string{"offers", "currency"}, of: offerObject, list: (*writer).offers},

		"series":     {columns: []string{"series_id"}, of: seriesObject},
		"place":      {columns: []string{"place_name", "place_address", "place_city", "place_country"}, of: placeObject},
		"organizer":  scalar((*writer).given, "organizer"),
		"provider":   {columns: []string{"provider_id"}, of: providerObject},
		"externalId": scalar((*writer).text, "external_id"),
		"attributes": scalar((*writer).json, "attributes"),

		"firstSeenAt": scalar((*writer).instant, "first_seen_at"),
		"lastSeenAt":  scalar((*writer).instant, lastSeen),
		"updatedAt":   scalar((*writer).instant, "updated_at"),
		"removedAt":   scalar((*writer).instant, "removed_at"),
	}}
	placeObject = &object{"Place", map[string]field{
		"name":    scalar((*writer).given, "place_name"),
		"address": scalar((*writer).given, "place_address"),
		"city":    scalar((*writer).given, "place_city"),
		"country": scalar((*writer).given, "place_country"),
	}}
	// The columns of an offer are the keys of its JSON, and the event's currency; see writer.offers.
	offerObject = &object{"Offer", map[string]field{
		"externalId": scalar((*writer).jsonGiven, "id"),
		"name":       scalar((*writer).jsonGiven, "name"),
		"price":      money("price", (*writer).jsonDecimal),
		"capacity":   scalar((*writer).jsonInt32, "capacity"),
		"numbered":   scalar((*writer).json, "numbered"),
	}}
	seriesObject = &object{"EventSeries", map[string]field{
		"id":         scalar((*writer).id, "series_id"),
		"title":      scalar((*writer).text, "(SELECT title FROM series WHERE series.id = events.series_id)"),
		"externalId": scalar((*writer).text, "(SELECT external_id FROM series WHERE series.id = events.series_id)"),
	}}
	providerObject = &object{"Provider", map[string]field{
		"id":       scalar((*writer).id, "provider_id"),
		"slug":     scalar((*writer).text, slugColumn),
		"name":     scalar((*writer).text, "(SELECT name FROM providers WHERE providers.id = events.provider_id)"),
		"format":   scalar((*writer).text, "(SELECT format FROM providers WHERE providers.id = events.provider_id)"),
		"timeZone": scalar((*writer).text, "(SELECT time_zone FROM providers WHERE providers.id = events.provider_id)"),
		"currency": scalar((*writer).text, "(SELECT currency FROM providers WHERE providers.id = events.provider_id)"),
	}}
)

// slugColumn is the provider's slug. It never changes, since the provider's id is computed from it.
const slugColumn = "(SELECT slug FROM providers WHERE providers.id = events.provider_id)"

// Writes says whether WriteEvents can write a field of a type, by the names in the SDL.
func Writes(typeName, fieldName string) bool {
	for _, o := range [...]*object{connectionObject, pageInfoObject, edgeObject, eventObject, placeObject, offerObject, seriesObject, providerObject, money("", nil).of} {
		if o.name == typeName {
			_, ok := o.fields[fieldName]
			return ok
		}
	}
	return false
}

// money is an amount in the event's currency.
func money(column string, amount func(w *writer, values [][]byte)) field {
	return field{columns: []string{column}, of: &object{"Money", map[string]field{
		"amount":   scalar(amount, column),
		"currency": scalar((*writer).text, "currency"),
	}}}
}
