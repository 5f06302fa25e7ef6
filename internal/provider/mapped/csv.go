package mapped

import (
	"bufio"
	"bytes"
	"cmp"
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

// maxColumns bounds how many columns a table has.
const maxColumns = 1_000

// table reads CSV files (RFC 4180): the first row names the columns, each other row becomes an object of texts.
// Cells that a row lacks, and those of columns without a name, are left out. A row is refused if it has cells beyond the last column that
// are not empty.
type table struct {
	separator rune              // 0: the one that the header line shows
	charset   encoding.Encoding // nil: UTF-8
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

// read reads a whole document as a list of rows. A fault of one row is one of the document.
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
		rows, err := t.open(limited)
		for err == nil {
			limited.left = t.limits.Record
			var rec record
			if rec, err = rows.next(); err == nil && !yield(rec, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(record{}, badCSV(err))
		}
	}
}

// rows reads the rows after the header line.
type rows struct {
	*csv.Reader
	columns []string // their names, empty for a column without one
	tape    *tape    // what Reader reads
}

// next reads one row. A misplaced quote is the fault of its row, and reading goes on with the next row; but not if the quote may have
// opened a cell in an earlier line, since it is not known then where rows begin.
func (r *rows) next() (record, error) {
	cells, err := r.Read()
	text := bytes.TrimLeft(r.tape.upTo(r.InputOffset()), "\r\n")
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok && oneRows(syntax, text) {
		rec := record{place: fmt.Sprintf("line %d", syntax.StartLine), fault: syntax.Err}
		lenient := csv.NewReader(bytes.NewReader(text))
		lenient.Comma, lenient.LazyQuotes = r.Comma, true
		if cells, err := lenient.Read(); err == nil { // so that the record's key may be found
			rec.value = r.object(cells)
		}
		return rec, nil
	}
	if err != nil {
		return record{}, err
	}
	line, _ := r.FieldPos(0)
	rec := record{value: r.object(cells), place: fmt.Sprintf("line %d", line)}
	if len(cells) > len(r.columns) && strings.TrimSpace(strings.Join(cells[len(r.columns):], "")) != "" {
		rec.fault = fmt.Errorf("%d cells in a table of %d columns", len(cells), len(r.columns))
	}
	return rec, nil
}

// oneRows reports whether a fault is that of one row only, given the row's text.
func oneRows(fault *csv.ParseError, text []byte) bool {
	switch {
	case errors.Is(fault, csv.ErrBareQuote):
		return true
	case errors.Is(fault, csv.ErrQuote):
		return fault.StartLine == fault.Line && fault.Column <= len(text) && text[fault.Column-1] == '"' // else the file ends within quotes
	default:
		return false
	}
}

// object is a row's cells by the names of their columns.
func (r *rows) object(cells []string) map[string]any {
	row := make(map[string]any, len(r.columns))
	for i, name := range r.columns[:min(len(cells), len(r.columns))] {
		if name != "" {
			row[name] = cells[i]
		}
	}
	return row
}

// tape keeps what was read of r, from the offset of the last call of upTo.
type tape struct {
	r    io.Reader
	kept []byte
	from int64 // the offset of kept in r
}

func (t *tape) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.kept = append(t.kept, p[:n]...)
	return n, err
}

// upTo returns what was kept before an offset, and drops it. It is valid until the next Read.
func (t *tape) upTo(offset int64) []byte {
	n := min(int(offset-t.from), len(t.kept))
	text := t.kept[:n]
	t.kept, t.from = t.kept[n:], t.from+int64(n)
	return text
}

// open reads the header line, and the line sep=; above it if there is one.
func (t table) open(r io.Reader) (*rows, error) {
	charset := encoding.Nop // bytes that are not UTF-8 are found when their event is checked
	if t.charset != nil {
		charset = t.charset
	}
	const headerBytes = 64 << 10
	buffered := bufio.NewReaderSize(transform.NewReader(r, unicode.BOMOverride(charset.NewDecoder())), headerBytes)
	head, err := buffered.Peek(headerBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var separator rune
	if n := len("sep=;"); len(head) > n && strings.EqualFold(string(head[:n-1]), "sep=") && (head[n] == '\r' || head[n] == '\n') {
		separator = rune(head[n-1]) // Excel reads and writes this line; its line end stays, so that later lines keep their numbers
		head = head[n:]
		_, _ = buffered.Discard(n) // what is buffered can always be discarded
	}
	header := unquoted(head)
	if bytes.ContainsRune(bytes.TrimSuffix(header, []byte("\r")), '\r') {
		return nil, malformed("its lines end with CR alone")
	}
	tape := &tape{r: buffered}
	reader := csv.NewReader(tape)
	reader.ReuseRecord = true
	reader.FieldsPerRecord = -1
	if reader.Comma = cmp.Or(t.separator, separator); reader.Comma == 0 {
		reader.Comma = guess(header)
	}
	cells, err := reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, malformed("it is empty: there is no header line")
	case err != nil:
		return nil, err
	case len(cells) > maxColumns:
		return nil, malformed("a table of more than %d columns", maxColumns)
	case len(cells) == 1:
		return nil, malformed("%q is not a header line: a table has more than one column; csv.separator may help", event.Excerpt(cells[0], 80))
	}
	columns := make([]string, len(cells))
	seen := map[string]bool{}
	for i, name := range cells {
		if columns[i] = strings.Clone(strings.TrimSpace(name)); columns[i] != "" && seen[columns[i]] {
			return nil, malformed("two columns are named %q", event.Excerpt(columns[i], 40))
		}
		seen[columns[i]] = true
	}
	tape.upTo(reader.InputOffset())
	return &rows{reader, columns, tape}, nil
}

// unquoted is the part of the first row that is outside quotes, without the line end: a quoted cell may have separators and line ends.
func unquoted(text []byte) []byte {
	var out []byte
	for text = bytes.TrimLeft(text, "\r\n"); ; { // csv.Reader skips empty lines, too
		line, quoted, opens := bytes.Cut(text, []byte(`"`))
		line, _, ends := bytes.Cut(line, []byte("\n"))
		out = append(out, line...)
		if ends || !opens {
			return out
		}
		if _, text, opens = bytes.Cut(quoted, []byte(`"`)); !opens {
			return out
		}
	}
}

// guess is the most frequent separator in the header, given the part of it that is outside quotes.
func guess(header []byte) rune {
	best, most := ',', 0
	for _, separator := range ",;\t|" {
		if count := bytes.Count(header, []byte(string(separator))); count > most {
			best, most = separator, count
		}
	}
	return best
}

// badCSV makes a fault of the feed malformed, and returns an error of reading it as it is.
func badCSV(err error) error {
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
		return malformed("line %d: %w", syntax.Line, syntax.Err)
	}
	return err
}
