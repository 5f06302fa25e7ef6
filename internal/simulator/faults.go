package simulator

import (
	"net/http"
	"time"
)

// Faults tunes how the provider misbehaves; zero fields take their defaults.
type Faults struct {
	OneIn int           // one request of so many goes wrong; default 3, at least 2
	Hang  time.Duration // how long a hanging answer takes to come to nothing; default and most 2 minutes
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

// Fault is a way in which bad providers answer.
type Fault int

// The faults, in the order in which they take their turn.
const (
	FaultNone        Fault = iota
	FaultServerError       // 500
	FaultHang              // nothing, until the client gives up
	FaultHalfBody          // the full length is promised, half of it comes
	FaultHTML              // a login page, with 200
	FaultEmpty             // 200 and nothing else
	FaultUnavailable       // 503 with Retry-After
	FaultDrip              // the right answer, slowly
	faultKinds       = iota - 1
)

// Of says how the n-th request (from 0) fails, if it does. Each run of OneIn requests has exactly one fault and never
// begins with it: so the first answer is good, and one more try after a fault helps. All kinds take their turn.
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
