package observe

// A PgConn is a connection of pgx, which footprintsql knows by its methods alone.
type PgConn interface {
	// TxStatus is what PostgreSQL said last: I, T in a transaction, E in one that has failed.
	TxStatus() byte
	IsBusy() bool
	IsClosed() bool
}

// InTransaction is for Session.TxStatus, given what PgConn.TxStatus returned.
func InTransaction(status byte) (inTransaction, known bool) {
	switch status {
	case 'I':
		return false, true
	case 'T', 'E':
		return true, true
	}
	return false, false
}

// IsIdle is for Session.Idle.
func IsIdle(pg PgConn) bool { return pg.TxStatus() == 'I' && !pg.IsBusy() && !pg.IsClosed() }
