package compat_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/compat/internal/twin"
)

// forms of one query: each is asked twice, so that a hit must be what a miss was.
var requests = map[string]twin.Request{
	"post":                      q(`{ item(id: 1) { id name price due weight note } }`),
	"get":                       {Method: http.MethodGet, Query: `{ item(id: 1) { name } }`, User: "alice"},
	"get, variables":            {Method: http.MethodGet, Query: `query Q($id: ID!) { item(id: $id) { name } }`, Variables: map[string]any{"id": 2}, Operation: "Q"},
	"get, mutation":             {Method: http.MethodGet, Query: `mutation { addPart(itemId: 1, name: "x") { name } }`},
	"form":                      {Type: "application/x-www-form-urlencoded", Body: []byte("query=" + url.QueryEscape(`{ item(id: 1) { name } }`)), User: "alice"},
	"string id":                 {Query: `query ($id: ID!) { item(id: $id) { id name } }`, Variables: map[string]any{"id": "3"}},
	"number id":                 {Query: `query ($id: ID!) { item(id: $id) { id name } }`, Variables: map[string]any{"id": 3}},
	"loaders":                   q(`{ items { name owner { name } seller { name } } }`),
	"batch":                     q(`{ items { stock parts { name item { name } } } }`),
	"interface":                 q(`{ node(id: 4) { id ... on Item { name owner { name } } } }`),
	"aliases":                   q(`{ a: item(id: 1) { x: name } b: item(id: 2) { y: name z: id } }`),
	"fragments":                 q(`query { item(id: 1) { ...f parts { ...g } } } fragment f on Item { name } fragment g on Part { name loaded }`),
	"skip":                      {Query: `query ($no: Boolean!) { item(id: 1) { name @skip(if: $no) id @include(if: $no) } }`, Variables: map[string]any{"no": true}},
	"role":                      {Query: `{ item(id: 1) { secret } }`, User: "admin"},
	"no role":                   {Query: `{ item(id: 1) { secret } }`, User: "bob"},
	"me":                        q(`{ me { name email } }`),
	"whoami":                    q(`{ whoami }`),
	"absent":                    q(`{ item(id: 77) { name } }`),
	"nil pointer":               q(`{ ghost { text } }`),
	"null in place":             q(`{ ghost { id text } }`),
	"errgroup":                  q(`{ pair(a: 1, b: 2) { name } }`),
	"nested":                    q(`{ self { self { item(id: 1) { name } } } }`),
	"lower":                     q(`{ mail(email: "ALICE@example.com") { name } }`),
	"error":                     q(`{ item(id: 1) { name } fail(how: ERROR) }`),
	"error, nullable":           q(`{ item(id: 1) { name } perhaps(how: ERROR) }`),
	"panic":                     q(`{ item(id: 1) { name } perhaps(how: PANIC) }`),
	"code":                      q(`{ item(id: 1) { name } perhaps(how: CODE) }`),
	"null":                      q(`{ item(id: 1) { name } perhaps(how: NULL) }`),
	"not parsed":                q(`{ item(id: 1 { name } }`),
	"not valid":                 q(`{ item(id: 1) { nome } }`),
	"no operation":              {Query: `query A { me { name } } query B { me { id } }`},
	"operation B":               {Query: `query A { me { name } } query B { me { id } }`, Operation: "B", User: "bob"},
	"wrong variable":            {Query: `query ($id: ID!) { item(id: $id) { name } }`, Variables: map[string]any{"id": map[string]any{}}},
	"not a number":              q(`{ item(id: "x") { name } }`),
	"missing variable":          {Query: `query ($id: ID!) { item(id: $id) { name } }`},
	"empty":                     {Query: ``},
	"not JSON":                  {Body: []byte(`{"query":`), Type: "application/json"},
	"no type":                   {Body: []byte(`{"query":"{ me { name } }"}`)},
	"introspection":             q(`{ __schema { queryType { name } } }`),
	"introspection, below":      q(`{ self { __typename __schema { queryType { name } } } }`),
	"typename":                  q(`{ __typename }`),
	"persisted, absent":         {Extensions: map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": "00"}}},
	"graphql-response":          {Query: `{ item(id: 1) { name } }`, Header: map[string]string{"Accept": "application/graphql-response+json"}},
	"graphql-response, invalid": {Query: `{ item { name } }`, Header: map[string]string{"Accept": "application/graphql-response+json"}},
	"options":                   {Method: http.MethodOptions},
	"head":                      {Method: http.MethodHead},
	"event stream":              {Query: `{ item(id: 1) { name } }`, Header: map[string]string{"Accept": "text/event-stream"}},
	"multipart mixed":           {Query: `{ item(id: 1) { name } }`, Header: map[string]string{"Accept": `multipart/mixed;boundary="graphql";deferSpec=20220824`}},
	"deferred":                  {Query: `{ item(id: 1) { name ... @defer { note } } }`, Header: map[string]string{"Accept": `multipart/mixed;boundary="graphql";deferSpec=20220824`}},
	"gzip":                      {Query: `{ items { name } }`, Header: map[string]string{"Accept-Encoding": "gzip"}},
}

// TestAnswersAreThoseOfTheServer: each request, twice, then a mutation, and again, on every stack.
func TestAnswersAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	for _, st := range stacksAndFiber {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			for name, r := range requests {
				if st.name == fiberStack.name && name == "errgroup" {
					continue // context.WithCancel's goroutine may ask fasthttp's context for Done after it went back to its pool
				}
				t.Run(name, func(t *testing.T) {
					w := newWorld(t, st, setup{})
					w.Same(r)
					w.Same(r)
					w.Same(q(`mutation { updateItem(id: 1, input: {name: "new"}) { name } }`))
					w.Same(r)
				})
			}
		})
	}
}

// Effects are those of the server: cookies and extensions that resolvers set are in every answer.
func TestEffectsAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	for _, st := range stacks {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, st, setup{})
			w.Same(q(`{ experiment }`))
			w.Same(q(`{ experiment }`))
			w.Same(q(`mutation { login(user: "alice") }`))
			w.Same(q(`mutation { login(user: "alice") }`))
		})
	}
}

// TestMutationsAreThoseOfTheServer: what mutations answer, and what is read after each of them.
func TestMutationsAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	reads := []string{
		`{ item(id: 1) { name price note weight } }`, `{ items { name } }`, `{ byPrice(price: 100) { name } }`, `{ ghost { text } }`,
		`{ items { stock parts { name } } }`, `{ node(id: 1) { ... on Item { owner { name } seller { name } } } }`,
		`{ mail(email: "ann@x") { name } }`, `{ thing(sku: "507f") { name } }`, `{ byDue(due: "2024-02-29T12:00:00Z") { name } }`,
	}
	for name, steps := range map[string][]string{
		"update":           {`mutation { updateItem(id: 1, input: {name: "n"}) { name owner { name } } }`},
		"update, null":     {`mutation { updateItem(id: 1, input: {note: "n"}) { note } }`, `mutation { updateItem(id: 1, input: {note: null}) { note } }`},
		"update, absent":   {`mutation { updateItem(id: 1, input: {}) { note } }`, `mutation { updateItem(id: 77, input: {name: "x"}) { note } }`},
		"create":           {`mutation { createItem(name: "x", price: 100) { name } }`},
		"create, as it is": {`mutation { createDefault(name: "x") { name } }`}, // a zero time
		"create, weight":   {`mutation { createDefault(name: "x") { name weight } }`},
		"part":             {`mutation { addPart(itemId: 1, name: "p") { name loaded } }`},
		"part via":         {`mutation { addPartVia(itemId: 1, name: "p") { name loaded } }`},
		"announced":        {`mutation { announce(id: 1, name: "a") { name } }`},
		"reserved":         {`mutation { reserve(id: 1, name: "r") { name } }`, `mutation { a: reserve(id: 1, name: "r") { name } b: updateItem(id: 2, input: {name: "b"}) { name } }`},
		"guarded":          {`mutation { addGuarded(itemId: 1, name: "g") { name } }`},
		"guarded, asked":   {`mutation { addGuarded(itemId: 1, name: "g") { name item { id } } }`},
		"owned":            {`mutation { addOwned(itemId: 1, name: "o") { part { name } } }`}, // a nil element
		"owned, asked":     {`mutation { addOwned(itemId: 1, name: "o") { part { name } owners { id } } }`},
		"thing":            {`mutation { putThing(sku: "507F", name: "t") }`},
		"mail":             {`mutation { createMail(email: "ANN@X", name: "Ann") { name } }`},
		"rename":           {`mutation { renameUser(id: 2, name: "Bobby") { name } }`},
		"one row":          {`mutation { updateItem(id: "01", input: {name: "spelt"}) { name } }`},
		"one row, signed":  {`mutation { updateItem(id: "+1", input: {name: "spelt"}) { name } }`},
		"fails after":      {`mutation { failAfter(id: 1, name: "x", how: ERROR) }`, `mutation { failAfter(id: 1, name: "y", how: PANIC) }`},
		"several":          {`mutation { a: updateItem(id: 1, input: {name: "a"}) { name } b: failAfter(id: 1, name: "b", how: CODE) c: addPart(itemId: 1, name: "c") { name } }`},
		"refused":          {`mutation { updateItem(id: "x", input: {}) { name } }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, netHTTP, setup{})
			for _, step := range append([]string{""}, steps...) {
				if step != "" {
					w.Same(q(step))
				}
				for _, read := range reads {
					w.Same(q(read))
					w.hits(func() { w.Same(q(read)) })
				}
			}
		})
	}
}

// stored asks for something twice, and fails the test unless the second answer is from the cache. An error is none.
func stored(w *world, r twin.Request) {
	w.T.Helper()
	if a := w.Same(r); !strings.Contains(a.Body, "errors") {
		w.hits(func() { w.Same(r) })
	}
}

// TestValuesAreComparedAsResolversGetThem: other spellings of one value, by literal and by variable.
func TestValuesAreComparedAsResolversGetThem(t *testing.T) {
	t.Parallel()
	price := `query ($p: Float!) { byPrice(price: $p) { name } }`
	for _, spelt := range []any{"1e2", "100.00", "+100", 100, 100.0, "0x64", "1_00"} {
		w := newWorld(t, netHTTP, setup{})
		r := twin.Request{Query: price, Variables: map[string]any{"p": spelt}}
		stored(w, r)
		w.Same(q(`mutation { createItem(name: "x", price: 100) { name } }`))
		w.Same(r)
	}
	item := `query ($id: ID!) { item(id: $id) { name } }`
	update := `mutation ($id: ID!, $name: String!) { updateItem(id: $id, input: {name: $name}) { name } }`
	for _, spelt := range [][2]any{{8, "08"}, {"08", 8}, {"+8", "8"}, {"8", "+8"}, {"008", "08"}, {8, "8"}} {
		w := newWorld(t, netHTTP, setup{})
		r := twin.Request{Query: item, Variables: map[string]any{"id": spelt[0]}}
		stored(w, r)
		w.Same(twin.Request{Query: update, Variables: map[string]any{"id": spelt[1], "name": "new"}})
		w.Same(r)
	}
	due := `query ($due: Time!) { byDue(due: $due) { name } }`
	for _, spelt := range []string{"2030-01-01T12:00:00Z", "2030-01-01T14:00:00+02:00", "2030-01-01T12:00:00.000Z"} {
		w := newWorld(t, netHTTP, setup{})
		r := twin.Request{Query: due, Variables: map[string]any{"due": spelt}}
		stored(w, r)
		w.Same(q(`mutation { updateItem(id: 1, input: {due: "2030-01-01T13:00:00+01:00"}) { name } }`))
		w.Same(r)
	}
	for _, spelt := range [][2]string{{"507f", "507F"}, {"507F", "507f"}} {
		w := newWorld(t, netHTTP, setup{})
		r := q(`{ thing(sku: "` + spelt[0] + `") { name } }`)
		stored(w, r)
		w.Same(q(`mutation { putThing(sku: "` + spelt[1] + `", name: "t") }`))
		w.Same(r)
	}
	for _, spelt := range [][2]string{{"ann@x", "ANN@X"}, {"ANN@X", "ann@x"}, {"Ann@x", "aNN@x"}} {
		w := newWorld(t, netHTTP, setup{})
		r := q(`{ mail(email: "` + spelt[0] + `") { name } }`)
		stored(w, r)
		w.Same(q(`mutation { createMail(email: "` + spelt[1] + `", name: "Ann") { name } }`))
		w.Same(r)
	}
}

// TestUploads: the form of the multipart specification.
func TestUploads(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	field := func(name, value string) {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	field("operations", `{"query":"mutation ($f: Upload!) { photo(id: 1, file: $f) { note } }","variables":{"f":null}}`)
	field("map", `{"0":["variables.f"]}`)
	file, err := form.CreateFormFile("0", "a.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte("pixels")); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	for _, st := range stacksAndFiber {
		w := newWorld(t, st, setup{})
		w.Same(q(`{ item(id: 1) { note } }`))
		w.Same(twin.Request{Body: body.Bytes(), Type: form.FormDataContentType(), User: "alice"})
		w.Same(q(`{ item(id: 1) { note } }`))
	}
}

// TestPersistedQueries: automatic ones, by GET and by POST.
func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	const text = `{ item(id: 1) { name } }`
	w := newWorld(t, netHTTP, setup{})
	ext := map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": sha(text)}}
	w.Same(twin.Request{Extensions: ext, User: "alice"}) // not found
	w.Same(twin.Request{Query: text, Extensions: ext, User: "alice"})
	w.Same(twin.Request{Extensions: ext, User: "alice"})
	w.Same(twin.Request{Method: http.MethodGet, Extensions: ext, User: "alice"})
	w.Same(q(`mutation { updateItem(id: 1, input: {name: "new"}) { name } }`))
	w.Same(twin.Request{Method: http.MethodGet, Extensions: ext, User: "alice"})
	w.Same(twin.Request{Query: `{ item(id: 2) { name } }`, Extensions: ext, User: "alice"}) // does not match
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestResolversOnAPath: a path's resolver that may run is run once by the cache, seen by the server's middlewares, and changes
// no byte. The row that it tells is dropped.
func TestResolversOnAPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, netHTTP, setup{})
	parts, other := q(`{ node(id: 1) { ... on Item { parts { name } } } }`), q(`{ node(id: 2) { ... on Item { parts { name } } } }`)
	for _, mutation := range []string{
		`mutation { addPartLate(itemId: 1, name: "p") { name } }`,
		`mutation { a: addPartLate(itemId: 1, name: "p") { name loaded } b: addPartLate(itemId: 1, name: "p") { id } }`,
	} {
		stored(w, parts)
		stored(w, other)
		r := q(mutation)
		plain, cached := w.ask(t.Context(), w.Plain, r), w.ask(t.Context(), w.Cached, r)
		if plain.String() != cached.String() {
			t.Errorf("%s\nwith the cache\n%s\nwithout\n%s", r.Query, cached, plain)
		}
		seen := func(a twin.Answer) int {
			return len(slices.DeleteFunc(slices.Clone(a.Fields), func(f string) bool { return !strings.HasPrefix(f, "Part.item ") }))
		}
		if seen(plain) != 0 || seen(cached) != strings.Count(mutation, "addPartLate") {
			t.Errorf("%s\nfield middlewares saw, with the cache,\n%s", mutation, strings.Join(cached.Fields, "\n"))
		}
		w.Same(parts)
		w.hits(func() { w.Same(other) })
	}
	// What the client has selected itself is not run again.
	for _, mutation := range []string{
		`mutation { addPartLate(itemId: 1, name: "p") { name item { name } } }`, `mutation { addPartVia(itemId: 1, name: "p") { item { owner { name } } } }`,
	} {
		stored(w, parts)
		stored(w, other)
		w.Same(q(mutation))
		w.Same(parts)
		w.hits(func() { w.Same(other) })
	}
}
