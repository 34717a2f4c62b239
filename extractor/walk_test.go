package extractor_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/vektah/gqlparser/v2/ast"
)

// describe renders objects as type:key, with the parent's index.
func describe(res *extractor.Result) string {
	var out []string
	for _, o := range res.Objects {
		s := "?"
		switch {
		case o.Null:
			s = "null"
		case o.Selection != nil:
			s = o.Selection.Object.Name
		}
		if o.Key != nil {
			s += ":" + string(o.Key)
		}
		out = append(out, fmt.Sprintf("%s^%d", s, o.Parent))
	}
	return strings.Join(out, " ")
}

// TestWalk feeds responses as a server would send them; N stands for the nonce.
func TestWalk(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, query, data, objects, want string }{
		{"hidden key", `{ me { name } }`, `{"me":{"Nk0":"7","name":"x"}}`, "Query^-1 User:7^0", `{"me":{"name":"x"}}`},
		{"plain key", `{ me { name id } }`, `{"me":{"name":"x","id":"7"}}`, "Query^-1 User:7^0", ``},
		{"hidden first of two", `{ me { id } me { name } }`, `{"me":{"id":"7","Nk0":"7","name":"x"}}`, "Query^-1 User:7^0", `{"me":{"id":"7","name":"x"}}`},
		{"hidden last", `{ me { id } me { name } }`, `{"me":{"id":"7","name":"x","Nk0":"7"}}`, "Query^-1 User:7^0", `{"me":{"id":"7","name":"x"}}`},
		{"hidden twice at the end", `{ me { name } }`, `{"me":{"name":"x","Nk0":"7","Np0":1}}`, "Query^-1 User:7^0", `{"me":{"name":"x"}}`},
		{"only hidden", `{ me { name @skip(if: true) } }`, `{"me":{"Nk0":"7"}}`, "Query^-1 User:7^0", `{"me":{}}`},
		{"white space", `{ me { name } }`, "{ \"me\" : {\t\"Nk0\" : 7 , \"name\":\"x\"\n} } ", "Query^-1 User:7^0", "{ \"me\" : {\t\"name\":\"x\"\n} } "},
		{"name is not the key", `{ me { id: name } }`, `{"me":{"Nk0":"7","id":"8"}}`, "Query^-1 User:7^0", `{"me":{"id":"8"}}`},
		{"failed hidden key", `{ me { name } }`, `{"me":{"Nk0":null,"name":"x"}}`, "Query^-1 User^0", `{"me":{"name":"x"}}`},
		{"failed hidden key beside a plain one", `{ me { id } me { name } }`, `{"me":{"id":"7","Nk0":null,"name":"x"}}`, "Query^-1 User:7^0", `{"me":{"id":"7","name":"x"}}`},
		{"nulls in lists", `{ posts { id } }`, `{"posts":[null,{"id":1},null]}`, "Query^-1 null^0 Post:1^0 null^0", ``},
		{"empty list", `{ posts { id } }`, `{"posts":[]}`, "Query^-1", ``},
		{"null", `{ posts { id } }`, `{"posts":null}`, "Query^-1 null^0", ``},
		{"lists of lists", `{ anys { __typename } }`, `{"anys":[[{"Nk1":"1","__typename":"Post"}],[],null,[{"Nt2":"Stats"}]]}`, "Query^-1 Post:1^0 null^0 Stats^0", `{"anys":[[{"__typename":"Post"}],[],null,[{}]]}`},
		{"concrete type", `{ node { id } }`, `{"node":{"Nk1":"1","id":"1"}}`, "Query^-1 User:1^0", `{"node":{"id":"1"}}`},
		{"concrete type not told", `{ node { id } }`, `{"node":{"id":"1","Nk1":"1"}}`, "Query^-1 ?^0", ``},
		{"unknown type number", `{ node { id } }`, `{"node":{"Nk9":"1","id":"1"}}`, "Query^-1 ?^0", ``},
		{"no type number", `{ node { id } }`, `{"node":{"Nkx":"1","id":"1"}}`, "Query^-1 ?^0", ``},
		{"abstract and empty", `{ node { id } }`, `{"node":{}}`, "Query^-1 ?^0", ``},
		{"abstract and no object", `{ node { id } }`, `{"node":"opaque"}`, "Query^-1 ?^0", ``},
		{"object and no object", `{ me { id } }`, `{"me":12}`, "Query^-1 ?^0", ``},
		{"hidden inside a scalar", `{ me { extra } }`, `{"me":{"Nk0":"1","extra":{"Nk0":"2","id":"3"}}}`, "Query^-1 User:1^0", `{"me":{"extra":{"Nk0":"2","id":"3"}}}`},
		{"alias without the nonce", `{ me { __ck0: name } }`, `{"me":{"Nk0":"1","__ck0":"2"}}`, "Query^-1 User:1^0", `{"me":{"__ck0":"2"}}`},
		{"hidden kind that is unknown", `{ me { name } }`, `{"me":{"Nk0":"1","Nz":"2","Npx":3}}`, "Query^-1 User:1^0", `{"me":{"Nz":"2","Npx":3}}`},
		{"hidden where nothing was injected", `{ me { id } }`, `{"me":{"id":"1","Nk0":"2"}}`, "Query^-1 User:1^0", ``},
		{"unknown member", `{ me { id } }`, `{"me":{"x":{"id":2},"id":"1"}}`, "Query^-1 User:1^0", ``},
		{"data null", `{ me { id } }`, ` null `, "null^-1", ``},
		{"strings with brackets", `{ me { name id } }`, `{"me":{"name":"}]\\\"{,","id":"1\\"}}`, `Query^-1 User:1\^0`, ``},
		{"key that is no scalar", `{ me { name id } }`, `{"me":{"name":1,"id":[1]}}`, `Query^-1 User^0`, ``},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := prepare(t, extractor.Spec{}, row.query)
			data := []byte(strings.ReplaceAll(row.data, "N", extractor.Nonce()))
			in := string(data)
			res, err := o.Walk(data)
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(res); got != row.objects {
				t.Errorf("objects %s, want %s", got, row.objects)
			}
			want := strings.ReplaceAll(row.want, "N", extractor.Nonce())
			if want == "" {
				want = in
			}
			if string(res.Data) != want {
				t.Errorf("data %s, want %s", res.Data, want)
			}
			if shared := &res.Data[0] == &data[0]; shared != (want == in) {
				t.Errorf("shares memory: %v", shared)
			}
			if cap(res.Data) != len(res.Data) && want != in {
				t.Errorf("%d bytes for %d", cap(res.Data), len(res.Data))
			}
			if string(data) != in {
				t.Error("the input changed")
			}
		})
	}
}

func TestWalkMalformed(t *testing.T) {
	t.Parallel()
	o := prepare(t, extractor.Spec{}, `{ me { name friend { name } } posts { id } }`)
	for _, data := range []string{
		``, ` `, `{`, `[]`, `1`, `"x"`, `nul`, `{}}`, `{} x`, `{"me"}`, `{"me":}`, `{"me":{}`, `{"me":{"name"`, `{"me":{"name":"x}}`, `{"me":{"name":"x\"}}`,
		`{"me":{"name":[}}`, `{"me":{,}}`, `{"me":{"name":1,}}`, `{"me":{"name":1 "x":2}}`, `{"me":nul}`, `{"posts":[}`, `{"posts":[{},]}`, `{"posts":[{} {}]}`,
		`{me:1}`, `{"me":{"` + extractor.Nonce() + `k0":}}`, `{"x":{]`, strings.Repeat(`{"posts":`, 3), `{"posts":` + strings.Repeat(`[`, 200_000),
		`{"posts":` + strings.Repeat(`[`, 200_000) + strings.Repeat(`]`, 200_000) + `}`,
	} {
		if res, err := o.Walk([]byte(data)); !errors.Is(err, extractor.ErrMalformed) || res != nil {
			t.Errorf("%.40q: %v", data, err)
		}
	}
	deep := `{"other":` + strings.Repeat(`[`, 200_000) + strings.Repeat(`]`, 200_000) + `}`
	if _, err := o.Walk([]byte(deep)); err != nil {
		t.Errorf("what is skipped has no depth limit: %v", err)
	}
}

func TestWalkDeep(t *testing.T) {
	t.Parallel()
	const depth = 900 // gqlparser reads no document deeper than 1000
	o := prepare(t, extractor.Spec{}, `{ me `+strings.Repeat(`{ friend `, depth)+`{ name }`+strings.Repeat(`}`, depth)+` }`)
	key := `"` + extractor.Nonce() + `k0":"1",`
	data := `{"me":` + strings.Repeat(`{`+key+`"friend":`, depth) + `{` + key + `"name":"x"}` + strings.Repeat(`}`, depth) + `}`
	res, err := o.Walk([]byte(data))
	if err != nil || res.Rows != depth+1 || string(res.Data) != strings.ReplaceAll(data, key, "") {
		t.Fatalf("%v: %+v", err, res)
	}
}

// TestWalkPaths reads hidden paths, complete or not.
func TestWalkPaths(t *testing.T) {
	t.Parallel()
	spec := extractor.Spec{Paths: func(f *extractor.Field, object *ast.Definition) [][]string {
		if f.Name != "save" {
			return nil
		}
		return [][]string{{"id"}, {"posts", "id"}, {"posts", "author", "id"}, {"friend", "name"}, {"nothing"}, {"posts"}, {"age"}}
	}}
	o := prepare(t, spec, `mutation { save(id: 1) { name } }`)
	want := `mutation { save(id: 1) { Nk0: id Np0: posts { Np1: id Np2: author { Np3: id } } Np4: friend { Np5: name } Np6: age name } }`
	if got := render(o); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	if p := o.Root.Fields[0].On[0].Paths; len(p) != 7 {
		t.Fatalf("%d paths", len(p))
	}
	for _, row := range []struct{ name, members, want string }{
		{"all there", `"Nk0":"9","Np0":[{"Np1":"1","Np2":{"Np3":"2"}},{"Np1":3,"Np2":{"Np3":"4"}}],"Np4":{"Np5":"n"},"Np6":5,`,
			`[["9"] ["1" 3] ["2" "4"] ["n"] - - [5]]`},
		{"empty list", `"Nk0":"9","Np0":[],"Np4":{"Np5":"n"},"Np6":5,`, `[["9"] [] [] ["n"] - - [5]]`},
		{"null on the way", `"Nk0":"9","Np0":[{"Np1":"1","Np2":null},null],"Np4":null,"Np6":null,`, `[["9"] - - - - - -]`},
		{"one element failed", `"Nk0":"9","Np0":[{"Np1":"1","Np2":{"Np3":"2"}},{"Np1":null,"Np2":{"Np3":"4"}}],"Np4":{},"Np6":5,`,
			`[["9"] - ["2" "4"] - - - [5]]`},
		{"one element lacks a step", `"Nk0":"9","Np0":[{"Np1":"1"},{"Np1":"2","Np2":{"Np3":"4"}}],"Np4":{"Np5":{}},`, `[["9"] ["1" "2"] - - - - -]`},
		{"no hidden members", ``, `[- - - - - - -]`},
		{"failed key", `"Nk0":null,"Np0":1,"Np4":[{"Np5":"a"},{"Np5":["b",["c"]]}],"Np6":5,`, `[- - - ["a" "b" "c"] - - [5]]`},
		{"step below the wrong one", `"Nk0":"9","Np0":[{"Np1":"1","Np2":{"Np3":"2"},"Np3":"x","Np4":{}}],"Np4":{"Np5":"n"},"Np6":5,`, `[["9"] ["1"] ["2"] ["n"] - - [5]]`},
		{"steps out of place", `"Nk0":"9","Np3":"x","Np0":[{"Np5":"y","Np0":{}}],"Np99":1,`, `[["9"] - - - - - -]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			data := `{"save":{` + row.members + `"name":"x"}}`
			res, err := o.Walk([]byte(strings.ReplaceAll(data, "N", extractor.Nonce())))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, values := range res.Objects[1].Paths {
				s := fmt.Sprintf("%s", values)
				if values == nil {
					s = "-"
				}
				got = append(got, s)
			}
			if fmt.Sprint(got) != row.want {
				t.Errorf("got %v, want %s", got, row.want)
			}
			if string(res.Data) != `{"save":{"name":"x"}}` {
				t.Errorf("data %s", res.Data)
			}
		})
	}
}

// TestWalkCascade executes mutations whose payload has a report that the client did not
// select.
func TestWalkCascade(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, query, data, stripped, want string }{
		{"in the payload", `mutation { full { data { id } } }`,
			`{"full":{"Ns":true,"Nc":{"N_updated":[]},"data":null}}`, `{"full":{"data":null}}`, `full {"N_updated":[]} false`},
		{"payload not successful", `mutation { full { success } }`,
			`{"full":{"Ns":false,"Nc":{},"success":false}}`, `{"full":{"success":false}}`, `full {} true`},
		{"success failed", `mutation { full { success } }`,
			`{"full":{"Ns":null,"Nc":{},"success":true}}`, `{"full":{"success":true}}`, `full {} true`},
		{"aliased and hidden by the client", `mutation { a: full { cascade: success } }`,
			`{"a":{"Ns":true,"Nc":{"x":1},"cascade":true}}`, `{"a":{"cascade":true}}`, `a {"x":1} false`},
		{"in data", `mutation { inData { success } }`,
			`{"inData":{"Ns":true,"Nd":{"Nc":{"x":1}},"success":true}}`, `{"inData":{"success":true}}`, `inData {"x":1} false`},
		{"data null", `mutation { inData { success } }`,
			`{"inData":{"Ns":true,"Nd":null,"success":true}}`, `{"inData":{"success":true}}`, `inData  false`},
		{"payload null", `mutation { full { success } }`, `{"full":null}`, `{"full":null}`, `full  false`},
		{"list", `mutation { fulls { success } }`,
			`{"fulls":[{"Ns":true,"Nc":1,"success":true},null,{"Ns":true,"Nc":2,"success":true}]}`, `{"fulls":[{"success":true},null,{"success":true}]}`,
			`fulls 1 false; fulls  false; fulls 2 false`},
		{"empty list", `mutation { fulls { success } }`, `{"fulls":[]}`, `{"fulls":[]}`, `fulls  false`},
		{"union member", `mutation { either { __typename } }`,
			`{"either":{"Nt0":"FullPayload","Ns":true,"Nc":{"x":1},"__typename":"FullPayload"}}`, `{"either":{"__typename":"FullPayload"}}`, `either {"x":1} false`},
		{"union member without report", `mutation { either { __typename } }`,
			`{"either":{"Nt1":"Stats","__typename":"Stats"}}`, `{"either":{"__typename":"Stats"}}`, `either  false`},
		{"no report in the type", `mutation { save(id: 1) { id } }`, `{"save":{"id":"1"}}`, `{"save":{"id":"1"}}`, ``},
		{"two root fields", `mutation { full { success } b: full { success } }`,
			`{"full":{"Ns":true,"Nc":1,"success":true},"b":{"Ns":true,"Nc":2,"success":true}}`, `{"full":{"success":true},"b":{"success":true}}`, `full 1 false; b 2 false`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := prepare(t, extractor.Spec{Cascade: true}, row.query)
			res, err := o.Walk([]byte(strings.ReplaceAll(row.data, "N", extractor.Nonce())))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range res.Cascade {
				got = append(got, fmt.Sprintf("%s %s %v", c.Root.Name, strings.ReplaceAll(string(c.Raw), extractor.Nonce(), "N"), c.Failed))
			}
			if s := strings.Join(got, "; "); s != row.want {
				t.Errorf("got %s, want %s", s, row.want)
			}
			if string(res.Data) != row.stripped {
				t.Errorf("data %s, want %s", res.Data, row.stripped)
			}
			if o.Root.Fields[0].Cascade != (row.want != "") {
				t.Errorf("Field.Cascade is %v", o.Root.Fields[0].Cascade)
			}
		})
	}
}

// TestCascadeEndToEnd executes the hidden selection of a report and parses what comes
// out.
func TestCascadeEndToEnd(t *testing.T) {
	t.Parallel()
	o := prepare(t, extractor.Spec{Cascade: true}, `mutation { full { success } }`)
	want := `mutation { full { Ns: success Nc: cascade { ` +
		`N_updated: updated { N___typename: __typename N_entityType: entityType N_id: id N_operation: operation N_entity: entity { N___typename: __typename } } ` +
		`N_deleted: deleted { N___typename: __typename N_entityType: entityType N_id: id } ` +
		`N_invalidations: invalidations { N_queryName: queryName N_arguments: arguments N_strategy: strategy N_scope: scope } ` +
		`N_metadata: metadata { N_affectedCount: affectedCount } } success } }`
	if got := render(o); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	data := `{"full":{"Ns":true,"Nc":{"N_updated":[{"N___typename":"UpdatedEntity","N_entityType":null,"N_id":"1","N_operation":"UPDATED","N_entity":{"N___typename":"User"}}],` +
		`"N_deleted":[],"N_invalidations":[],"N_metadata":{"N_affectedCount":1}},"success":true}}`
	res, err := o.Walk([]byte(strings.ReplaceAll(data, "N", extractor.Nonce())))
	if err != nil {
		t.Fatal(err)
	}
	got := res.Cascade[0].Parse()
	if want := (extractor.Cascade{Updated: []extractor.Change{{Type: "User", ID: "1", Op: extractor.ChangeUpdated}}}); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
