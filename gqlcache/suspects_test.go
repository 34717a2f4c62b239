package gqlcache_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

func suspectsOf(m inspect.Mismatch) string {
	var list []string
	for _, s := range m.Suspects {
		list = append(list, s.Mutation+": "+s.Missing)
	}
	return m.Path + " " + m.Field + "\n" + strings.Join(list, "\n")
}

// passedBy is the sentence on a mutation of a post whose author was not selected, which
// the oldest gqlgen does not tell.
func passedBy() string {
	if onFloor {
		return "Mine: @writes of Mutation.updatePost does not reach v_user, which Query.user reads"
	}
	return "Mine: @writes of Mutation.updatePost reaches v_post, but not the rows that User.postCount shows: its row, where or set names others"
}

// Each row changes something behind the cache that the mutations before it do not account
// for.
func TestSuspects(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name      string
		query     string
		mutations []string
		behind    string
		want      string
	}{
		{
			"nobody", `{user(id:$Ann){name}}`, nil,
			`mutation{renameUser(id:$Ann,name:"x")}`,
			"user.name User.name\n",
		},
		{
			"another column of the row", `{user(id:$Ann){email}}`,
			[]string{`mutation Mine{renameUser(id:$Ann,name:"x")}`, `mutation Other{renameUser(id:$Bob,name:"x")}`},
			`mutation{updateUser(id:$Ann,input:{email:"new@x"}){id}}`,
			"user.email User.email\n" +
				"Mine: @writes of Mutation.renameUser reaches this row of v_user, but not its column email\n" +
				"Other: @writes of Mutation.renameUser reaches v_user, but not the rows that User.email shows: its row, where or set names others",
		},
		{
			"the mutation about these rows comes first", `{user(id:$Ann){name}}`,
			[]string{`mutation Mine{createPost(authorId:$Ann,name:"n"){ok}}`, `mutation Other{setCounter(id:9,value:1){id}}`},
			`mutation{renameUser(id:$Ann,name:"x")}`,
			"user.name User.name\n" +
				"Mine: @writes of Mutation.createPost does not reach v_user, which User.name reads\n" +
				"Other: @writes of Mutation.setCounter does not reach v_user, which User.name reads",
		},
		{
			"a list has another row", `{posts(status:PUBLISHED){name}}`,
			[]string{`mutation Draft{createPost(id:"zz",authorId:$Ann,name:"n"){ok}}`},
			`mutation{createPost(id:"0",authorId:$Ann,name:"first",status:PUBLISHED){ok}}`,
			"posts[0].name Post.name\n" +
				"Draft: @writes of Mutation.createPost reaches v_post, but not the rows that Post.name shows: its row, where or set names others",
		},
		{
			"an edge is there and other columns pass it", `{user(id:$Ann){postCount}}`,
			[]string{`mutation Mine{updatePost(id:$Hello,input:{name:"n"}){id}}`},
			`mutation{createPost(authorId:$Ann,name:"n"){ok}}`,
			"user.postCount User.postCount\n" + passedBy(),
		},
		{
			"no edge to a derived view", `{userStats(userId:$Ann){posts}}`,
			[]string{`mutation Mine{renameUser(id:$Ann,name:"n")}`},
			`mutation{createPost(authorId:$Ann,name:"n"){ok}}`,
			"userStats.posts UserStats.posts\n" +
				"Mine: @writes of Mutation.renameUser does not reach v_user_stats, which UserStats.posts reads: @dependsOn does not lead there from v_user",
		},
		{
			"two root fields", `{user(id:$Ann){email}}`,
			[]string{`mutation Both{log renameUser(id:$Ann,name:"x")}`},
			`mutation{updateUser(id:$Ann,input:{email:"new@x"}){id}}`,
			"user.email User.email\n" +
				"Both: @writes of Mutation.renameUser reaches this row of v_user, but not its column email\n" +
				"Both: @writes of Mutation.log does not reach v_user, which User.email reads",
		},
		{
			"a mutation that was over before", `{user(id:$Bob){email}}`,
			[]string{},
			`mutation{updateUser(id:$Bob,input:{email:"new@x"}){id}}`,
			"user.email User.email\n",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newVerifyRig(t, nil)
				r.ask(`mutation Before{renameUser(id:$Bob,name:"before")}`)
				r.ask(row.query)
				for _, m := range row.mutations {
					r.ask(m)
				}
				r.behind(row.behind)
				r.ask(row.query)
				v := r.settle()
				if v.Mismatched != 1 {
					t.Fatalf("found %+v", v)
				}
				if got := suspectsOf(v.Mismatches[0]); got != row.want {
					t.Errorf("suspects of\n%s\nwant\n%s", got, row.want)
				}
			})
		})
	}
}

// TestSuspectsAtRuntime: where a resolver has said a half of what it reads, verify mode names
// its field and the mutations that it may have read of.
func TestSuspectsAtRuntime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRigOn(t, func(s *testgraph.Store) graphql.ExecutableSchema { return atRuntime(s, "Query.userCount") }, nil)
		r.store.On("Query.userCount", func(ctx context.Context) error { return gqlcache.Read(ctx, gqlcache.Tag("counted")) })
		const query = `{userCount}`
		r.ask(query)
		r.ask(`mutation Mine{createUser(input:{name:"n"}){id}}`)
		r.ask(query)
		v := r.settle()
		if v.Mismatched != 1 {
			t.Fatalf("found %+v", v)
		}
		const want = "userCount Query.userCount\n" +
			"Mine: the resolver of Query.userCount, which has @reads(atRuntime: true), has not said that it reads what Mutation.createUser writes"
		if got := suspectsOf(v.Mismatches[0]); got != want {
			t.Errorf("suspects of\n%s\nwant\n%s", got, want)
		}
	})
}

// What did no harm before is less suspicious than what is seen for the first time.
func TestSuspectsAreRefuted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		const query = `{user(id:$Ann){name}}`
		r.ask(query)
		for n := range 5 {
			r.ask(fmt.Sprintf(`mutation Often{updatePost(id:$Hello,input:{name:"n%d",authorId:$Ann}){id}}`, n))
			r.ask(query) // right, although a mutation about this user came in
			r.settle()
		}
		r.ask(`mutation Once{createPost(authorId:$Ann,name:"n"){ok}}`)
		r.ask(`mutation Often{updatePost(id:$Hello,input:{name:"x",authorId:$Ann}){id}}`)
		r.behind(`mutation{renameUser(id:$Ann,name:"x")}`)
		r.ask(query)
		v := r.settle()
		if v.Mismatched != 1 || v.Confirmed != 5 {
			t.Fatalf("found %+v", v)
		}
		const want = "user.name User.name\n" +
			"Once: @writes of Mutation.createPost does not reach v_user, which User.name reads\n" +
			"Often: @writes of Mutation.updatePost does not reach v_user, which User.name reads"
		if got := suspectsOf(v.Mismatches[0]); got != want {
			t.Errorf("suspects of\n%s\nwant\n%s", got, want)
		}
	})
}

// What is kept is bounded: mutations, mismatches, lines.
func TestVerifyBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newVerifyRig(t, nil)
		for n := range 120 {
			query := fmt.Sprintf(`query Q%d{alias%d:user(id:$Ann){name}}`, n, n)
			r.ask(query)
			r.behind(fmt.Sprintf(`mutation{renameUser(id:$Ann,name:"n%d")}`, n))
			r.ask(query)
			r.settle()
		}
		v := r.settle()
		if v.Mismatched != 120 || len(v.Mismatches) != 50 || v.Mismatches[49].Operation.Name != "Q119" {
			t.Errorf("%d mismatches, %d kept", v.Mismatched, len(v.Mismatches))
		}
		if lines := strings.Count(r.log.String(), "\n"); lines != 100 {
			t.Errorf("%d lines", lines)
		}
		r.ask(`{user(id:$Ann){email}}`)
		for range 600 {
			r.ask(`mutation Many{log}`)
		}
		r.behind(`mutation{updateUser(id:$Ann,input:{email:"e"}){id}}`)
		r.ask(`{user(id:$Ann){email}}`)
		v = r.settle()
		if got := suspectsOf(v.Mismatches[49]); got != "user.email User.email\nMany: @writes of Mutation.log does not reach v_user, which User.email reads" {
			t.Errorf("suspects of\n%s", got)
		}
	})
}

type userKey struct{}

// A hit is recomputed when its request is over, so on a context that has a copy of what
// resolvers need. A cache without a schema of its own gets it from the server, and
// executes with it.
func ExampleVerifyOptions() {
	cache, err := gqlcache.New(gqlcache.Options{
		Callers: gqlcache.AllSeeTheSame,
		Verify: gqlcache.VerifyOptions{
			Rate: 0.001,
			Context: func(ctx context.Context) (context.Context, error) {
				return context.WithValue(context.Background(), userKey{}, ctx.Value(userKey{})), nil
			},
		},
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close() }()
	v := cache.VerifyStats()
	fmt.Println(v.Rate, v.Sampled, v.Mismatched)
	// Output: 0.001 0 0
}
