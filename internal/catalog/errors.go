// Package catalog reads events, series, providers, changes and runs, for GraphQL and REST: windows, filters, pages. It
// never writes.
package catalog

import "fmt"

// Code is what went wrong, in the words of the API's extensions.code.
type Code string

// The codes of errors that are the client's to mend.
const (
	CodeBadUserInput Code = "BAD_USER_INPUT"
	// CodeCursorExpired: the changes after a cursor have been deleted, or the catalog was restored to a state before it. To go on
	// from it would leave a gap.
	CodeCursorExpired Code = "CURSOR_EXPIRED"
)

// Error is an error whose message is meant for the client. All other errors are internal: they are logged at
// the edge, and the client is not told what they say.
type Error struct {
	Code     Code
	Argument string // the argument at fault, e.g. window.from
	Message  string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

func badInput(argument, format string, args ...any) *Error {
	return &Error{Code: CodeBadUserInput, Argument: argument, Message: fmt.Sprintf(format, args...)}
}
