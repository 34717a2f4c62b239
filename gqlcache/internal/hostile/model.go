package hostile

import (
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

// Marshaled is how often marshalers of this server's own have run. Tests that look at it
// do not run in parallel.
var Marshaled atomic.Int64

// MarshalCounted is a scalar bound to functions.
func MarshalCounted(s string) graphql.Marshaler {
	Marshaled.Add(1)
	switch s {
	case "panic":
		panic("marshaler") // what the tests ask for
	case "null":
		return graphql.Null
	}
	return graphql.MarshalString("c-" + s)
}

// UnmarshalCounted takes off what MarshalCounted puts on.
func UnmarshalCounted(v any) (string, error) {
	s, ok := v.(string)
	if !ok || len(s) < 2 {
		return "", fmt.Errorf("%v is no code", v)
	}
	return s[2:], nil
}

// Stamp is a type with a marshaler.
type Stamp struct{ N int }

// MarshalGQL implements graphql.Marshaler.
func (s Stamp) MarshalGQL(w io.Writer) {
	Marshaled.Add(1)
	_, _ = io.WriteString(w, strconv.Quote(strconv.Itoa(s.N)))
}

// UnmarshalGQL implements graphql.Unmarshaler.
func (s *Stamp) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("%v is no stamp", v)
	}
	var err error
	s.N, err = strconv.Atoi(text)
	return err
}

// Item has a plain owner, and a maker and a part behind resolvers.
type Item struct {
	ID    string
	Name  string
	Due   time.Time
	Color Color
	Code  string
	Stamp *Stamp
	Owner *Owner
}

func (*Item) IsNode() {}
func (*Item) IsAny()  {}

// Owner has an Int as its ID.
type Owner struct {
	ID   int
	Name string
}

func (*Owner) IsNode() {}
func (*Owner) IsAny()  {}

// Ghost has a pointer as its ID.
type Ghost struct {
	ID   *int
	Text string
}

func (*Ghost) IsAny() {}

// Vault has a guarded ID.
type Vault struct{ ID, Text string }

func (*Vault) IsAny() {}

// Safe has guarded fields.
type Safe struct{ ID, Text string }

// Relay has a global ID.
type Relay struct{ Key, Text string }

// Asked is how often global ids were made.
var Asked atomic.Int64

// ID is a method.
func (r *Relay) ID() string {
	Asked.Add(1)
	return "relay:" + r.Key
}

// Doc has a UUID.
type Doc struct {
	ID   uuid.UUID
	Text string
}

// Sealed has a key with a marshaler.
type Sealed struct {
	ID    *Stamp
	Text  string
	Inner *Owner
}

// Tagged has a key that functions marshal.
type Tagged struct{ ID, Text string }

// Part leads to items behind resolvers.
type Part struct{ ID, Name string }
