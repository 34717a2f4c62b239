package gqlcache_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// countersIn is the schema with the counters' view under another name.
func countersIn(s *testgraph.Store, view string) graphql.ExecutableSchema {
	return editDirectives(testgraph.Executable(s, "cacheControl"), func(on string, d *ast.Directive) *ast.Directive {
		if on != "Counter" || d.Name != "view" {
			return d
		}
		c := *d
		c.Arguments = ast.ArgumentList{{Name: "name", Value: &ast.Value{Raw: view, Kind: ast.StringValue}, Position: d.Position}}
		return &c
	})
}

const readHello = `{post(id:$Hello){name}}`

// TestForeignViews: what an instance keeps when another one, with a schema that has one
// view under another name, has changed something.
func TestForeignViews(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(b *instance)
		kept   string // of a's answers: u, the user; c, the counter; p, the post
	}{
		{"a view of both", func(b *instance) { b.want("INVALIDATED", "", renameAnn) }, "p"}, // c: b has no name for its view
		{"a view that it alone has", func(b *instance) { b.want("INVALIDATED", "", setCounter) }, ""},
		{"an operation", func(b *instance) {
			if err := b.cache.Invalidate(t.Context(), gqlcache.Operation("N"), gqlcache.View("v_log")); err != nil {
				b.t.Error(err)
			}
		}, ""},
		{"everything", func(b *instance) { b.want("INVALIDATED", "", `mutation{renameUndeclared(id:$Ann,name:"New")}`) }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 0)
			a := r.addServing(testgraph.Executable(r.rows, "cacheControl"))
			b := r.addServing(countersIn(r.rows, "v_tally"))
			b.ask(`mutation{log}`) // its first record lists its views
			reads := map[string]string{"u": readAnn, "c": readCounter, "p": readHello}
			for _, read := range reads {
				a.ask(read)
				a.want("HIT memory", "", read)
			}
			row.change(b)
			kept := ""
			for _, name := range []string{"u", "c", "p"} {
				if _, sum := a.ask(reads[name]); sum == "HIT memory" {
					kept += name
				}
			}
			if kept != row.kept {
				t.Errorf("kept %q, want %q", kept, row.kept)
			}
		})
	}
}

// TestStrangers: an instance that does not know which views the other has drops
// everything. It learns that from a record that lists them.
func TestStrangers(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 0)
	b := r.addServing(countersIn(r.rows, "v_tally"))
	b.ask(`mutation{log}`)
	introduction := r.fakeLog.records[0]
	a := r.addServing(testgraph.Executable(r.rows, "cacheControl")) // it has not seen that record
	a.want("MISS", "", readHello)
	b.want("INVALIDATED", "", renameAnn)
	a.want("MISS", "", readHello)
	r.fakeLog.change(func() { r.fakeLog.append(introduction) })
	a.log.deliver()
	a.want("HIT memory", "", readHello)
	b.want("INVALIDATED", "", renameBob)
	a.want("HIT memory", "", readHello)
	// One with the same views needs no list.
	c := r.add(func(_ *instance, o *gqlcache.Options) { o.Infer = true })
	c.want("MISS", "", readHello)
	a.ask(renameAnn)
	c.want("HIT memory", "", readHello)
}

// TestOddRecords: what has the form of a record with names and is none drops everything.
func TestOddRecords(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 0)
	a := r.add()
	b := r.add(func(_ *instance, o *gqlcache.Options) { o.Infer = true })
	b.ask(renameAnn)
	good := r.fakeLog.records[0].Tags
	edit := func(f func([]cascade.Tag) []cascade.Tag) []cascade.Tag { return f(append([]cascade.Tag(nil), good...)) }
	for name, tags := range map[string][]cascade.Tag{
		"no names":              edit(func(l []cascade.Tag) []cascade.Tag { l[2].Mask &= 1<<32 - 1; return l }),
		"more names than tags":  edit(func(l []cascade.Tag) []cascade.Tag { l[2].Mask = 1<<40 | 5; return l }),
		"most names":            edit(func(l []cascade.Tag) []cascade.Tag { l[2].Mask = ^uint64(0); return l }),
		"two tags":              good[:2],
		"a list of other views": edit(func(l []cascade.Tag) []cascade.Tag { l[1].Mask++; return l }),
		"a view of nobody":      edit(func(l []cascade.Tag) []cascade.Tag { l[3].Hash++; return l }),
	} {
		a.ask(readHello)
		a.want("HIT memory", "", readHello)
		r.fakeLog.change(func() { r.fakeLog.append(changelog.Record{Tags: tags}) })
		a.log.deliver()
		a.want("MISS", "", readHello)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestJoinedRecords: a log that was out of reach makes one record of the changes that it
// kept. Instances of other schemas hear of all of them.
func TestJoinedRecords(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 0)
	a := r.add()
	b := r.add(func(_ *instance, o *gqlcache.Options) { o.Infer = true })
	b.ask("mutation{log}")
	for _, rename := range []string{renameBob, renameAnn} {
		b.ask(rename)
	}
	records := r.fakeLog.records
	first, second := records[len(records)-3].Tags, records[len(records)-1].Tags // the log, Ann
	a.ask(readAnn)
	a.want("HIT memory", "", readAnn)
	a.ask(readHello)
	r.fakeLog.change(func() { r.fakeLog.append(changelog.Record{Tags: slices.Concat(first, second)}) })
	a.log.deliver()
	a.want("HIT memory", "", readHello)
	a.want("MISS", "", readAnn)
}

// TestRenamedPartitions: one build calls the tenants otherwise than the other. A change
// made by either is seen by the other's callers.
func TestRenamedPartitions(t *testing.T) {
	t.Parallel()
	renamed := func(ctx context.Context) string {
		if name := tenant(ctx); name != "" {
			return "tenant " + name
		}
		return ""
	}
	for _, row := range []struct {
		name             string
		build, partition [2]string
		others           string // what another tenant's answer is after a change
	}{
		{"the version says so", [2]string{"x", "x"}, [2]string{"1", "2"}, `{"userCount":3}`},
		{"nobody says so", [2]string{"x", "y"}, [2]string{}, `{"userCount":3}`},
		{"the default build", [2]string{"", "y"}, [2]string{}, `{"userCount":3}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, writer := range []int{0, 1} {
				r := newInstances(t, 0)
				for n, partition := range []func(context.Context) string{tenant, renamed} {
					r.addServing(partitioned(r.rows), func(_ *instance, o *gqlcache.Options) {
						o.Predicate, o.Partition = always, partition
						o.Build, o.PartitionVersion = row.build[n], row.partition[n]
					})
				}
				count := func(m *instance, viewer string) (data, sum string) {
					resp, sum := m.ask("{userCount}", "X-Viewer", viewer)
					return string(resp.Data), sum
				}
				for _, m := range r.all {
					count(m, "a:ann")
					if data, sum := count(m, "a:ann"); sum != "HIT memory" || data != `{"userCount":2}` {
						t.Fatalf("%s %s", sum, data)
					}
				}
				r.all[writer].ask(`mutation{createUser(input:{name:"New"}){id}}`, "X-Viewer", "a:ann")
				for n, m := range r.all {
					if data, sum := count(m, "a:ann"); data != row.others {
						t.Errorf("instance %d answers %s (%s) after a change by %d", n, data, sum, writer)
					}
				}
			}
		})
	}
}

// TestPartitionsStayApart: instances of one build, and those whose version says that the
// tenants are called alike, do not drop one tenant's answers at another one's change.
func TestPartitionsStayApart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, version string
		builds        [2]string
	}{
		{"one build", "", [2]string{"x", "x"}},
		{"the executable", "", [2]string{}},
		{"two builds with one version", "1", [2]string{"x", "y"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newInstances(t, 0)
			for _, build := range row.builds {
				r.addServing(partitioned(r.rows), func(_ *instance, o *gqlcache.Options) {
					o.Predicate, o.Partition, o.Build, o.PartitionVersion = always, tenant, build, row.version
				})
			}
			a, b := r.two()
			b.ask("{userCount}", "X-Viewer", "b:bob")
			a.ask(`mutation{createUser(input:{name:"New"}){id}}`, "X-Viewer", "a:ann")
			if _, sum := b.ask("{userCount}", "X-Viewer", "b:bob"); sum != "HIT memory" && sum != "HIT shared" {
				t.Errorf("another tenant's answer: %s", sum)
			}
		})
	}
}

// TestBuilds: instances of two builds do not share answers, and hear each other's
// changes.
func TestBuilds(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 0)
	a := r.add(func(_ *instance, o *gqlcache.Options) { o.Build = "1" })
	b := r.add(func(_ *instance, o *gqlcache.Options) { o.Build = "2" })
	c := r.add(func(_ *instance, o *gqlcache.Options) { o.Build = "1" })
	a.want("MISS", "Ann", readAnn)
	b.want("MISS", "Ann", readAnn)
	c.want("HIT shared", "Ann", readAnn)
	a.want("INVALIDATED", "", renameAnn)
	b.want("MISS", "New", readAnn)
	c.want("MISS", "New", readAnn)
}

// TestDeployment: a long random load on two instances. No answer is stale, and two builds
// side by side keep most of the hits that one build has; so do two schemas as a
// deployment has them, one of which declares more.
func TestDeployment(t *testing.T) {
	t.Parallel()
	run := func(change func(n int, o *gqlcache.Options)) (hits int) {
		r := newInstances(t, 0)
		for n := range 2 {
			r.add(func(_ *instance, o *gqlcache.Options) { change(n, o) })
		}
		random := rand.New(rand.NewPCG(1, 2))
		values := map[int]int{}
		name := "Ann"
		for i := range 2000 {
			m := r.all[random.IntN(2)]
			switch kind := random.IntN(100); {
			case kind < 2:
				name = fmt.Sprint("Ann", i)
				m.ask(fmt.Sprintf(`mutation{renameUser(id:$Ann,name:%q)}`, name))
			case kind < 4:
				k := random.IntN(40)
				values[k] = i
				m.ask(fmt.Sprintf("mutation{setCounter(id:%d,value:%d){value}}", 100+k, i))
			case kind < 40:
				resp, sum := m.ask(readAnn)
				if !strings.Contains(string(resp.Data), fmt.Sprintf("%q", name)) {
					t.Fatalf("%s: %s, want %s", sum, resp.Data, name)
				}
				hits += hit(sum)
			case kind < 60:
				_, sum := m.ask(readHello)
				hits += hit(sum)
			case kind < 70:
				_, sum := m.ask("{userCount}")
				hits += hit(sum)
			default:
				k := random.IntN(40)
				resp, sum := m.ask(fmt.Sprintf("{counter(id:%d){value}}", 100+k))
				if v, ok := values[k]; ok && !strings.Contains(string(resp.Data), fmt.Sprintf(`:%d}`, v)) {
					t.Fatalf("%s: %s, want %d", sum, resp.Data, v)
				}
				hits += hit(sum)
			}
		}
		return hits
	}
	one := run(func(int, *gqlcache.Options) {})
	builds := run(func(n int, o *gqlcache.Options) { o.Build = fmt.Sprint(n) })
	schemas := run(func(n int, o *gqlcache.Options) { o.Infer = n == 1 })
	t.Logf("hits: one build %d, two builds %d, two schemas %d", one, builds, schemas)
	if builds*10 < one*8 {
		t.Errorf("two builds have %d hits, one has %d", builds, one)
	}
	if schemas*10 < one*6 {
		t.Errorf("two schemas have %d hits, one has %d", schemas, one)
	}
}

func hit(sum string) int {
	if strings.HasPrefix(sum, "HIT") {
		return 1
	}
	return 0
}

// TestRecordBegins: what docs/log-format.md says of the first tags of a record.
func TestRecordBegins(t *testing.T) {
	t.Parallel()
	r := newInstances(t, 1)
	a := r.all[0]
	a.ask(renameAnn)
	a.ask(setCounter)
	tags, err := a.cache.Tags(gqlcache.Entity("User", testgraph.Ann))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := cascade.Compile(testgraph.Executable(r.rows, "cacheControl").Schema(), cascade.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[uint64]string{}
	var all []uint64
	for _, v := range plan.Views() {
		hashes[v.NameHash()] = v.Name
		all = append(all, v.NameHash())
	}
	slices.Sort(all)
	var b []byte
	for _, n := range all {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(b)
	first, second := r.fakeLog.records[0].Tags, r.fakeLog.records[1].Tags
	for name, row := range map[string]struct {
		tags   []cascade.Tag
		listed int
		named  string
	}{
		"the first record": {first, len(all), "v_active_user v_user"},
		"the second":       {second, 0, "v_counter"},
		"Tags":             {tags, 0, "v_active_user v_user"},
	} {
		if row.tags[0] != first[0] {
			t.Errorf("%s: the mark is %x, and %x in the first record", name, row.tags[0], first[0])
		}
		if want := (cascade.Tag{Hash: binary.LittleEndian.Uint64([]byte("wvnames1")), Mask: binary.LittleEndian.Uint64(sum[:])}); row.tags[1] != want {
			t.Errorf("%s: second tag %x, want %x", name, row.tags[1], want)
		}
		names := strings.Fields(row.named)
		if want := (cascade.Tag{Mask: uint64(len(names))<<32 | uint64(row.listed)}); row.tags[2] != want {
			t.Errorf("%s: third tag %x, want %x", name, row.tags[2], want)
		}
		var words []uint64
		for _, tag := range row.tags[3 : 3+(len(names)+row.listed+1)/2] {
			words = append(words, tag.Hash, tag.Mask)
		}
		var got []string
		for _, w := range words[:len(names)] {
			got = append(got, hashes[w])
		}
		slices.Sort(got)
		if !slices.Equal(got, names) || row.listed > 0 && !slices.Equal(words[len(names):len(names)+row.listed], all) {
			t.Errorf("%s: names %q and %x", name, got, words[len(names):])
		}
	}
	// XXH64, seed 0, of "v_user" and of the name that no view has: they are the same for
	// ever.
	if h := plan.Views()[slices.IndexFunc(plan.Views(), func(v *cascade.View) bool { return v.Name == "v_user" })].NameHash(); h != 0xf370ffa0d065dc6d || cascade.Unnamed.Hash != 0x23f3233f20193c75 {
		t.Errorf("v_user is called %#x, and no view %#x", h, cascade.Unnamed.Hash)
	}
}
