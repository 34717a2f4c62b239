package footprint

import (
	"context"
	"database/sql/driver"
	"io"
	"log/slog"
	"reflect"
	"testing"
)

type noConn struct{}

func (noConn) Query(context.Context, string, []driver.NamedValue, func([]driver.Value) error) error {
	return nil
}

// TestEveryOptionArrives: no option is forgotten on the way to package observe.
func TestEveryOptionArrives(t *testing.T) {
	t.Parallel()
	o := Options{
		Dialect: PostgreSQL, Name: "a", Images: On, SemiJoins: true, Beside: noConn{}, Attribution: ByTime, Replica: true,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	given, got := reflect.ValueOf(o), reflect.ValueOf(o.within())
	for i := range given.NumField() {
		name := given.Type().Field(i).Name
		if given.Field(i).IsZero() || !reflect.DeepEqual(got.FieldByName(name).Interface(), given.Field(i).Interface()) {
			t.Errorf("%s: %v, given %v", name, got.FieldByName(name), given.Field(i))
		}
	}
}
