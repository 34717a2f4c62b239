package footprintsqlite

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"reflect"

	"modernc.org/libc"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/cascadeql/cascadeql/gqlcache/footprint"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/footprintsql"
)

// RowHook has connections of modernc.org/sqlite tell of each row that a statement changes.
func RowHook() footprintsql.Option { return footprintsql.RowHook(install) }

// install sets the hook of a connection, and reports whether it could.
func install(driverConn any, changed func(*footprint.RowChange)) bool {
	c, ok := driverConn.(interface {
		RegisterPreUpdateHook(callback sqlite.PreUpdateHookFn)
	})
	if !ok || !readable {
		return false
	}
	var r footprint.RowChange // one row at a time is told
	var d sqlite.SQLitePreUpdateData
	r.Values = func(before, after []driver.Value) error { return values(&d, before, after) }
	c.RegisterPreUpdateHook(func(data sqlite.SQLitePreUpdateData) {
		d = data
		r.Database, r.Table, r.Columns = d.DatabaseName, d.TableName, d.Count()
		r.Before, r.After = d.Op != lib.SQLITE_INSERT, d.Op != lib.SQLITE_DELETE
		r.Moved = d.Op == lib.SQLITE_UPDATE && d.OldRowID != d.NewRowID
		changed(&r)
		d = sqlite.SQLitePreUpdateData{}
	})
	return true
}

// The fields of the driver's that SQLite's functions need.
var (
	threadField, hasThread     = field[*libc.TLS]("tls")
	databaseField, hasDatabase = field[uintptr]("pCsr")
	readable                   = hasThread && hasDatabase
)

func field[T any](name string) (index []int, ok bool) {
	f, ok := reflect.TypeFor[sqlite.SQLitePreUpdateData]().FieldByName(name)
	return f.Index, ok && f.Type == reflect.TypeFor[T]()
}

// values reads the row before and after.
func values(d *sqlite.SQLitePreUpdateData, before, after []driver.Value) error {
	v := reflect.ValueOf(d).Elem()
	tls := (*libc.TLS)(v.FieldByIndex(threadField).UnsafePointer())
	db := uintptr(v.FieldByIndex(databaseField).Uint())
	at := tls.Alloc(pointerSize)
	defer tls.Free(pointerSize)
	if d.Op != lib.SQLITE_INSERT {
		for i := range before {
			rc := lib.Xsqlite3_preupdate_old(tls, db, int32(i), at)
			if !read(tls, rc, at, &before[i]) {
				return errUnread
			}
		}
	}
	if d.Op != lib.SQLITE_DELETE {
		for i := range after {
			rc := lib.Xsqlite3_preupdate_new(tls, db, int32(i), at)
			if !read(tls, rc, at, &after[i]) {
				return errUnread
			}
		}
	}
	return nil
}

var errUnread = errors.New("footprintsqlite: a value cannot be read")

// pointerSize is that of the largest pointer: SQLite writes one there.
const pointerSize = 8

// read copies a value of SQLite's, whose pointer is at a place unless rc is an error. It
// returns false where there is none, or no memory for another encoding of it.
func read(tls *libc.TLS, rc int32, at uintptr, to *driver.Value) bool {
	if rc != lib.SQLITE_OK {
		return false
	}
	v := libc.AtomicLoadPUintptr(at)
	switch lib.Xsqlite3_value_type(tls, v) {
	case lib.SQLITE_NULL:
		*to = nil
	case lib.SQLITE_INTEGER:
		*to = lib.Xsqlite3_value_int64(tls, v)
	case lib.SQLITE_FLOAT:
		*to = lib.Xsqlite3_value_double(tls, v)
	case lib.SQLITE_TEXT:
		p := lib.Xsqlite3_value_text(tls, v) // before its length: it may be of another encoding
		if p == 0 {
			return false
		}
		*to = string(libc.GoBytes(p, int(lib.Xsqlite3_value_bytes(tls, v))))
	case lib.SQLITE_BLOB:
		p := lib.Xsqlite3_value_blob(tls, v)
		n := int(lib.Xsqlite3_value_bytes(tls, v))
		switch {
		case n == 0: // without a place
			*to = []byte{}
		case p == 0:
			return false
		default:
			*to = bytes.Clone(libc.GoBytes(p, n))
		}
	default:
		return false
	}
	return true
}
