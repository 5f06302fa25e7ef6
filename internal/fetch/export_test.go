package fetch

import (
	"context"
	"net"
)

var (
	Forbidden  = forbidden
	NextCheck  = nextCheck
	RetryAfter = retryAfter
	IsHTML     = isHTML
)

// SetDial replaces the dialer, and with it the address policy.
func (c *Client) SetDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.dial = dial
}
