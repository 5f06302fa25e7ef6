package simulator

import (
	"net/http"
	"time"
)

// Faults says how the provider misbehaves; fields that are 0 mean the defaults.
type Faults struct {
	OneIn int           // one of so many requests gets a fault; at least 2, default 3
	Hang  time.Duration // after which a hanging answer is given up; default 2 minutes, which is also the most
	Drip  int           // bytes a second of a slow answer; default 2,048
}

const maxHang = 2 * time.Minute

func (f Faults) withDefaults() Faults {
	if f.OneIn == 0 {
		f.OneIn = 3
	}
	f.OneIn = max(2, f.OneIn)
	if f.Hang <= 0 || f.Hang > maxHang {
		f.Hang = maxHang
	}
	if f.Drip <= 0 {
		f.Drip = 2048
	}
	return f
}

// Fault is a fault that an answer may have.
type Fault int

// The faults, in the order in which they follow each other.
const (
	FaultNone        Fault = iota
	FaultServerError       // status 500
	FaultHang              // no answer, until the client or the provider gives up
	FaultHalfBody          // only half of the body that Content-Length announces
	FaultHTML              // a login page, with status 200
	FaultEmpty             // an empty body, with status 200
	FaultUnavailable       // status 503, with Retry-After
	FaultDrip              // the right answer, slowly
	faultKinds       = iota - 1
)

// Of returns the fault of the answer to the n-th request, from 0. Of each OneIn consecutive requests exactly one gets a fault, and never
// the first of them: so the very first answer is good, and after a fault the next try succeeds. All kinds of fault follow each other.
func (f Faults) Of(seed uint64, n uint64) Fault {
	f = f.withDefaults()
	oneIn := uint64(f.OneIn)
	block := n / oneIn
	if n%oneIn != 1+hash(seed, block)%(oneIn-1) {
		return FaultNone
	}
	return 1 + Fault((block+hash(seed)%faultKinds)%faultKinds)
}

const loginPage = `<!DOCTYPE html>
<html><head><title>Sign in</title></head><body><h1>Your session has expired</h1><p>Please sign in again.<br></body></html>
`

// spoil turns the right answer into the faulty one.
func (f Faults) spoil(fault Fault, right answer) answer {
	switch fault {
	case FaultServerError:
		return whole(http.StatusInternalServerError, textPlain, []byte("java.lang.NullPointerException\n"))
	case FaultHang:
		return answer{delay: f.withDefaults().Hang, abandon: true}
	case FaultHalfBody:
		right.truncateAt = len(right.body) / 2
	case FaultHTML:
		return whole(http.StatusOK, textHTML, []byte(loginPage))
	case FaultEmpty:
		return whole(http.StatusOK, applicationXML, nil)
	case FaultUnavailable:
		a := whole(http.StatusServiceUnavailable, textPlain, []byte("Down for maintenance\n"))
		a.header.Set("Retry-After", "5")
		return a
	case FaultDrip:
		right.drip = f.withDefaults().Drip
	case FaultNone:
	}
	return right
}
