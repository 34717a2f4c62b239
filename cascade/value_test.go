package cascade_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"

	"github.com/cascadeql/cascadeql/cascade"
)

func TestValueOf(t *testing.T) {
	t.Parallel()
	type status string
	text, none := "a", (*string)(nil)
	for _, tt := range []struct {
		name string
		in   any
		want string // "?" is unknown
	}{
		{"nil", nil, "null"},
		{"nil pointer", none, "null"},
		{"pointer", &text, "a"},
		{"string", "a", "a"},
		{"empty string", "", ""},
		{"string that says null", "null", "null"},
		{"enum", status("DRAFT"), "DRAFT"},
		{"int", 1, "1"},
		{"uint8", uint8(1), "1"},
		{"number", json.Number("1.0"), "1"},
		{"float", 1.5, "1.5"},
		{"whole float", 2.0, "2"},
		{"infinity", math.Inf(1), "?"},
		{"true", true, "true"},
		{"uuid", uuid.MustParse("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"), "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"uuid text", "{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"struct", struct{}{}, "?"},
		{"list", []any{1}, "?"},
		{"object", map[string]any{}, "?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := cascade.ValueOf(tt.in)
			if got.String() != tt.want || got.Known() != (tt.want != "?") {
				t.Errorf("ValueOf = %s, known %v, want %s", got, got.Known(), tt.want)
			}
			if null := tt.name == "nil" || tt.name == "nil pointer"; got.IsNull() != null {
				t.Errorf("IsNull = %v, want %v", got.IsNull(), null)
			}
		})
	}
	if cascade.ValueOf("null") == cascade.Null {
		t.Error("the text null is no null")
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	got := cascade.Merge([]cascade.Tag{{Hash: 3, Mask: 1}, {Hash: 1, Mask: 4}, {Hash: 3, Mask: 2}, {Hash: 1, Mask: 4}})
	if want := []cascade.Tag{{Hash: 1, Mask: 4}, {Hash: 3, Mask: 3}}; !slices.Equal(got, want) {
		t.Errorf("Merge = %v, want %v", got, want)
	}
	if got := cascade.Merge(nil); got != nil {
		t.Errorf("Merge(nil) = %v", got)
	}
}

func TestPartitionOf(t *testing.T) {
	t.Parallel()
	if cascade.PartitionOf("") != (cascade.Partition{}) {
		t.Error("no name is no partition")
	}
	a, again, b := cascade.PartitionOf("a"), cascade.PartitionOf("a"), cascade.PartitionOf("b")
	if a == b || a != again {
		t.Error("a partition is its name")
	}
}

func TestOperationErrors(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, `type Query { a: Int } type Subscription { a: Int }`)
	doc, err := gqlparser.LoadQuery(f.schema, `subscription { a }`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.plan.Operation(doc, doc.Operations[0]); !errors.Is(err, cascade.ErrUnsupported) {
		t.Errorf("error = %v, want ErrUnsupported", err)
	}
}

func TestNamedEvents(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, payloadSchema)
	for _, tt := range []struct {
		name string
		id   any
		want string
	}{
		{"Post", 1, "ANY v_post 1"},
		{"v_post", "1", "ANY v_post 1"},
		{"User", 1, "ANY v_user 1; ANY v_slug *"},
		{"v_slug", "x", "ANY v_slug x"},
		{"Node", 1, "ANY v_post 1; ANY v_user 1; ANY v_slug *"},
		{"Post", nil, "ANY v_post *"},
		{"Post", struct{}{}, "ANY v_post *"},
		{"Query", 1, ""},
		{"Ghost", 1, ""},
	} {
		events, ok := f.plan.RowEvent(tt.name, cascade.ValueOf(tt.id))
		if got := eventText(events); got != tt.want || ok != (tt.want != "") {
			t.Errorf("RowEvent(%s, %v) = %s, %v, want %s", tt.name, tt.id, got, ok, tt.want)
		}
	}
	if events, ok := f.plan.ViewEvent("User"); !ok || eventText(events) != "ANY v_user *; ANY v_slug *" {
		t.Errorf("ViewEvent(User) = %s, %v", eventText(events), ok)
	}
	if _, ok := f.plan.ViewEvent("Ghost"); ok {
		t.Error("ViewEvent of an unknown name is ok")
	}
}

func TestNewReport(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, payloadSchema)
	for _, tt := range []struct {
		name, column string
		id           any
		ok           bool
	}{
		{"Post", "title", 1, true},
		{"v_post", "title", "1", true},
		{"Post", "", 1, true},
		{"Post", "nothing", 1, false},
		{"Ghost", "title", 1, false},
		{"Post", "title", nil, false},
		{"Post", "title", struct{}{}, false},
	} {
		r, ok := f.plan.NewReport(tt.name, cascade.ValueOf(tt.id), tt.column, cascade.ValueOf("a"), cascade.ValueOf("b"))
		if ok != tt.ok || (ok && (r.Unchanged != (tt.column == "") || r.Key != "1")) {
			t.Errorf("NewReport(%s, %v, %q) = %+v, %v, want %v", tt.name, tt.id, tt.column, r, ok, tt.ok)
		}
	}
}
