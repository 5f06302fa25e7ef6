package fetch

import (
	"bufio"
	"io"

	"github.com/zeebo/xxh3"
)

// ratioFrom is how many bytes must be unpacked before [Limits.Ratio] is checked.
const ratioFrom = 1 << 20

// receive reads a body to its end: it counts, unpacks, bounds, hashes and spools
// it, and checks that it can be a feed at all. note, if not nil, is called with
// the number of bytes unpacked so far.
func receive(in *capped, encoding, contentType string, limits Limits, dir string, note func(unpacked int64)) (_ *Snapshot, err error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	body, packed, err := unpack(buffered, encoding)
	if err != nil {
		return nil, unpackError(err, in)
	}
	defer body.Close()

	sp := &spool{limit: limits.MemoryBytes, dir: dir}
	defer func() {
		if err != nil {
			sp.Close() // the first error is the one to report
		}
	}()

	hash := xxh3.New()
	head := make([]byte, 0, sniffBytes)
	chunk := make([]byte, 64<<10)
	for {
		n, readErr := body.Read(chunk)
		part := chunk[:n]
		if sp.size+int64(n) > limits.Bytes {
			return nil, fail(CodeTooLarge, "the body has more than %d bytes unpacked", limits.Bytes)
		}
		if unpacked := sp.size + int64(n); packed && unpacked > ratioFrom && float64(unpacked) > limits.Ratio*float64(in.n) {
			return nil, fail(CodeRatio, "unpacks to more than %g times its size", limits.Ratio)
		}
		if len(head) < sniffBytes {
			head = append(head, part[:min(n, sniffBytes-len(head))]...)
			// The beginning of a page is enough to know it.
			if (len(head) == sniffBytes || readErr == io.EOF) && isHTML(contentType, head) {
				return nil, fail(CodeHTML, "a web page (HTML) came instead of a feed")
			}
		}
		hash.Write(part)
		if _, err := sp.Write(part); err != nil {
			return nil, err
		}
		if note != nil {
			note(sp.size)
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			return nil, unpackError(readErr, in)
		}
	}
	// A decoder stops where its format ends. The body has to end there, too.
	if _, err := buffered.ReadByte(); err == nil {
		return nil, fail(CodeCorrupt, "bytes follow the end of the packed body")
	} else if err != io.EOF {
		return nil, err
	}
	if sp.size <= sniffBytes && isBlank(head) {
		return nil, fail(CodeEmpty, "the body is empty")
	}
	return &Snapshot{
		WireSize: in.n,
		Size:     sp.size,
		Hash:     hash.Sum128().Bytes(),
		spool:    sp,
	}, nil
}
