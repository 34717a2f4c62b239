package fleet_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/fleet"
)

// TestTexts: texts are read as they were written, and what is in another form is unknown.
func TestTexts(t *testing.T) {
	t.Parallel()
	want := []fleet.Text{{fleet.OperationPattern, "feed*"}, {fleet.Tenant, strings.Repeat("x", 16)}, {fleet.Tenant, ""}, {fleet.ValuePattern, "sales*"}, {fleet.OperationPattern, strings.Repeat("ab", 40)}}
	var words []tag.Tag
	for _, one := range want {
		words = fleet.AppendText(words, one)
	}
	if got, ok := fleet.ReadTexts(words); !ok || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, ok)
	}
	frozen := []tag.Tag{{Hash: 5, Mask: 1}, {Hash: 0x2a64656566}} // "feed*"
	if got := fleet.AppendText(nil, want[0]); !slices.Equal(got, frozen) {
		t.Errorf("%x: other versions read %x", got, frozen)
	}
	for name, words := range map[string][]tag.Tag{
		"a kind that is not known": {{Hash: 1, Mask: 4}, {}},
		"no kind":                  {{Hash: 1}, {}},
		"too short":                {{Hash: 17, Mask: 1}, {}},
		"too long":                 {{Hash: 1 << 40, Mask: 1}, {}},
		"something behind":         {{Hash: 1, Mask: 1}, {}, {Hash: 9, Mask: 9}},
	} {
		if got, ok := fleet.ReadTexts(words); ok {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzReadTexts: whatever a record has is read or refused.
func FuzzReadTexts(f *testing.F) {
	f.Add(uint64(5), uint64(1), uint64(7), uint64(0))
	f.Fuzz(func(t *testing.T, a, b, c, d uint64) {
		texts, ok := fleet.ReadTexts([]tag.Tag{{Hash: a, Mask: b}, {Hash: c, Mask: d}})
		if !ok {
			return
		}
		var again []tag.Tag
		for _, one := range texts {
			again = fleet.AppendText(again, one)
		}
		if len(again) != 2 || again[0] != (tag.Tag{Hash: a, Mask: b}) {
			t.Errorf("%v is %v", texts, again)
		}
	})
}

// TestTextsAreLookedForAgain: a name that becomes known while a pattern is applied is
// reached, by a change made here and by a record.
func TestTextsAreLookedForAgain(t *testing.T) {
	t.Parallel()
	words := fleet.AppendText(nil, fleet.Text{Kind: fleet.OperationPattern, Text: "feed*"})
	late := tag.Tag{Hash: 77, Mask: 1}
	for _, row := range []struct {
		name  string
		apply func(*instance)
	}{
		{"here", func(i *instance) { i.Apply(fleet.Change{Texts: words}) }},
		{"a record", func(i *instance) {
			s := schemaOf(7, 1)
			i.log.sink.Apply(changelog.Record{Number: 101, Tags: s.Record(fleet.Change{Tags: []tag.Tag{{Hash: 99}}, Texts: words})})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			looks := 0
			i := start(t, func(c *fleet.Config) {
				s := schemaOf(7, 1)
				c.Schema = func() *fleet.Schema { return s }
				c.Texts = func(tags []tag.Tag, texts []fleet.Text) ([]tag.Tag, bool) {
					if looks++; looks > 1 {
						tags = append(tags, late)
					}
					return append(tags, tag.Tag{Hash: 5, Mask: 1}), len(texts) == 1
				}
			})
			token := i.clock.Seq()
			row.apply(i)
			if _, ok := i.clock.Finish(token, []tag.Tag{late}); ok || looks != 2 {
				t.Errorf("valid %v after %d looks", ok, looks)
			}
		})
	}
}

// TestTextsOfOthers: a tenant of another build, and a text of a kind that is not known, may
// be anything.
func TestTextsOfOthers(t *testing.T) {
	t.Parallel()
	own := schemaOf(7, 1)
	for _, row := range []struct {
		name       string
		build      string
		text       fleet.Text
		everything bool
	}{
		{"a tenant of this build", "a", fleet.Text{Kind: fleet.Tenant, Text: "acme"}, false},
		{"a tenant of another build", "b", fleet.Text{Kind: fleet.Tenant, Text: "acme"}, true},
		{"a pattern of another build", "b", fleet.Text{Kind: fleet.OperationPattern, Text: "f*"}, false},
		{"another kind", "a", fleet.Text{Kind: 4, Text: "x"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			configure := func(build string) func(*fleet.Config) {
				return func(c *fleet.Config) {
					c.Schema, c.Build, c.OwnPartitions = func() *fleet.Schema { return own }, build, true
					c.Texts = func(tags []tag.Tag, _ []fleet.Text) ([]tag.Tag, bool) {
						return append(tags, tag.Tag{Hash: 5, Mask: 1}), true
					}
				}
			}
			var sent []tag.Tag
			publisher, reader := start(t, configure(row.build)), start(t, configure("a"))
			publisher.log.publish = func(tags []tag.Tag, _ bool) (changelog.Receipt, error) {
				sent = slices.Clone(tags)
				return changelog.Receipt{}, nil
			}
			publisher.Publish(t.Context(), nil, fleet.Change{Tags: []tag.Tag{{Hash: 99}}, Texts: fleet.AppendText(nil, row.text)})
			reader.log.sink.Apply(changelog.Record{Number: 101, Tags: sent})
			if got := reader.heard[0]; (got.everything != "") != row.everything {
				t.Errorf("%+v", got)
			}
		})
	}
}
