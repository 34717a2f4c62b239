package shop

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// Base is embedded by what has a name.
type Base struct {
	ID   int
	Name string
}

// Item is a row of v_item.
type Item struct {
	Base
	Price  float64
	Due    time.Time // zero until it is read back from the database
	Weight int64     // cents; 0 is the null that propagates
	Note   *string
	Secret string `json:"-"`

	OwnerID int
}

// IsNode implements Node.
func (Item) IsNode() {}

// Part is a row of v_part.
type Part struct {
	*Base
	ItemID int
}

// User is a row of v_user.
type User struct {
	ID    int
	Name  string
	Email *string
}

// Thing is a row of v_thing.
type Thing struct {
	Sku  string
	Name string
}

// Ghost has no id, where the schema says that it has one.
type Ghost struct {
	ID   *int
	Text string
}

// Owned has a nil element in a list whose elements are not null.
type Owned struct {
	Part   *Part
	Owners []*Item
}

// MarshalSku writes a key as it is.
func MarshalSku(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalSku reads a key, which may be written with letters of either case.
func UnmarshalSku(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", errors.New("a Sku is a string")
	}
	return strings.ToLower(s), nil
}

// MarshalCents writes a number; zero is unknown, and becomes null.
func MarshalCents(n int64) graphql.Marshaler {
	if n == 0 {
		return graphql.Null
	}
	if n < 0 {
		panic("a weight below zero")
	}
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.FormatInt(n, 10))
	})
}

// UnmarshalCents reads a number.
func UnmarshalCents(v any) (int64, error) { return graphql.UnmarshalInt64(v) }
