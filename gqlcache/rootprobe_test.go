package gqlcache_test

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// A modelPool gives resolvers' users to a pool when their root field has returned: it overwrites them, as the next
// request would that takes them.
type modelPool struct {
	named
	taken *sync.Map // users by response name of the root field
}

func newModelPool() modelPool { return modelPool{"pool", &sync.Map{}} }

func (p modelPool) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	v, err := next(ctx)
	var models []*testgraph.User
	switch u := v.(type) {
	case *testgraph.User:
		if u == nil {
			return v, err
		}
		c := *u
		models = []*testgraph.User{&c}
		v = models[0]
	case []*testgraph.User:
		for _, u := range u {
			c := *u
			models = append(models, &c)
		}
		v = models
	default:
		return v, err
	}
	root := graphql.GetRootFieldContext(ctx).Field.Alias
	if old, ok := p.taken.Load(root); ok {
		models = append(old.([]*testgraph.User), models...)
	}
	p.taken.Store(root, models)
	return v, err
}

func (p modelPool) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	m := next(ctx)
	if models, ok := p.taken.LoadAndDelete(graphql.GetRootFieldContext(ctx).Field.Alias); ok {
		for _, u := range models.([]*testgraph.User) {
			*u = testgraph.User{ID: "of another request", Name: "another"}
		}
	}
	return m
}

// TestModelsThatLiveAsLongAsTheirRootField: keys that clients do not select are read before interceptors of root
// fields return. What they do to the models afterwards is not read.
func TestModelsThatLiveAsLongAsTheirRootField(t *testing.T) {
	t.Parallel()
	rename := func(id string) string { return `: mutation{renameUser(id:"` + id + `",name:"new")}` }
	mail := func(id string) string { return `: mutation{updateUser(id:"` + id + `",input:{email:"e"}){name}}` }
	const (
		one   = `{users{name}}`
		two   = `{a: users{name} b: usersByName(name:"Bob"){email}}`
		alike = `{a: users{name} a: users{email}}`
		order = `query{...f @include(if:false) a: usersByName(name:"Ann"){email} b: usersByName(name:"Bob"){name}} ` +
			`fragment f on Query{b: usersByName(name:"Bob"){name}}`
	)
	for _, row := range []struct {
		name  string
		steps []string // "STATUS: document"
	}{
		{"one root field", []string{`MISS: ` + one, `HIT: ` + one, rename(testgraph.Ann), `MISS: ` + one, mail(testgraph.Ann), `HIT: ` + one}},
		{"several", []string{`MISS: ` + two, mail(testgraph.Ann), `HIT: ` + two, mail(testgraph.Bob), `MISS: ` + two, rename(testgraph.Ann), `MISS: ` + two}},
		{"two nodes of one name", []string{`MISS: ` + alike, mail(testgraph.Ann), `MISS: ` + alike}},
		{"the order of the answer", []string{`MISS: ` + order, mail(testgraph.Bob), `HIT: ` + order, mail(testgraph.Ann), `MISS: ` + order}},
		{"mutations", []string{
			`MISS: {user(id:"n1"){name}}`, `MISS: {user(id:"n2"){name}}`, `MISS: {user(id:"n3"){name}}`,
			`: mutation{a: createUser(id:"n1",input:{name:"x"}){name} b: createUser(id:"n2",input:{name:"y"}){name}}`,
			`MISS: {user(id:"n1"){name}}`, `MISS: {user(id:"n2"){name}}`, `HIT: {user(id:"n3"){name}}`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{}, newModelPool())
			var got []string
			for _, step := range row.steps {
				_, document, _ := strings.Cut(step, ": ")
				_, status := r.do(testgraph.Request{Query: document})
				got = append(got, status+": "+document)
			}
			if !reflect.DeepEqual(got, row.steps) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(row.steps, "\n"))
			}
		})
	}
}
