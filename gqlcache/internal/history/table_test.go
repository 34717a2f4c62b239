package history_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func tagOf(hash, mask uint64) tag.Tag { return tag.Tag{Hash: hash, Mask: mask} }

func record(n uint64, tags ...tag.Tag) changelog.Record {
	return changelog.Record{Number: n, Tags: tags}
}

func TestUnchanged(t *testing.T) {
	t.Parallel()
	all := ^uint64(0)
	for _, row := range []struct {
		name    string
		records []changelog.Record
		epoch   uint64
		born    uint64
		tags    []tag.Tag
		want    bool
	}{
		{"nothing happened", nil, 7, 10, []tag.Tag{tagOf(1, 1)}, true},
		{"before the flush", nil, 7, 9, []tag.Tag{tagOf(1, 1)}, false},
		{"older epoch", nil, 6, 10, nil, false},
		{"newer epoch", nil, 8, 10, nil, false},
		{"no epoch", nil, 0, 10, nil, false},
		{"changed after birth", []changelog.Record{record(11, tagOf(1, 1))}, 7, 10, []tag.Tag{tagOf(1, 1)}, false},
		{"born at the change", []changelog.Record{record(11, tagOf(1, 1))}, 7, 11, []tag.Tag{tagOf(1, 1)}, true},
		{"another tag", []changelog.Record{record(11, tagOf(2, 1))}, 7, 10, []tag.Tag{tagOf(1, 1)}, true},
		{"another column", []changelog.Record{record(11, tagOf(1, 2))}, 7, 10, []tag.Tag{tagOf(1, 1)}, true},
		{"last of many tags", []changelog.Record{record(11, tagOf(5, 1))}, 7, 10, []tag.Tag{tagOf(1, 1), tagOf(2, 1), tagOf(5, 1)}, false},
		{"all columns", []changelog.Record{record(11, tagOf(1, all))}, 7, 10, []tag.Tag{tagOf(1, 4)}, false},
		{"change without a mask", []changelog.Record{record(11, tagOf(1, 0))}, 7, 10, []tag.Tag{tagOf(1, 4)}, false},
		{"entry without a mask", []changelog.Record{record(11, tagOf(1, 4))}, 7, 10, []tag.Tag{tagOf(1, 0)}, false},
		{"older change of the column behind a younger one", []changelog.Record{record(11, tagOf(1, 1)), record(12, tagOf(1, 2))}, 7, 10, []tag.Tag{tagOf(1, 1)}, false},
		{"five masks", []changelog.Record{record(11, tagOf(1, 1)), record(12, tagOf(1, 2)), record(13, tagOf(1, 4)), record(14, tagOf(1, 8)), record(15, tagOf(1, 16))}, 7, 10, []tag.Tag{tagOf(1, 1)}, false},
		{"everything", []changelog.Record{{Number: 11, All: true}}, 7, 10, []tag.Tag{tagOf(1, 1)}, false},
		{"born at everything", []changelog.Record{{Number: 11, All: true}}, 7, 11, []tag.Tag{tagOf(1, 1)}, true},
		{"not numbered", []changelog.Record{record(11), record(0, tagOf(1, 1))}, 7, 11, []tag.Tag{tagOf(1, 1)}, false},
		{"everything, not numbered", []changelog.Record{record(11), {All: true}}, 7, 11, nil, false},
		{"ahead", []changelog.Record{record(11, tagOf(1, 1))}, 7, 50, []tag.Tag{tagOf(1, 1)}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			table := history.New(0)
			table.Flush(7, 10)
			for _, r := range row.records {
				table.Note(r)
			}
			if got := table.Unchanged(row.epoch, row.born, row.tags); got != row.want {
				t.Errorf("Unchanged = %v; %+v", got, table.Stats())
			}
		})
	}
}

func TestNewTableProvesNothing(t *testing.T) {
	t.Parallel()
	if history.New(0).Unchanged(0, 0, nil) {
		t.Error("a table that was never told a position proves an entry")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	table := history.New(100)
	table.Flush(1, 0)
	for n := range uint64(10_000) {
		table.Note(record(n+1, tagOf(n, 1)))
		if held := table.Stats().Tags; held > 100 {
			t.Fatalf("%d tags are held after %d records", held, n+1)
		}
	}
	st := table.Stats()
	if st.Low < 9_800 || st.Low >= 10_000 {
		t.Errorf("the low mark is %d after 10000 records", st.Low)
	}
	if table.Unchanged(1, st.Low-1, nil) {
		t.Error("an entry from before the low mark was proven")
	}
	if !table.Unchanged(1, st.Low, []tag.Tag{tagOf(1<<60, 1)}) {
		t.Error("an entry from the low mark was not proven")
	}
}

// TestModel compares with a model that forgets nothing. An entry that the model knows
// changed may never be proven; with room for all tags and masks that are closed under
// union, one that the model knows unchanged always is.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		exact := rapid.Bool().Draw(t, "exact")
		room, masks := 1000, []uint64{1, 2, 3, 0}
		if !exact {
			room, masks = rapid.IntRange(1, 6).Draw(t, "room"), []uint64{1, 2, 4, 8, 16, 24, 0}
		}
		drawTags := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) tag.Tag {
			return tagOf(rapid.Uint64Range(1, 5).Draw(t, "hash"), rapid.SampledFrom(masks).Draw(t, "mask"))
		}), 0, 4)
		table := history.New(room)
		var records []changelog.Record
		epoch, start, last := uint64(1), uint64(0), uint64(0)
		table.Flush(epoch, 0)
		t.Repeat(map[string]func(*rapid.T){
			"note": func(t *rapid.T) {
				last++
				r := record(last, drawTags.Draw(t, "changed")...)
				records = append(records, r)
				table.Note(r)
			},
			"everything": func(t *rapid.T) {
				last++
				r := changelog.Record{Number: last, All: true}
				records = append(records, r)
				table.Note(r)
			},
			"flush": func(t *rapid.T) {
				epoch += rapid.Uint64Range(0, 1).Draw(t, "epochs")
				last += rapid.Uint64Range(0, 3).Draw(t, "missed")
				start, records = last, nil
				table.Flush(epoch, last)
			},
			"": func(t *rapid.T) {
				tags := drawTags.Draw(t, "read")
				born := rapid.Uint64Range(0, last+1).Draw(t, "born")
				asked := epoch - rapid.Uint64Range(0, 1).Draw(t, "ago")
				changed := asked != epoch || born < start || slices.ContainsFunc(records, func(r changelog.Record) bool {
					return r.Number > born && (r.All || meets(r.Tags, tags))
				})
				got := table.Unchanged(asked, born, tags)
				if got && changed {
					t.Fatalf("proven though changed: born %d, tags %v; %+v", born, tags, records)
				}
				if exact && !got && !changed {
					t.Fatalf("not proven though unchanged: born %d, tags %v; %+v", born, tags, records)
				}
			},
		})
	})
}

func meets(a, b []tag.Tag) bool {
	mask := func(t tag.Tag) uint64 {
		if t.Mask == 0 {
			return ^uint64(0)
		}
		return t.Mask
	}
	return slices.ContainsFunc(a, func(x tag.Tag) bool {
		return slices.ContainsFunc(b, func(y tag.Tag) bool { return x.Hash == y.Hash && mask(x)&mask(y) != 0 })
	})
}

// TestReadersNeverMissARecord has readers ask for an entry that the record just noted has
// changed.
func TestReadersNeverMissARecord(t *testing.T) {
	t.Parallel()
	table := history.New(64)
	table.Flush(1, 0)
	const records = 5_000
	noted := make(chan uint64)
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for n := range noted {
				if table.Unchanged(1, n-1, []tag.Tag{tagOf(n%100, 1)}) {
					t.Errorf("record %d was not seen", n)
				}
			}
		})
	}
	for n := range uint64(records) {
		table.Note(record(n+1, tagOf((n+1)%100, 1)))
		noted <- n + 1
	}
	close(noted)
	readers.Wait()
}

func BenchmarkUnchanged(b *testing.B) {
	for _, n := range []int{5, 20, 100} {
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) {
			table := history.New(0)
			table.Flush(1, 0)
			tags := make([]tag.Tag, n)
			for i := range tags {
				tags[i] = tagOf(uint64(i)*0x9e3779b97f4a7c15, 1)
				table.Note(record(uint64(i+1), tags[i]))
			}
			b.ReportAllocs()
			for b.Loop() {
				if !table.Unchanged(1, 1000, tags) {
					b.Fatal("changed")
				}
			}
		})
	}
}

func BenchmarkNote(b *testing.B) {
	table := history.New(0)
	table.Flush(1, 0)
	tags := make([]tag.Tag, 10)
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		for i := range tags {
			tags[i] = tagOf((n*10+uint64(i))*0x9e3779b97f4a7c15, 1)
		}
		table.Note(record(n, tags...))
	}
}
