//go:build !go1.27

package footprintsql

import "database/sql/driver"

func wrapRows(r rows) driver.Rows { return &r }
