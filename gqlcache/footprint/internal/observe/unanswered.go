package observe

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// A said is an error of this package's own, whose text is a constant: it quotes nothing.
type said string

// Error implements error.
func (s said) Error() string { return string(s) }

// unanswered says why the database has not answered a query of ours that had values of a
// request, for a Finding. It quotes no text but constants:
//
//   - PostgreSQL quotes values that are none of the column's type, and a function or a
//     policy raises an error of any code with any text.
//   - A driver quotes the argument that it cannot encode.
//
// The code of the database says what is wrong, and the statement is in the Finding.
func unanswered(err error) string {
	var own said
	if errors.As(err, &own) {
		return string(own)
	}
	for _, known := range constantErrors {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if code := sqlState(err); isSQLState(code) {
		what := cmp.Or(stateNames[code], stateNames[code[:2]])
		return "the database answers with SQLSTATE " + code + what + "; its own log has the message"
	}
	var lite interface{ Code() int }
	if errors.As(err, &lite) {
		return fmt.Sprintf("the database answers with the code %d", lite.Code())
	}
	var link *net.OpError
	if errors.As(err, &link) {
		return "the connection failed: " + link.Op + " " + link.Net
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return fmt.Sprintf("the driver failed with a %T, whose text is left out: it may quote values", err)
}

// constantErrors have constant texts.
var constantErrors = []error{
	context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, driver.ErrSkip, sql.ErrConnDone, sql.ErrTxDone,
	io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
}

// stateNames say what codes of PostgreSQL mean, and classes of them.
var stateNames = map[string]string{
	"08": ", the connection failed", "22": ", a value is not of its type", "25": ", not in this state of the transaction",
	"25006": ", the transaction is read-only", "28": ", the user is refused", "40": ", the transaction was rolled back",
	"40P01": ", a deadlock", "42": ", syntax or access", "42501": ", a privilege is missing", "42703": ", no such column",
	"42P01": ", no such table", "53": ", resources are exhausted", "55P03": ", a lock could not be had", "57": ", an operator or a timeout ended it",
	"P0": ", raised by a function",
}

// isSQLState reports whether a code has the form of one.
func isSQLState(code string) bool {
	return len(code) == 5 && strings.Trim(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
