package e2e

import "modernc.org/sqlite"

// removeHook is what an application does that sets a hook of its own.
func removeHook(driverConn any) {
	driverConn.(interface {
		RegisterPreUpdateHook(callback sqlite.PreUpdateHookFn)
	}).RegisterPreUpdateHook(nil)
}
