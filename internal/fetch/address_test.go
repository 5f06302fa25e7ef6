package fetch_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/internal/fetch"
)

func TestAddressPolicy(t *testing.T) {
	t.Parallel()
	const (
		open    = iota // always
		private        // with AllowPrivate
		never
	)
	for address, want := range map[string]int{
		"1.1.1.1": open, "8.8.8.8": open, "100.63.255.255": open, "100.128.0.0": open, "172.15.255.255": open,
		"172.32.0.0": open, "192.167.255.255": open, "223.255.255.255": open, "198.17.255.255": open, "198.20.0.0": open,
		"2606:4700::1111": open, "2a00:1450:4001::200e": open, "2001:200::1": open, "2620:4f:8000::1": open,
		"::ffff:8.8.8.8": open, "64:ff9b::808:808": open, "2002:808:808::1": open,

		"127.0.0.1": private, "127.255.255.255": private, "::1": private, "::ffff:127.0.0.1": private,
		"10.0.0.1": private, "172.16.0.1": private, "172.31.255.255": private, "192.168.1.1": private,
		"100.64.0.1": private, "100.127.255.255": private, "198.18.0.1": private, "198.19.255.255": private,
		"fc00::1": private, "fd12:3456::1": private, "fec0::1": private,
		"64:ff9b::10.0.0.1": private, "64:ff9b::7f00:1": private, "2002:7f00:1::": private, "2002:a00:1::1": private,
		"::ffff:0:127.0.0.1": private,

		"169.254.169.254": never, "169.254.170.2": never, "169.254.0.1": never, "::ffff:169.254.169.254": never,
		"64:ff9b::169.254.169.254": never, "2002:a9fe:a9fe::1": never, "::ffff:0:169.254.169.254": never,
		"fd00:ec2::254": never, "fd00:ec2::23": never, "fd20:ce::254": never, "fd00:42::42": never,
		"100.100.100.200": never, "168.63.129.16": never, "192.0.0.192": never,
		"fe80::1": never, "fe80::1%eth0": never, "febf::1": never,
		"0.0.0.0": never, "0.1.2.3": never, "::": never, "::ffff:0.0.0.0": never,
		"224.0.0.1": never, "239.255.255.255": never, "255.255.255.255": never, "240.0.0.1": never, "ff02::1": never,
		"192.0.0.1": never, "192.0.2.1": never, "198.51.100.1": never, "203.0.113.1": never, "192.88.99.1": never,
		"2001:db8::1": never, "3fff::1": never, "2001::1": never, "2001:10::1": never, "100::1": never, "5f00::1": never,
		"::7f00:1": never, "64:ff9b:1::1": never, "4000::1": never,
	} {
		addr := netip.MustParseAddr(address)
		public, inside := fetch.Forbidden(addr, false), fetch.Forbidden(addr, true)
		if (public == "") != (want == open) || (inside == "") != (want <= private) {
			t.Errorf("%s: refused as %q, with AllowPrivate as %q", address, public, inside)
		}
	}
	if fetch.Forbidden(netip.Addr{}, true) == "" {
		t.Error("the zero address is open")
	}
}

func TestAddressRefused(t *testing.T) {
	t.Parallel()
	local := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a refused address was asked") })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(local, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url          string
		allowPrivate bool
		hint         string
	}{
		{local, false, "allowPrivateAddresses"},
		{"http://localhost:" + port, false, "allowPrivateAddresses"},
		{"http://[::ffff:127.0.0.1]:" + port, false, "allowPrivateAddresses"},
		{"http://169.254.169.254/latest/meta-data/", false, "always refused"},
		{"http://169.254.169.254/latest/meta-data/", true, "always refused"},
		{"http://[fd00:ec2::254]/", true, "always refused"},
		{"http://0.0.0.0:" + port, true, "always refused"},
	} {
		_, err := fetch.New(fetch.Options{}).Get(t.Context(), fetch.Request{URL: c.url, AllowPrivate: c.allowPrivate}, nil)
		e := wantCode(t, err, fetch.CodeAddress, false)
		if e.Attempts != 1 || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: %v (%d attempts)", c.url, err, e.Attempts)
		}
	}
}

// The name looks public until it resolves to a private address, as in DNS
// rebinding.
func TestAddressRefusedBehindName(t *testing.T) {
	t.Parallel()
	local := serve(t, body([]byte(feed)))
	feedURL := strings.Replace(local, "127.0.0.1", "feed.example", 1)
	client := fetch.New(fetch.Options{Resolver: resolver(netip.MustParseAddr("127.0.0.1"))})

	_, err := client.Get(t.Context(), fetch.Request{URL: feedURL}, nil)
	wantCode(t, err, fetch.CodeAddress, false)

	snap, err := client.Get(t.Context(), fetch.Request{URL: feedURL, AllowPrivate: true}, nil)
	if err != nil {
		t.Fatal(err) // the resolver of this test does not work
	}
	defer snap.Close()

	metadata := fetch.New(fetch.Options{Resolver: resolver(netip.MustParseAddr("169.254.169.254"))})
	_, err = metadata.Get(t.Context(), fetch.Request{URL: feedURL, AllowPrivate: true}, nil)
	wantCode(t, err, fetch.CodeAddress, false)
}

func TestProxy(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	proxy, err := url.Parse(serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		_, _ = io.WriteString(w, feed)
	}))
	if err != nil {
		t.Fatal(err)
	}
	client := fetch.New(fetch.Options{Proxy: proxy})
	snap, err := client.Get(t.Context(), fetch.Request{URL: "http://feed.example/x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	if got := <-asked; got != "http://feed.example/x" {
		t.Errorf("the proxy was asked for %s", got)
	}
	_, err = client.Get(t.Context(), fetch.Request{URL: "http://169.254.169.254/"}, nil)
	wantCode(t, err, fetch.CodeAddress, false)
}

// resolver answers every question for an IPv4 address with addr.
func resolver(addr netip.Addr) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe() // no packets, so DNS goes framed as over TCP
		go func() {
			defer server.Close()
			for answerDNS(server, addr) == nil {
			}
		}()
		return client, nil
	}}
}

func answerDNS(conn net.Conn, addr netip.Addr) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	query := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return err
	}
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the last, empty label, type, class
	answers := byte(0)
	var record []byte
	if query[end-3] == 1 { // type A
		answers = 1
		ip := addr.As4()
		record = append([]byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4}, ip[:]...)
	}
	answer := []byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}
	answer = append(append(answer, query[12:end]...), record...)
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	return err
}
