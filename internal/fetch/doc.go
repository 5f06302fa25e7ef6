// Package fetch gets one provider's feed over HTTP into a bounded spool.
//
// It knows nothing of formats, events or databases. It expects feeds and their
// servers to misbehave:
//
//   - Bytes, time, redirects and attempts are bounded ([Limits]).
//   - An address that the policy refuses is not dialled. The address is checked
//     when the connection is made, so that neither a redirect nor DNS rebinding
//     gets around the check.
//   - No credential gets to another host, into a log or into an error text.
//
// [Client.Get] returns when the whole body has arrived and is unpacked and
// hashed, so that nothing after it (the parser, a database transaction) ever
// waits for the network. Small bodies are kept in memory, others in a temporary
// file that is unlinked as soon as it is open, so that a killed process leaves
// nothing behind.
//
// All errors of Get have one type, [*Error], with a [Code]. Whether it may help
// to try again is what [ErrTemporary] says.
package fetch
