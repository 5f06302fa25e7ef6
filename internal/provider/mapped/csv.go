package mapped

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/aledotdev/marquee/internal/event"
)

// maxColumns bounds what an object of a row may hold.
const maxColumns = 1_000

// table reads CSV files (RFC 4180): the first line names the columns, each other one becomes an object of texts.
// Cells that a row lacks, or that have no name, are left out; a row with more cells than there are columns is refused.
type table struct {
	separator rune // 0: by the header line
	charset   encoding.Encoding
	limits    Limits
}

func (s Settings) table() (table, error) {
	t := table{limits: s.Limits}
	if s.Separator != "" {
		separator, size := utf8.DecodeRuneInString(s.Separator)
		if size != len(s.Separator) || separator == utf8.RuneError || strings.ContainsRune("\"\r\n", separator) {
			return t, &SettingError{Setting: "csv.separator", Err: fmt.Errorf("%q: want one character, no quote and no line end", s.Separator)}
		}
		t.separator = separator
	}
	if s.Charset != "" {
		var err error
		if t.charset, err = htmlindex.Get(s.Charset); err != nil || t.charset == encoding.Replacement {
			return t, &SettingError{Setting: "csv.charset", Err: fmt.Errorf("%q: want an IANA name such as windows-1252", s.Charset)}
		}
	}
	return t, nil
}

// read reads a document whole, as a list of rows.
func (t table) read(r io.Reader) (any, error) {
	rows := []any{}
	for row, err := range t.stream(&limitedReader{r: r, left: t.limits.Document, what: "a document"}) {
		if err == nil && row.fault != nil {
			err = malformed("%s: %w", row.place, row.fault)
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row.value)
	}
	return rows, nil
}

// stream reads row by row.
func (t table) stream(r io.Reader) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		limited := &limitedReader{r: r, left: t.limits.Record, what: "a row"}
		reader, columns, err := t.open(limited)
		for err == nil {
			limited.left = t.limits.Record
			var cells []string
			cells, err = reader.Read()
			var syntax *csv.ParseError
			if errors.As(err, &syntax) && errors.Is(err, csv.ErrBareQuote) { // the row's fault: the next one is whole
				if !yield(record{place: fmt.Sprintf("line %d", syntax.StartLine), fault: syntax.Err}, nil) {
					return
				}
				err = nil
				continue
			}
			if err != nil {
				break
			}
			line, _ := reader.FieldPos(0)
			row := make(map[string]any, len(columns))
			for i, name := range columns[:min(len(cells), len(columns))] {
				if name != "" {
					row[name] = cells[i]
				}
			}
			rec := record{value: row, place: fmt.Sprintf("line %d", line)}
			if len(cells) > len(columns) && strings.TrimSpace(strings.Join(cells[len(columns):], "")) != "" {
				rec.fault = fmt.Errorf("%d cells in a table of %d columns", len(cells), len(columns))
			}
			if !yield(rec, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(record{}, badCSV(err))
		}
	}
}

// open reads the header line. An empty file has none, and no rows.
func (t table) open(r io.Reader) (*csv.Reader, []string, error) {
	charset := encoding.Nop // what is no UTF-8 is one record's fault
	if t.charset != nil {
		charset = t.charset
	}
	const headerBytes = 64 << 10
	buffered := bufio.NewReaderSize(transform.NewReader(r, unicode.BOMOverride(charset.NewDecoder())), headerBytes)
	head, err := buffered.Peek(headerBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	reader := csv.NewReader(buffered)
	reader.ReuseRecord = true
	reader.FieldsPerRecord = -1
	if reader.Comma = t.separator; t.separator == 0 {
		line, _, _ := strings.Cut(string(head), "\n")
		reader.Comma = guess(line)
	}
	cells, err := reader.Read()
	if err != nil {
		return nil, nil, err
	}
	if len(cells) > maxColumns {
		return nil, nil, malformed("a table of more than %d columns", maxColumns)
	}
	columns := make([]string, len(cells))
	seen := map[string]bool{}
	for i, name := range cells {
		if columns[i] = strings.Clone(strings.TrimSpace(name)); columns[i] != "" && seen[columns[i]] {
			return nil, nil, malformed("two columns are named %q", event.Excerpt(columns[i], 40))
		}
		seen[columns[i]] = true
	}
	return reader, columns, nil
}

// guess is the separator which the line has most of outside quotes.
func guess(line string) rune {
	best, most := ',', 0
	for _, separator := range ",;\t|" {
		count := 0
		for i, part := range strings.Split(line, `"`) {
			if i%2 == 0 {
				count += strings.Count(part, string(separator))
			}
		}
		if count > most {
			best, most = separator, count
		}
	}
	return best
}

// badCSV tells the feed's faults from those of reading it.
func badCSV(err error) error {
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
		return malformed("line %d: %w", syntax.Line, syntax.Err)
	}
	return err
}
