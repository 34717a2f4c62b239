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

// A modelPool gives resolvers' users to a pool when their root field has returned: it
// overwrites them, as the next request would that takes them.
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

// TestModelsThatLiveAsLongAsTheirRootField: keys that clients do not select are read
// before interceptors of root fields return. What they do to the models afterwards is not
// read.
func TestModelsThatLiveAsLongAsTheirRootField(t *testing.T) {
	t.Parallel()
	rename := func(id string) string { return `: mutation{renameUser(id:"` + id + `",name:"new")}` }
	mail := func(id string) string { return `: mutation{updateUser(id:"` + id + `",input:{email:"e"}){name}}` }
	const (
		one   = `{users{name}}`
		two   = `{a: users{name} b: usersByName(name:"Bob"){email}}`
		alike = `{a: users{name} a: users{email}}`
		count = `{usersByName(name:"Bob"){email} usersPage{totalCount}}`
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
		{"a root field of which nothing is read", []string{`MISS: ` + count, mail(testgraph.Ann), `HIT: ` + count, mail(testgraph.Bob), `MISS: ` + count}},
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

// A sharedModel is a server whose resolvers return one model. The middleware of a root
// field with the alias writes writes to it.
type sharedModel struct {
	named
	user *testgraph.User
	read chan struct{} // closed when a field of the other root field was read
}

func (s sharedModel) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	switch {
	case fc.Field.Name == "name":
		if graphql.GetRootFieldContext(ctx).Field.Alias == "reads" {
			defer close(s.read)
		}
		return next(ctx)
	case fc.Field.Alias == "writes":
		<-s.read
		s.user.ID = "u9"
	}
	return s.user, nil
}

// TestModelsThatRootFieldsShare: in a server without interceptors of root fields, what a
// resolver writes to a model that another root field has returned, in a field that no
// client reads, is no data race. The race detector notices.
func TestModelsThatRootFieldsShare(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := newRig(t, "annotated", gqlcache.Options{FieldHooksCovered: true})
		m := sharedModel{"shared", &testgraph.User{ID: "u1", Name: "Ann"}, make(chan struct{})}
		srv := testgraph.Serve(testgraph.Executable(r.store, "cacheControl"), m, r.cache)
		testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: `{reads: user(id:"u1"){name} writes: user(id:"u1"){__typename}}`})
	}
}

// A lateRoot answers root fields with an error, and has them resolved when the answer is
// there.
type lateRoot struct {
	named
	answered chan struct{}
	late     *sync.WaitGroup
	user     *testgraph.User
}

func (l lateRoot) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	l.late.Go(func() {
		<-l.answered
		next(ctx)
	})
	graphql.AddErrorf(ctx, "time is up")
	return graphql.Null
}

func (l lateRoot) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	if graphql.GetFieldContext(ctx).Field.Name == "name" {
		return next(ctx)
	}
	return l.user, nil
}

// TestNothingIsReadForAnAnswerThatIsGiven: models of a root field that an interceptor has
// given up are not read when the answer is there, also an answer with errors. The race
// detector notices.
func TestNothingIsReadForAnAnswerThatIsGiven(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := newRig(t, "annotated", gqlcache.Options{FieldHooksCovered: true})
		l := lateRoot{"late", make(chan struct{}), &sync.WaitGroup{}, &testgraph.User{ID: "u1", Name: "Ann"}}
		srv := testgraph.Serve(testgraph.Executable(r.store, "cacheControl"), l, r.cache)
		testgraph.Do(t, t.Context(), srv, testgraph.Request{Query: `{user(id:"u1"){name}}`})
		close(l.answered)
		l.user.ID = "u9"
		l.late.Wait()
	}
}
