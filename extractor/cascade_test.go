package extractor_test

import (
	"reflect"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
)

func TestParseCascade(t *testing.T) {
	t.Parallel()
	type (
		change       = extractor.Change
		invalidation = extractor.Invalidation
		cascade      = extractor.Cascade
	)
	inv := func(i invalidation) cascade { return cascade{Invalidations: []invalidation{i}} }
	for _, row := range []struct {
		name, raw string
		want      cascade
	}{
		{"empty", `{"updated":[],"deleted":[],"invalidations":[],"metadata":{"affectedCount":0}}`, cascade{}},
		{"without optional members", `{"updated":[],"deleted":[]}`, cascade{}},
		{"rows", `{"updated":[{"__typename":"Company","id":"7","operation":"UPDATED"},{"__typename":"Company","id":8,"operation":"CREATED"},{"__typename":"Company","id":"9","operation":"DELETED"}],
			"deleted":[{"__typename":"Address","id":"3"}],"metadata":{"affectedCount":4}}`,
			cascade{
				Updated: []change{{"Company", "7", extractor.ChangeUpdated}, {"Company", "8", extractor.ChangeCreated}, {"Company", "9", extractor.ChangeDeleted}},
				Deleted: []change{{"Address", "3", extractor.ChangeDeleted}},
			}},
		{"entityType is best", `{"updated":[{"entityType":"A","__typename":"C","entity":{"__typename":"B"},"id":"1"}],"deleted":[]}`, cascade{Updated: []change{{Type: "A", ID: "1"}}}},
		{"entity is next", `{"updated":[{"entityType":null,"__typename":"UpdatedEntity","entity":{"__typename":"B"},"id":"1"}],"deleted":[]}`, cascade{Updated: []change{{Type: "B", ID: "1"}}}},
		{"wrappers tell nothing", `{"updated":[{"__typename":"UpdatedEntity","id":"1","operation":"X"}],"deleted":[{"__typename":"DeletedEntity","id":"2"}]}`,
			cascade{Updated: []change{{ID: "1"}}, Deleted: []change{{ID: "2", Op: extractor.ChangeDeleted}}}},
		{"no id", `{"updated":[{"__typename":"A","id":null},{"__typename":"A"}],"deleted":[]}`, cascade{Updated: []change{{Type: "A"}, {Type: "A"}}}},
		{"canonical id", `{"updated":[{"__typename":"A","id":"01890A5DAC96774BBCCEB302099A8057"}],"deleted":[]}`, cascade{Updated: []change{{Type: "A", ID: "01890a5d-ac96-774b-bcce-b302099a8057"}}}},
		{"truncated", `{"updated":[],"deleted":[],"metadata":{"truncated":true}}`, cascade{Truncated: true}},
		{"not truncated", `{"updated":[],"deleted":[],"metadata":{"truncated":false}}`, cascade{}},
		{"truncated unknown", `{"updated":[],"deleted":[],"metadata":{"truncated":null}}`, cascade{Truncated: true}},
		{"count too high", `{"updated":[],"deleted":[],"metadata":{"affectedCount":1}}`, cascade{Truncated: true}},
		{"count too low", `{"updated":[{"id":1,"entityType":"A"}],"deleted":[],"metadata":{"affectedCount":0}}`, cascade{Updated: []change{{Type: "A", ID: "1"}}, Truncated: true}},
		{"count is null", `{"updated":[],"deleted":[],"metadata":{"affectedCount":null}}`, cascade{Truncated: true}},
		{"count is text", `{"updated":[],"deleted":[],"metadata":{"affectedCount":"0"}}`, cascade{Truncated: true}},
		{"metadata null", `{"updated":[],"deleted":[],"metadata":null}`, cascade{Truncated: true}},
		{"exact", `{"updated":[],"deleted":[],"invalidations":[{"queryName":"q","arguments":{"id":7},"strategy":"REFETCH","scope":"EXACT"}]}`,
			inv(invalidation{QueryName: "q", Arguments: []byte(`{"id":7}`), Scope: extractor.ScopeExact})},
		{"exact by hash", `{"updated":[],"deleted":[],"invalidations":[{"queryHash":"h","arguments":null,"strategy":"REMOVE","scope":"EXACT"}]}`, inv(invalidation{QueryHash: "h", Scope: extractor.ScopeExact})},
		{"prefix", `{"updated":[],"deleted":[],"invalidations":[{"queryName":"q","strategy":"INVALIDATE","scope":"PREFIX"}]}`, inv(invalidation{QueryName: "q", Scope: extractor.ScopePrefix})},
		{"pattern", `{"updated":[],"deleted":[],"invalidations":[{"queryPattern":"q*","strategy":"INVALIDATE","scope":"PATTERN"}]}`, inv(invalidation{QueryPattern: "q*", Scope: extractor.ScopePattern})},
		{"all", `{"updated":[],"deleted":[],"invalidations":[{"strategy":"INVALIDATE","scope":"ALL"}]}`, inv(invalidation{})},
		{"unknown scope", `{"updated":[],"deleted":[],"invalidations":[{"queryName":"q","strategy":"INVALIDATE","scope":"SOME"}]}`, inv(invalidation{QueryName: "q"})},
		{"unknown strategy", `{"updated":[],"deleted":[],"invalidations":[{"queryName":"q","strategy":"WARM","scope":"EXACT"}]}`, inv(invalidation{QueryName: "q"})},
		{"exact without name", `{"updated":[],"deleted":[],"invalidations":[{"strategy":"REMOVE","scope":"EXACT"}]}`, inv(invalidation{})},
		{"prefix without name", `{"updated":[],"deleted":[],"invalidations":[{"queryName":"","strategy":"REMOVE","scope":"PREFIX"}]}`, inv(invalidation{})},
		{"pattern without pattern", `{"updated":[],"deleted":[],"invalidations":[{"queryName":"q","strategy":"REMOVE","scope":"PATTERN"}]}`, inv(invalidation{QueryName: "q"})},
		{"payload", `{"success":true,"cascade":{"updated":[{"__typename":"A","id":"1"}],"deleted":[]}}`, cascade{Updated: []change{{Type: "A", ID: "1"}}}},
		{"failed payload", `{"success":false,"cascade":{"updated":[],"deleted":[]}}`, cascade{Failed: true}},
		{"success null", `{"success":null,"updated":[],"deleted":[]}`, cascade{Failed: true}},
		{"payload without report", `{"success":true,"cascade":null}`, cascade{Malformed: true}},
		{"nothing", ``, cascade{Malformed: true}},
		{"null", `null`, cascade{Malformed: true}},
		{"cut off", `{"updated":[]`, cascade{Malformed: true}},
		{"list", `[]`, cascade{Malformed: true}},
		{"no lists", `{}`, cascade{Malformed: true}},
		{"list null", `{"updated":null,"deleted":[]}`, cascade{Malformed: true}},
		{"list of text", `{"updated":["x",{"id":"1","__typename":"A"},null],"deleted":[]}`, cascade{Updated: []change{{Type: "A", ID: "1"}}, Malformed: true}},
		{"invalidations null", `{"updated":[],"deleted":[],"invalidations":null}`, cascade{Malformed: true}},
		{"other case", `{"Updated":[],"deleted":[]}`, cascade{Malformed: true}},
		{"wrong types inside", `{"updated":[{"__typename":1,"entity":[],"id":{},"operation":2}],"deleted":[]}`, cascade{Updated: []change{{}}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := extractor.ParseCascade([]byte(row.raw)); !reflect.DeepEqual(got, row.want) {
				t.Fatalf("got %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestCascadePayloadParse(t *testing.T) {
	t.Parallel()
	good := []byte(`{"updated":[],"deleted":[]}`)
	if c := (extractor.CascadePayload{Raw: good}).Parse(); c.Failed || c.Malformed {
		t.Errorf("%+v", c)
	}
	if c := (extractor.CascadePayload{Raw: good, Failed: true}).Parse(); !c.Failed {
		t.Error("the payload around it failed")
	}
	if c := (extractor.CascadePayload{}).Parse(); !c.Malformed {
		t.Error("no report is malformed")
	}
}
