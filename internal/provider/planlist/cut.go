package planlist

import (
	"fmt"
	"io"
	"iter"

	"github.com/zeebo/xxh3"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/xmlstream"
)

// batchBytes is about how much of the feed is read at once.
const batchBytes = 128 << 10

// batch is some consecutive plans, and the records that are made of them.
type batch struct {
	bytes   []byte // of the plans that are not known
	plans   []rawPlan
	unknown int            // how many plans are not known
	records []event.Record // those of the plans that are not known
	err     error          // ends the snapshot after the plans
}

// rawPlan is a plan that has been cut out of the document, but not read.
type rawPlan struct {
	base     *base
	place    event.Position
	from, to int              // where it is in the batch's bytes
	known    bool             // it need not be read, so its bytes are not in the batch
	hash     event.RecordHash // if it is known
	number   int              // what Skip.Known said, if it is known
}

// cutter cuts a document into plans.
type cutter struct {
	skip    event.Skip
	salt    uint64 // skip.Salt, digested
	scanner *xmlstream.Scanner
	dialect dialect
	base    *base            // the base plan that is open, or nil
	bases   int              // how many base plans the snapshot has had so far
	plans   int              // how many plans the base plan has had so far
	hash    event.RecordHash // of the plan about which Skip.Known was asked last
	number  int              // its answer
	batch   *batch
}

// cut cuts a document into batches of plans. An error is in the last batch.
func cut(r io.Reader, skip event.Skip) iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		c := cutter{skip: skip, salt: xxh3.HashString(skip.Salt), batch: &batch{}}
		var err error
		if c.scanner, err = xmlstream.NewScanner(r, planDepth); err != nil {
			yield(&batch{err: err})
			return
		}
		if skip.Known != nil {
			c.scanner.Known = c.known
		}
		for {
			node, err := c.scanner.Next()
			if err == nil {
				err = c.node(node)
			}
			switch {
			case err == io.EOF: //nolint:errorlint // io.EOF comes bare; one that is wrapped is a reader's failure.
				yield(c.batch)
				return
			case err != nil:
				c.batch.err = err
				yield(c.batch)
				return
			case len(c.batch.bytes) < batchBytes && len(c.batch.plans) < batchBytes/256:
				continue
			}
			if !yield(c.batch) {
				return
			}
			c.batch = &batch{plans: make([]rawPlan, 0, len(c.batch.plans))} // about as many as in the last one
		}
	}
}

func (c *cutter) node(node xmlstream.Node) error {
	switch node.Kind {
	case xmlstream.Open:
		if err := c.container(node); err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
	case xmlstream.Record:
		if c.base != nil && node.Name == c.dialect.plan { // other elements are ignored: the feed may get new ones
			c.take(node)
		}
	case xmlstream.Close:
		if node.Depth == baseDepth {
			c.base = nil
		}
	}
	return nil
}

func (c *cutter) container(node xmlstream.Node) error {
	switch node.Depth {
	case rootDepth:
		var known bool
		if c.dialect, known = dialectOf(node.Name); !known {
			return fmt.Errorf("the root element is <%s>, not <planList> or <eventList>: %w", event.Excerpt(node.Name, 40), event.ErrMalformed)
		}
	case baseDepth:
		if node.Name != c.dialect.base {
			return nil
		}
		c.bases++
		c.plans = 0
		c.base = newBase(&c.dialect, node.Attributes)
		c.base.seed = xxh3.HashSeed(node.Bytes, c.salt)
	}
	return nil
}

// known reports whether a record need not be read. Only plans are ever known, since no other element gets a hash that could be.
func (c *cutter) known(element []byte) (known bool) {
	if c.base == nil {
		return false
	}
	c.hash = c.base.hash(element)
	c.number, known = c.skip.Known(c.hash)
	return known
}

// take adds a plan to the batch.
func (c *cutter) take(node xmlstream.Node) {
	c.plans++
	b := c.batch
	p := rawPlan{
		base: c.base, known: node.Known, from: len(b.bytes),
		place: event.Position{Path: c.dialect.path, Index: [2]int32{int32(c.bases), int32(c.plans)}, Line: int32(node.Line)},
	}
	if node.Known {
		p.hash, p.number = c.hash, c.number
	} else {
		b.unknown++
		if b.bytes == nil {
			b.bytes = make([]byte, 0, batchBytes+batchBytes/8)
		}
		b.bytes = append(b.bytes, node.Bytes...)
	}
	p.to = len(b.bytes)
	b.plans = append(b.plans, p)
}

// hash is a digest of a plan's element and, by the seed, of its base plan's start tag, the decoder and its settings.
func (b *base) hash(element []byte) event.RecordHash {
	return xxh3.Hash128Seed(element, b.seed).Bytes()
}
