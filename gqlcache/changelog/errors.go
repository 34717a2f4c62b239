package changelog

import "errors"

var (
	// ErrEpoch says that a position belongs to an epoch that is over. No entry of that
	// epoch is served.
	ErrEpoch = errors.New("changelog: the position is of an epoch that is over")
	// ErrBehind says that the log itself has not got as far as a position.
	ErrBehind = errors.New("changelog: the log has not reached the position")
	// ErrGap says that records after a position are missing: they were trimmed, or lost.
	ErrGap = errors.New("changelog: records after the position are missing")
	// ErrClosed says that the log was closed.
	ErrClosed = errors.New("changelog: closed")
	// ErrNotStarted says that there is no sink yet.
	ErrNotStarted = errors.New("changelog: not started")
	// ErrStarted is the error of a second Start.
	ErrStarted = errors.New("changelog: started already")
	// ErrPending says that the server has not taken changes of this instance. They are
	// pushed before its next lease.
	ErrPending = errors.New("changelog: changes are waiting for the server")
)
