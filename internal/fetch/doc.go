// Package fetch gets one provider's feed over HTTP into a bounded spool.
//
// It knows nothing of formats, events or databases. What it knows is how feeds
// and their servers misbehave: every byte, second, redirect and attempt has a
// bound ([Limits]); no address is dialled that the policy refuses, checked when
// the connection is made, so that neither a redirect nor DNS rebinding gets by;
// and no credential leaves for another host, a log or an error text.
//
// [Client.Get] returns when the whole body has arrived, unpacked and hashed, so
// that nothing after it (the parser, a database transaction) ever waits for the
// network. Bodies live in memory when small, else in a temporary file that is
// unlinked as soon as it is open: a killed process leaves nothing behind.
//
// All failures are of one type, [*Error], with a [Code] and the question that
// matters to a schedule: is it [ErrTemporary]?
package fetch
