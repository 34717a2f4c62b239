package gqlcache_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
	"github.com/vektah/gqlparser/v2/ast"
)

// editDirectives replaces the directives of a schema that testgraph.Executable copied.
func editDirectives(es graphql.ExecutableSchema, edit func(on string, d *ast.Directive) *ast.Directive) graphql.ExecutableSchema {
	list := func(on string, l ast.DirectiveList) {
		for i, d := range l {
			l[i] = edit(on, d)
		}
	}
	s := es.Schema()
	list("schema", s.SchemaDirectives)
	for name, def := range s.Types {
		list(name, def.Directives)
		for _, f := range def.Fields {
			list(name+"."+f.Name, f.Directives)
		}
	}
	return es
}

// partitioned is the schema with v_user and v_banner split by tenant, and setBanner
// writing banners that it does not name: a row that is named is the same row in all
// partitions.
func partitioned(s *testgraph.Store) graphql.ExecutableSchema {
	return editDirectives(testgraph.Executable(s, "none"), func(on string, d *ast.Directive) *ast.Directive {
		c := *d
		if on == "Mutation.setBanner" {
			c.Arguments = slices.DeleteFunc(slices.Clone(d.Arguments), func(a *ast.Argument) bool { return a.Name == "row" })
			return &c
		}
		if d.Name != "view" || (on != "User" && on != "Banner") {
			return d
		}
		c.Arguments = append(slices.Clone(d.Arguments), &ast.Argument{
			Name: "partitioned", Value: &ast.Value{Raw: "true", Kind: ast.BooleanValue}, Position: d.Position,
		})
		return &c
	})
}

// tenant is the partition of the viewers of the tests: "a:ann" is of tenant a, "admin" of
// none.
func tenant(ctx context.Context) string {
	name, _, ok := strings.Cut(testgraph.Viewer(ctx), ":")
	if !ok {
		return ""
	}
	if name == "broken" {
		panic("partition") // a caller's bug
	}
	return name
}

func always(context.Context) (gqlcache.Predicate, error) {
	return gqlcache.Predicate{Text: "true"}, nil
}

// TestPartition: whose answers a change reaches. Each row reads as each reader, changes
// as the writer, and lists the readers whose answer is then computed anew.
func TestPartition(t *testing.T) {
	t.Parallel()
	const banner, setBanner = `{banner(id:"b1"){text}}`, `mutation{setBanner(id:"b1",text:"new")}`
	const count, create = "{userCount}", `mutation{createUser(input:{name:"New"}){id}}`
	const post, updatePost = "{post(id:$Hello){name}}", `mutation{updatePost(id:$Hello,input:{name:"x"}){name}}`
	readers := []string{"a:ann", "b:bob", "admin"}
	for _, row := range []struct {
		name          string
		options       gqlcache.Options
		read, writer  string
		write, fallen string
	}{
		{"inside one", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, count, "a:ada", create, "a:ann admin"},
		{"inside the other", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, count, "b:ben", create, "b:bob admin"},
		{"inside a third", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, count, "c:cid", create, "admin"},
		{"outside of all", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, count, "root", create, "a:ann b:bob admin"},
		{"partition panics", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, count, "broken:x", create, "a:ann b:bob admin"},
		{"undeclared mutation", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, readAnn, "a:ada", `mutation{renameUndeclared(id:$Ann,name:"x")}`, "a:ann b:bob admin"},
		{"view that is not partitioned", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, post, "a:ada", updatePost, "a:ann b:bob admin"},
		{"no Partition", gqlcache.Options{Predicate: viewerPredicate}, count, "a:ada", create, "a:ann b:bob admin"},
		// One answer for all: whoever asks first after the change computes it.
		{"public answer", gqlcache.Options{Predicate: viewerPredicate, Partition: tenant}, banner, "c:cid", setBanner, "a:ann"},
		{"no predicate", gqlcache.Options{Partition: tenant}, banner, "c:cid", setBanner, "a:ann"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := testgraph.NewStore()
			es := partitioned(s)
			if row.options.Predicate == nil {
				row.options.Callers = gqlcache.AllSeeTheSame
				es = editDirectives(es, func(_ string, d *ast.Directive) *ast.Directive {
					if d.Name == "cacheControl" {
						c := *d
						c.Arguments = nil
						return &c
					}
					return d
				})
			}
			c := newCache(t, row.options)
			h := testgraph.Serve(es, c)
			ask := func(viewer, document string) string {
				before := c.Stats()
				testgraph.Ask(t, h, expand(document), nil, "X-Viewer", viewer)
				return outcome(before, c.Stats())
			}
			for _, r := range readers {
				ask(r, row.read)
			}
			for _, r := range readers {
				if got := ask(r, row.read); got != "HIT" {
					t.Fatalf("before the change: %s got %s", r, got)
				}
			}
			ask(row.writer, row.write)
			var fallen []string
			for _, r := range readers {
				if ask(r, row.read) != "HIT" {
					fallen = append(fallen, r)
				}
			}
			if got := strings.Join(fallen, " "); got != row.fallen {
				t.Errorf("computed anew for %q, want %q", got, row.fallen)
			}
		})
	}
}

// TestPartitionOfAReader: one that cannot be told hears of every tenant's changes.
func TestPartitionOfAReader(t *testing.T) {
	t.Parallel()
	s := testgraph.NewStore()
	c := newCache(t, gqlcache.Options{Predicate: always, Partition: tenant})
	h := testgraph.Serve(partitioned(s), c)
	testgraph.Ask(t, h, "{userCount}", nil, "X-Viewer", "broken:x")
	testgraph.Ask(t, h, `mutation{createUser(input:{name:"New"}){id}}`, nil, "X-Viewer", "a:ann")
	if got := testgraph.Ask(t, h, "{userCount}", nil, "X-Viewer", "a:ann"); string(got.Data) != `{"userCount":3}` {
		t.Errorf("answer %s", got.Body)
	}
}
