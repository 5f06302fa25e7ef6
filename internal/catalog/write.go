package catalog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Selection is what is wanted of an object: the fields, in this order.
type Selection []Selected

// Selected is a wanted field.
type Selected struct {
	Key  string    // under which it is written
	Name string    // the field's name in the API; typeName for that of the object's type
	Of   Selection // what is wanted of the objects that it holds
}

// typeName is the field that every object has.
const typeName = "__typename"

// ErrUnwritten says that a page has something that can't be written straight from the rows. Events can read such a page.
var ErrUnwritten = errors.New("not written from the rows")

// FieldError is an error in one field of a page.
type FieldError struct {
	Key string
	Err error
}

// Error is the message of the error in the field.
func (e *FieldError) Error() string { return e.Err.Error() }

// Unwrap is the error.
func (e *FieldError) Unwrap() error { return e.Err }

// Layout is how pages of events with a certain selection are written. It is safe for concurrent use.
type Layout struct {
	connection *program
	columns    []string // those that the lists need
	lists      []*program
}

// NewLayout makes the layout of a selection of an EventConnection. It returns ErrUnwritten if anything in the selection can't be written
// from the rows.
func NewLayout(want Selection) (*Layout, error) {
	columns := columns{}
	l := &Layout{}
	var err error
	if l.connection, err = compile(connectionObject, want, &columns); err != nil {
		return nil, err
	}
	for _, s := range l.connection.steps {
		if isList(s.name) {
			l.lists = append(l.lists, s.of)
		}
	}
	l.columns = columns.names
	return l, nil
}

func isList(name string) bool { return name == "nodes" || name == "edges" }

// WriteEvents appends a page of events to b as the JSON of an EventConnection. It reads the same events as Events, but only the columns
// that the layout needs, and makes no Event of them. It returns an *Error if the query is not valid, ErrUnwritten if something in the rows
// can't be written, and a *FieldError if the total could not be counted.
func (c *Catalog) WriteEvents(ctx context.Context, eq EventQuery, l *Layout, b []byte) ([]byte, error) {
	if eq.Now.IsZero() {
		eq.Now = c.clock()
	}
	p, err := eq.place()
	if err != nil {
		return nil, err
	}
	w, _ := writers.Get().(*writer)
	defer writers.Put(w)
	columns := w.begin(p.order, eq.Now, l)
	if rows, ok := c.heldRows(ctx, eq, p, columns); ok {
		err = w.page(l, p, rows)
	} else {
		err = c.writeRows(ctx, w, l, eq, p, columns)
	}
	if err != nil {
		return nil, err
	}
	return c.writePage(ctx, w, l, eq, b)
}

// heldRows are the rows of a page from the mirror; false if they have to be read from the database.
func (c *Catalog) heldRows(ctx context.Context, eq EventQuery, p place, columns []string) (iter.Seq[[][]byte], bool) {
	if p.order.tag != tagStart {
		return nil, false
	}
	s := c.fresh(ctx)
	if s == nil || !eq.isUnfiltered() {
		return nil, false
	}
	rows, ok := s.within(eq.Window, p.stretches()[0], columns)
	if ok {
		c.mirrors.pages.Add(1)
	}
	return rows, ok
}

// writeRows reads the page from the database and writes its rows.
func (c *Catalog) writeRows(ctx context.Context, w *writer, l *Layout, eq EventQuery, p place, columns []string) error {
	r, err := eq.readAt(p, &query{}, columns)
	if err != nil {
		return err
	}
	rows, err := c.pool.Query(ctx, r.sql, r.args...)
	if err != nil {
		return fmt.Errorf("reading events: %w", err)
	}
	defer rows.Close()
	expected := true
	err = w.page(l, p, func(yield func([][]byte) bool) {
		for n := 0; rows.Next(); n++ {
			if n == 0 && !asExpected(rows) {
				expected = false
				return
			}
			if !yield(rows.RawValues()) {
				return
			}
		}
	})
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading events: %w", err)
	}
	if !expected {
		return ErrUnwritten
	}
	return err
}

// asExpected says whether the values come in the forms that the writer reads. A pool may be configured to get all values as text.
func asExpected(rows pgx.Rows) bool {
	for _, column := range rows.FieldDescriptions() {
		switch column.DataTypeOID {
		case pgtype.UUIDOID, pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.NumericOID, pgtype.BoolOID:
			if column.Format != pgx.BinaryFormatCode {
				return false
			}
		case pgtype.JSONBOID, pgtype.TextOID:
			if column.Format != pgx.TextFormatCode {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// writePage writes the connection: its lists, which are written already, and its other fields.
func (c *Catalog) writePage(ctx context.Context, w *writer, l *Layout, eq EventQuery, b []byte) ([]byte, error) {
	w.b = b
	n := 0
	for _, s := range l.connection.steps {
		w.b = append(w.b, s.text...)
		switch {
		case isList(s.name):
			w.b = append(w.b, '[')
			w.b = append(w.b, w.lists[n].b...)
			w.b = append(w.b, ']')
			n++
		case s.name == "totalCount":
			count, err := (&EventPage{list: &list{catalog: c, query: eq}}).TotalCount(ctx)
			if err != nil {
				return nil, &FieldError{Key: s.key, Err: err}
			}
			w.b = strconv.AppendInt(w.b, int64(count), 10)
		case s.of != nil:
			s.of.run(w, nil)
		}
	}
	w.b = append(w.b, l.connection.end...)
	b, w.b = w.b, nil
	return b, nil
}

// program writes the selected fields of an object.
type program struct {
	steps []step
	end   string // what comes after the fields
}

// step writes one field.
type step struct {
	key, name string
	text      string   // what comes before the value: separator and key; for typeName, the value as well
	field     *field   // nil: text is all
	at        []int    // where the field's columns are in the row
	of        *program // for an object, or each object in a list; else nil
}

// columns are what a statement selects.
type columns struct {
	names []string
	fixed bool // no others can be selected
}

// at is the place of a column, or ErrUnwritten if it can't be selected.
func (c *columns) at(name string) (int, error) {
	if c.fixed && !slices.Contains(c.names, name) {
		return 0, ErrUnwritten
	}
	return c.place(name), nil
}

// place is the place of a column, which is added if it was not selected yet.
func (c *columns) place(name string) int {
	i := slices.Index(c.names, name)
	if i < 0 {
		i = len(c.names)
		c.names = append(c.names, name)
	}
	return i
}

// compile makes the program of a selection, and adds the columns that it reads to from.
func compile(o *object, want Selection, from *columns) (*program, error) {
	p := &program{steps: make([]step, 0, len(want)), end: "}"}
	separator := "{"
	for _, selected := range want {
		if slices.ContainsFunc(p.steps, func(s step) bool { return s.key == selected.Key }) {
			continue // GraphQL merges fields with the same key, after validation has made sure that they are the same
		}
		s := step{key: selected.Key, name: selected.Name, text: separator + `"` + selected.Key + `":`}
		separator = ","
		if selected.Name == typeName {
			s.text += `"` + o.name + `"`
			p.steps = append(p.steps, s)
			continue
		}
		f, ok := o.fields[selected.Name]
		if !ok {
			return nil, ErrUnwritten
		}
		s.field = &f
		for _, column := range f.columns {
			at, err := from.at(column)
			if err != nil {
				return nil, err
			}
			s.at = append(s.at, at)
		}
		if f.of != nil {
			inner := from
			if f.list != nil {
				inner = &columns{names: offerColumns[:], fixed: true}
			}
			var err error
			if s.of, err = compile(f.of, selected.Of, inner); err != nil {
				return nil, err
			}
		}
		p.steps = append(p.steps, s)
	}
	if len(p.steps) == 0 {
		p.end = "{}"
	}
	return p, nil
}

// run writes one object from its row.
func (p *program) run(w *writer, row [][]byte) {
	for i := range p.steps {
		s := &p.steps[i]
		w.b = append(w.b, s.text...)
		switch {
		case s.field == nil:
		case s.field.list != nil:
			s.field.list(w, s.of, w.values(row, s.at))
		case s.of == nil:
			s.field.write(w, w.values(row, s.at))
		case len(s.at) > 0 && !slices.ContainsFunc(s.at, func(i int) bool { return len(row[i]) > 0 }):
			w.null()
		default:
			s.of.run(w, row)
		}
	}
	w.b = append(w.b, p.end...)
}

//nolint:gochecknoglobals // writers are used again for their buffers; they keep nothing else of a page
var writers = sync.Pool{New: func() any { return &writer{} }}
