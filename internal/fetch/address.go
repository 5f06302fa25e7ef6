package fetch

import (
	"context"
	"net/netip"
	"syscall"
)

// rule is what the address policy says of one prefix.
type rule struct {
	prefix netip.Prefix
	kind   string
	// lifted says that AllowPrivate permits this prefix: people do run feeds of
	// their own in such networks. In the other prefixes there is never a feed.
	lifted bool
}

func never(prefix, kind string) rule   { return rule{netip.MustParsePrefix(prefix), kind, false} }
func private(prefix, kind string) rule { return rule{netip.MustParsePrefix(prefix), kind, true} }

// refused has the IANA special-purpose registries (RFC 6890) and the metadata
// services of the large clouds. The first rule that matches counts, so metadata
// services come before the private networks that contain them.
//
//nolint:gochecknoglobals // A constant table: Go has no literal for one.
var refused = []rule{
	never("100.100.100.200/32", "cloud metadata"), // Alibaba
	never("168.63.129.16/32", "cloud metadata"),   // Azure, a public address
	never("192.0.0.192/32", "cloud metadata"),     // Oracle
	never("fd00:ec2::/32", "cloud metadata"),      // AWS
	never("fd20:ce::254/128", "cloud metadata"),   // Google
	never("fd00:42::42/128", "cloud metadata"),    // Scaleway
	never("169.254.0.0/16", "link-local or cloud metadata"),
	never("fe80::/10", "link-local"),

	never("0.0.0.0/8", "unspecified"), // Linux connects 0.0.0.0 to the machine itself
	private("127.0.0.0/8", "loopback"),
	private("10.0.0.0/8", "private"),
	private("172.16.0.0/12", "private"),
	private("192.168.0.0/16", "private"),
	private("100.64.0.0/10", "carrier-grade NAT"), // overlay networks use it, too
	private("198.18.0.0/15", "benchmarking"),      // laboratories use it
	never("192.0.0.0/24", "reserved"),
	never("192.0.2.0/24", "documentation"),
	never("198.51.100.0/24", "documentation"),
	never("203.0.113.0/24", "documentation"),
	never("192.88.99.0/24", "6to4 relay"),
	never("224.0.0.0/4", "multicast"),
	never("240.0.0.0/4", "reserved or broadcast"),

	private("::1/128", "loopback"),
	private("fc00::/7", "private"),
	private("fec0::/10", "private"), // site-local, deprecated
	never("::/128", "unspecified"),
	never("ff00::/8", "multicast"),
	never("2001:db8::/32", "documentation"),
	never("3fff::/20", "documentation"),
	never("2001::/23", "reserved"), // Teredo, ORCHID, benchmarking
}

// embedding are the IPv6 prefixes whose addresses contain an IPv4 address, and
// the byte at which it begins. A gateway would connect to the IPv4 address, so
// the policy is applied to that.
//
//nolint:gochecknoglobals // A constant table: Go has no literal for one.
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64, RFC 6052
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // translated, RFC 2765
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4, RFC 3056
}

//nolint:gochecknoglobals // A constant table: Go has no literal for one.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// forbidden returns why addr must not be dialled, or "" if it may be.
func forbidden(addr netip.Addr, allowPrivate bool) string {
	addr = addr.Unmap().WithZone("")
	for _, e := range embedding {
		if e.prefix.Contains(addr) {
			b := addr.As16()
			return forbidden(netip.AddrFrom4([4]byte(b[e.at:e.at+4])), allowPrivate)
		}
	}
	for _, r := range refused {
		if r.prefix.Contains(addr) {
			if r.lifted && allowPrivate {
				return ""
			}
			return r.kind
		}
	}
	if !addr.IsValid() || addr.Is6() && !globalUnicast.Contains(addr) {
		return "reserved" // in IPv6, only the block that is handed out is open
	}
	return ""
}

// guard returns a [net.Dialer] control function that applies the address
// policy. It is called with the address that is about to be connected to, after
// DNS, for every redirect and every retry.
func guard(allowPrivate bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fail(CodeAddress, "the address cannot be read, so it is refused")
		}
		return judge(ap.Addr(), allowPrivate)
	}
}

// judge returns an *Error of CodeAddress for an address that must not be dialled.
func judge(addr netip.Addr, allowPrivate bool) error {
	kind := forbidden(addr, allowPrivate)
	if kind == "" {
		return nil
	}
	if !allowPrivate && forbidden(addr, true) == "" {
		return fail(CodeAddress, "address %s is %s: refused unless the provider has allowPrivateAddresses", addr, kind)
	}
	return fail(CodeAddress, "address %s is %s: always refused", addr, kind)
}
