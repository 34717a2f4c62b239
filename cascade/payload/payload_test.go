package payload_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cascadeql/cascadeql/cascade/payload"
	"github.com/cascadeql/cascadeql/extractor"
)

// What gqlgen generates, in one of its forms.
type (
	node    interface{ IsNode() }
	op      string
	updates struct {
		Updated       []*updated      `json:"updated"`
		Deleted       []*deleted      `json:"deleted"`
		Invalidations []*invalidation `json:"invalidations"`
		Metadata      *metadata       `json:"metadata"`
	}
	updated struct {
		EntityType string `json:"entityType"`
		ID         string `json:"id"`
		Operation  op     `json:"operation"`
		Entity     node   `json:"entity,omitempty"`
	}
	deleted struct {
		EntityType string `json:"entityType"`
		ID         string `json:"id"`
		DeletedAt  string `json:"deletedAt"`
	}
	invalidation struct {
		QueryName    *string `json:"queryName,omitempty"`
		QueryPattern *string `json:"queryPattern,omitempty"`
		Strategy     op      `json:"strategy"`
		Scope        op      `json:"scope"`
	}
	metadata struct {
		Timestamp     string  `json:"timestamp"`
		TransactionID *string `json:"transactionId,omitempty"`
		Depth         int     `json:"depth"`
		AffectedCount int     `json:"affectedCount"`
		Truncated     *bool   `json:"truncated,omitempty"`
	}
	user struct{ Name string }
)

func (*user) IsNode() {}

var newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func Example() {
	cascade, err := payload.Build[updates](payload.Report{
		Changes:     []payload.Change{payload.Updated("User", 7, &user{"Ann"}), payload.Deleted("Post", "p1")},
		Invalidates: []string{"listPosts"},
		Time:        newYear,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := json.Marshal(cascade)
	fmt.Println(strings.ReplaceAll(string(text), `],"`, "],\n\""))
	// Output:
	// {"updated":[{"entityType":"User","id":"7","operation":"UPDATED","entity":{"Name":"Ann"}}],
	// "deleted":[{"entityType":"Post","id":"p1","deletedAt":"2026-01-01T00:00:00Z"}],
	// "invalidations":[{"queryName":"listPosts","strategy":"INVALIDATE","scope":"EXACT"}],
	// "metadata":{"timestamp":"2026-01-01T00:00:00Z","depth":1,"affectedCount":2,"truncated":false}}
}

// What is built says to the extractor what it was built of.
func TestReadBack(t *testing.T) {
	t.Parallel()
	var none *user
	id := uuid.MustParse("0F000000-0000-4000-8000-000000000001")
	changes := []payload.Change{
		payload.Created("User", 1, &user{}), payload.Updated("User", uint8(2), nil), payload.Updated("User", op("x"), none),
		payload.Deleted("Post", id), payload.Deleted("Post", &id), payload.Deleted("Post", new(int64(9))),
	}
	got := read(t, payload.Report{Changes: changes, Invalidates: []string{"a", "list*"}, Transaction: "t", Depth: 3})
	var ids []string
	for _, c := range append(got.Updated, got.Deleted...) {
		ids = append(ids, fmt.Sprint(c.Type, " ", c.ID, " ", c.Op))
	}
	want := "User 1 1; User 2 2; User x 2; Post 0f000000-0000-4000-8000-000000000001 3; Post 0f000000-0000-4000-8000-000000000001 3; Post 9 3"
	if text := strings.Join(ids, "; "); text != want || got.Malformed || got.Truncated || got.Failed {
		t.Errorf("%s\nwant\n%s\n%+v", text, want, got)
	}
	if inv := got.Invalidations; len(inv) != 2 || inv[0].Scope != extractor.ScopeExact || inv[0].QueryName != "a" || inv[1].Scope != extractor.ScopePattern || inv[1].QueryPattern != "list*" {
		t.Errorf("%+v", inv)
	}
	if got := read(t, payload.Report{}); got.Malformed || got.Truncated || len(got.Updated)+len(got.Deleted)+len(got.Invalidations) > 0 {
		t.Errorf("nothing: %+v", got)
	}
}

func read(t *testing.T, r payload.Report) extractor.Cascade {
	t.Helper()
	cascade, err := payload.Build[updates](r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(cascade)
	if err != nil {
		t.Fatal(err)
	}
	return extractor.ParseCascade(text)
}

// A list that is too long says so, and names every type.
func TestTruncated(t *testing.T) {
	t.Parallel()
	var r payload.Report
	for i := range payload.MaxUpdated + 5 {
		r.Changes = append(r.Changes, payload.Updated("User", i, nil))
	}
	for i := range payload.MaxDeleted {
		r.Changes = append(r.Changes, payload.Deleted("Tag", i))
	}
	r.Changes = append(r.Changes, payload.Created("Post", 1, nil), payload.Deleted("Comment", 1))
	got := read(t, r)
	types := map[string]bool{}
	for _, c := range append(got.Updated, got.Deleted...) {
		types[c.Type] = true
	}
	if !got.Truncated || len(got.Updated) != payload.MaxUpdated || len(got.Deleted) != payload.MaxDeleted || len(types) != 4 {
		t.Errorf("truncated %v, %d updated, %d deleted, %v", got.Truncated, len(got.Updated), len(got.Deleted), types)
	}
}

type failing struct{}

func (failing) MarshalText() ([]byte, error) { return nil, errors.New("broken") }

// What cannot be said is an error that says what to do.
func TestFaults(t *testing.T) {
	t.Parallel()
	of := func(c payload.Change) payload.Report { return payload.Report{Changes: []payload.Change{c}} }
	build := payload.Build[updates]
	var noID *string
	type bare struct{ Updated, Deleted []*struct{ ID string } }
	for _, row := range []struct {
		name, want string
		err        error
	}{
		{"an empty change", "use Created, Updated or Deleted", second(build(of(payload.Change{})))},
		{"no type", "name the GraphQL type", second(build(of(payload.Deleted("", 1))))},
		{"no id", "is nil", second(build(of(payload.Deleted("User", nil))))},
		{"an id that is nil", "is nil", second(build(of(payload.Deleted("User", noID))))},
		{"an empty id", "is empty", second(build(of(payload.Deleted("User", ""))))},
		{"an id that is no id", "neither a text nor a whole number", second(build(of(payload.Deleted("User", 1.5))))},
		{"an id that fails", "broken", second(build(of(payload.Deleted("User", failing{}))))},
		{"an entity of another type", "updated.entity: it cannot be int", second(build(of(payload.Updated("User", 1, 5))))},
		{"no struct", "name the type that gqlgen generates", second(payload.Build[int](of(payload.Deleted("User", 1))))},
		{"no lists", "has no field updated", second(payload.Build[struct{ Deleted []deleted }](payload.Report{}))},
		{"lists that are none", "must be a list", second(payload.Build[struct{ Updated, Deleted int }](payload.Report{}))},
		{"entries without a type", "has no field entityType", second(payload.Build[bare](of(payload.Deleted("User", 1))))},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.name, row.err, row.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
