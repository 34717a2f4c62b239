package testgraph

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
)

type resolver struct{ *Store }

func (r resolver) Query() QueryResolver               { return query(r) }
func (r resolver) Mutation() MutationResolver         { return mutation(r) }
func (r resolver) Subscription() SubscriptionResolver { return subscription(r) }

type query resolver

// get answers a root field of a query.
func get[T any](ctx context.Context, q query, work func() T) (T, error) {
	return at(ctx, q.Store, "Query."+graphql.GetFieldContext(ctx).Field.Name, func() (T, error) { return work(), nil })
}

// Viewer tells who asks: the header X-Viewer, "nobody" without it.
func Viewer(ctx context.Context) string {
	if v := graphql.GetOperationContext(ctx).Headers.Get("X-Viewer"); v != "" {
		return v
	}
	return "nobody"
}

func (q query) User(ctx context.Context, id string) (*User, error) {
	return get(ctx, q, func() *User { return row(q.users, id) })
}

func (q query) Users(ctx context.Context) ([]*User, error) {
	return get(ctx, q, func() []*User { return sorted(q.users, nil) })
}

func (q query) UsersByName(ctx context.Context, name string) ([]*User, error) {
	return get(ctx, q, func() []*User { return sorted(q.users, func(u User) bool { return u.Name == name }) })
}

func (q query) UsersPage(ctx context.Context, first *int) (*UserConnection, error) {
	return get(ctx, q, func() *UserConnection {
		all := sorted(q.users, nil)
		page := &UserConnection{Edges: []*UserEdge{}, PageInfo: &PageInfo{}, TotalCount: len(all)}
		for _, u := range all[:min(len(all), max(*first, 0))] {
			page.Edges = append(page.Edges, &UserEdge{Cursor: "c:" + u.ID, Node: u})
			page.PageInfo.EndCursor = new("c:" + u.ID)
		}
		page.PageInfo.HasNextPage = len(page.Edges) < len(all)
		return page
	})
}

func (q query) ActiveUsers(ctx context.Context) ([]*User, error) {
	return get(ctx, q, func() []*User { return sorted(q.users, func(u User) bool { return u.Email != nil }) })
}

func (q query) UserCount(ctx context.Context) (int, error) {
	return get(ctx, q, func() int { return len(q.users) })
}

func (q query) UserNames(ctx context.Context) ([]string, error) {
	return get(ctx, q, func() []string {
		names := []string{}
		for _, u := range sorted(q.users, nil) {
			names = append(names, u.Name)
		}
		return names
	})
}

func (q query) Node(ctx context.Context, id string) (Node, error) {
	viewer := Viewer(ctx)
	return get(ctx, q, func() Node { return q.node(id, viewer) })
}

func (q query) PublicNode(ctx context.Context, id string) (Node, error) { return q.Node(ctx, id) }

func (q query) Named(ctx context.Context, id string) (Named, error) {
	viewer := Viewer(ctx)
	return get(ctx, q, func() Named {
		if name, ok := q.docs[id]; ok {
			return &Doc{ID: uuid.MustParse(id), Name: name}
		}
		named, _ := q.node(id, viewer).(Named)
		return named
	})
}

func (q query) Hit(ctx context.Context, id string) (Hit, error) {
	return get(ctx, q, func() Hit {
		hit, _ := q.node(id, "").(Hit)
		return hit
	})
}

func (q query) Search(ctx context.Context, text string) ([]Hit, error) {
	return get(ctx, q, func() []Hit { return q.search(text) })
}

func (q query) Post(ctx context.Context, id string) (*Post, error) {
	return get(ctx, q, func() *Post { return row(q.posts, id) })
}

func (q query) Posts(ctx context.Context, status *Status) ([]*Post, error) {
	return get(ctx, q, func() []*Post {
		return sorted(q.posts, func(p Post) bool { return status == nil || p.Status == *status })
	})
}

func (q query) Comment(ctx context.Context, id string) (*Comment, error) {
	return get(ctx, q, func() *Comment { return row(q.comments, id) })
}

func (q query) UserStats(ctx context.Context, userID string) (*UserStats, error) {
	return get(ctx, q, func() *UserStats {
		return &UserStats{UserID: userID, Posts: len(sorted(q.posts, func(p Post) bool { return p.authorID == userID }))}
	})
}

func (q query) Counter(ctx context.Context, id int) (*Counter, error) {
	return get(ctx, q, func() *Counter {
		if v, ok := q.counters[id]; ok {
			return &Counter{ID: id, Value: v}
		}
		return nil
	})
}

func (q query) Counters(ctx context.Context) ([]*Counter, error) {
	return get(ctx, q, q.allCounters)
}

// allCounters returns the counters in order. REQUIRES: mu.
func (q query) allCounters() []*Counter {
	out := []*Counter{}
	for id := range 100 {
		if v, ok := q.counters[id]; ok {
			out = append(out, &Counter{ID: id, Value: v})
		}
	}
	return out
}

func (q query) CounterGrid(ctx context.Context) ([][]*Counter, error) {
	return get(ctx, q, func() [][]*Counter { return slices.Collect(slices.Chunk(q.allCounters(), 2)) })
}

func (q query) ValueGrid(ctx context.Context) ([][]int, error) {
	return get(ctx, q, func() [][]int {
		grid := [][]int{{}}
		for _, c := range q.allCounters() {
			grid = append(grid, []int{c.Value})
		}
		return grid
	})
}

func (q query) Doc(ctx context.Context, id uuid.UUID) (*Doc, error) {
	return get(ctx, q, func() *Doc {
		if name, ok := q.docs[id.String()]; ok {
			return &Doc{ID: id, Name: name}
		}
		return nil
	})
}

func (q query) Settings(ctx context.Context) (map[string]any, error) {
	return get(ctx, q, func() map[string]any {
		out := map[string]any{}
		for k, v := range q.settings {
			out[k] = v
		}
		return out
	})
}

func (q query) Broken(ctx context.Context, mode string) (*Broken, error) {
	return get(ctx, q, func() *Broken {
		if label, ok := q.broken[mode]; ok {
			return &Broken{mode: mode, Label: label}
		}
		return nil
	})
}

func (q query) Flash(ctx context.Context, id string) (*Flash, error) {
	return get(ctx, q, func() *Flash {
		if text, ok := q.flashes[id]; ok {
			return &Flash{ID: id, Text: text}
		}
		return nil
	})
}

func (q query) Banner(ctx context.Context, id string) (*Banner, error) {
	viewer := Viewer(ctx)
	return get(ctx, q, func() *Banner {
		if text, ok := q.banners[id]; ok {
			return &Banner{ID: id, Text: text, Reader: &viewer}
		}
		return nil
	})
}

func (q query) Viewer(ctx context.Context) (string, error) {
	viewer := Viewer(ctx)
	return get(ctx, q, func() string { return viewer })
}

func (q query) Notes(ctx context.Context) ([]*Note, error) {
	viewer := Viewer(ctx)
	return get(ctx, q, func() []*Note {
		out := []*Note{}
		for _, id := range slices.Sorted(keys(q.notes)) {
			if n := q.notes[id]; n.owner == viewer {
				out = append(out, &Note{ID: id, Name: n.name})
			}
		}
		return out
	})
}

func (q query) Loose(ctx context.Context, id string) (*Loose, error) {
	return get(ctx, q, func() *Loose {
		if name, ok := q.loose[id]; ok {
			return &Loose{ID: id, Name: name}
		}
		return nil
	})
}

func (q query) LooseAll(ctx context.Context) ([]*Loose, error) {
	return get(ctx, q, func() []*Loose {
		out := []*Loose{}
		for _, id := range slices.Sorted(keys(q.loose)) {
			out = append(out, &Loose{ID: id, Name: q.loose[id]})
		}
		return out
	})
}

// Echo tells what the arguments were as the resolver saw them.
func (q query) Echo(ctx context.Context, text *string, n *float64, list []*string, grid [][]*int, m map[string]any, input *EchoInput, id *string, dflt *int) (string, error) {
	given := graphql.GetFieldContext(ctx).Field.Arguments
	names := []string{}
	for _, a := range given {
		names = append(names, a.Name)
	}
	return get(ctx, q, func() string {
		num := "null"
		if n != nil {
			num = strconv.FormatFloat(*n, 'g', -1, 64)
		}
		b, err := json.Marshal([]any{names, text, num, list, grid, m, input, id, dflt})
		if err != nil {
			return err.Error()
		}
		return string(b)
	})
}

func (q query) Fails(ctx context.Context) (*string, error) {
	if _, err := get(ctx, q, func() string { return "" }); err != nil {
		return nil, err
	}
	return nil, errors.New("it fails")
}

func (q query) FailsHard(ctx context.Context) (string, error) {
	_, err := q.Fails(ctx)
	return "", err
}

func (q query) Panics(ctx context.Context) (*string, error) {
	if _, err := get(ctx, q, func() string { return "" }); err != nil {
		return nil, err
	}
	panic("it panics") // what the field is for
}

type subscription resolver

func (s subscription) Ticks(ctx context.Context, n int) (<-chan int, error) {
	ticks := make(chan int)
	go func() {
		defer close(ticks)
		for i := range n {
			select {
			case ticks <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ticks, nil
}
