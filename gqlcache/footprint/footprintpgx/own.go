package footprintpgx

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// ownTimeout bounds a statement of ours while the connection is idle. In a transaction the
// application's own context does: the end of a bound of ours would be that of the
// transaction, too.
const ownTimeout = 5 * time.Second

var errBusy = errors.New("footprintpgx: the connection is busy")

// own runs statements of ours. They are not observed, and no tracer is told of them. They
// are prepared without a name, in text, so that pgx's caches and poolers like PgBouncer do
// not notice.
type own struct{ c *conn }

// Query runs one, unless the application's rows are open.
func (o own) Query(ctx context.Context, text string, args []driver.NamedValue, row func([]driver.Value) error) (err error) {
	pg := o.c.pg.PgConn()
	if pg.IsBusy() || pg.IsClosed() {
		return errBusy
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("footprintpgx: a statement of ours panicked: %v", v)
		}
	}()
	if o.c.idle {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, ownTimeout)
		defer cancel()
	}
	params := make([][]byte, len(args))
	for i := range args {
		if params[i], err = encode(args[i].Value); err != nil {
			return err
		}
	}
	r := pg.ExecParams(ctx, text, params, nil, nil, nil)
	defer func() {
		if _, e := r.Close(); err == nil {
			err = e
		}
	}()
	var dest []driver.Value
	for r.NextRow() {
		fields, raw := r.FieldDescriptions(), r.Values()
		if dest == nil {
			dest = make([]driver.Value, len(raw))
		}
		for i, b := range raw {
			dest[i] = decode(fields[i].DataTypeOID, pgtype.TextFormatCode, b)
			if dest[i] == (unknown{}) {
				dest[i] = string(b)
			}
		}
		if err := row(dest); err != nil {
			return err
		}
	}
	return nil
}

// encode writes a value as text.
func encode(v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return append([]byte{}, v...), nil
	case []byte:
		return []byte(`\x` + hex.EncodeToString(v)), nil
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case float64:
		return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
	}
	return nil, fmt.Errorf("footprintpgx: a value of type %T", v)
}
