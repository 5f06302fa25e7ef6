// Package catalog is the read service that GraphQL and REST both call: windows, filters, pages. It
// never writes.
package catalog

import "fmt"

// Code is what went wrong, in the words of the API's extensions.code.
type Code string

// The codes of errors that are the client's to mend.
const (
	CodeBadUserInput Code = "BAD_USER_INPUT"
	// CodeCursorExpired: what follows a cursor is kept no more, or the catalog has gone back to before it, so that to go on
	// from it would leave a gap.
	CodeCursorExpired Code = "CURSOR_EXPIRED"
)

// Error is an error whose text is meant for the client. Every other error is internal: it is logged at
// the edge, and the client learns nothing of it.
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
