package gqlcache_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/extractor"
	"github.com/cascadeql/cascadeql/gqlcache"
	"github.com/cascadeql/cascadeql/gqlcache/internal/testgraph"
)

// TestBadInput: whatever a client sends, twice, around a change: the answers are the
// uncached server's.
func TestBadInput(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"d":`, 500) + `{}` + strings.Repeat(`}`, 500)
	lists := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	nested := "query{users{name ...F0}}"
	for i := range 60 {
		nested += fmt.Sprintf(" fragment F%d on User{name ...F%d}", i, i+1)
	}
	nested += " fragment F60 on User{email}"
	wide := "query{users{...W0}}" // doubles at every step
	for i := range 10 {
		wide += fmt.Sprintf(" fragment W%d on User{a%d:boss{...W%d} b%d:boss{...W%d}}", i, i, i+1, i, i+1)
	}
	wide += " fragment W10 on User{name}"
	body := func(query, variables string) string {
		return fmt.Sprintf(`{"query":%q,"variables":%s}`, query, variables)
	}
	echo := "query($i:EchoInput,$m:Map,$n:Float,$l:[String],$t:String,$id:ID){echo(input:$i,map:$m,n:$n,list:$l,text:$t,id:$id)}"
	rows := []struct{ name, raw string }{
		{"empty", " "},
		{"not JSON", "{query"},
		{"JSON of another kind", `"query"`},
		{"array", `[{"query":"{users{name}}"}]`},
		{"null", "null"},
		{"null query", `{"query":null}`},
		{"trailing bytes", `{"query":"{users{name}}"} x`},
		{"truncated", `{"query":"{users{name}}"`},
		{"unknown operation", `{"query":"query A{users{name}}","operationName":"B"}`},
		{"no operation", `{"query":"fragment F on User{name}"}`},
		{"unknown field", `{"query":"{nope}"}`},
		{"duplicate keys", `{"query":"{nope}","query":"{users{name}}","variables":{},"variables":{"x":1}}`},
		{"duplicate variables", body(echo, `{"t":"a","t":"b"}`)},
		{"deep variable", body(echo, `{"i":`+deep+`}`)},
		{"deep map", body(echo, `{"m":`+deep+`}`)},
		{"deep list in a map", body(echo, `{"m":{"l":`+lists+`}}`)},
		{"huge string", body(echo, `{"t":"`+strings.Repeat("x", 1<<16)+`"}`)},
		{"huge number", body(echo, `{"n":1e999}`)},
		{"huge number in a map", body(echo, `{"m":{"n":1e999}}`)},
		{"tiny number", body(echo, `{"n":1e-999}`)},
		{"not a number", body(echo, `{"n":NaN}`)},
		{"negative zero", body(echo, `{"n":-0}`)},
		{"zero", body(echo, `{"n":0}`)},
		{"number with a fraction", body(echo, `{"n":1.0}`)},
		{"number in a map", body(echo, `{"m":{"n":1}}`)},
		{"number in a map with a fraction", body(echo, `{"m":{"n":1.0}}`)},
		{"text in a map", body(echo, `{"m":{"n":"1"}}`)},
		{"precise number in a map", body(echo, `{"m":{"n":9007199254740993}}`)},
		{"other precise number in a map", body(echo, `{"m":{"n":9007199254740992}}`)},
		{"invalid UTF-8", body(echo, "{\"t\":\"\xff\xfe\"}")},
		{"other invalid UTF-8", body(echo, "{\"t\":\"\xfe\xff\"}")},
		{"lone surrogate", body(echo, `{"t":"\ud800"}`)},
		{"zero byte", body(echo, `{"t":"\u0000"}`)},
		{"id as an int", body(echo, `{"id":1}`)},
		{"id as a text", body(echo, `{"id":"1"}`)},
		{"id as a float", body(echo, `{"id":1.5}`)},
		{"id as a bool", body(echo, `{"id":true}`)},
		{"id as an object", body(echo, `{"id":{}}`)},
		{"null variables", body(echo, `null`)},
		{"variables of another kind", body(echo, `[1]`)},
		{"variables that nobody asked for", body("{users{name}}", `{"x":{"y":[1,2,{}]}}`)},
		{"strange ids", `{"query":"{a:user(id:\"\"){name} b:user(id:\" \"){name} c:user(id:\"\\u0000\"){name} d:user(id:-1){name}}"}`},
		{"no UUID", `{"query":"{doc(id:\"nope\"){name}}"}`},
		{"fragments in fragments", body(nested, "{}")},
		{"fragments that double", body(wide, "{}")},
		{"fragment cycle", body("{users{...A}} fragment A on User{...B} fragment B on User{...A}", "{}")},
		{"unknown fragment", body("{users{...A}}", "{}")},
		{"deep selection", body("{users"+strings.Repeat("{boss", 300)+"{name}"+strings.Repeat("}", 300)+"}", "{}")},
		{"many aliases", body("{"+aliases(300)+"}", "{}")},
		{"imitated alias", body("{users{__c0123456789abcdefk1:name}}", "{}")},
		{"our own alias", body("{users{"+extractor.Nonce()+"k1:name}}", "{}")},
		{"our own alias on an id", body("{users{"+extractor.Nonce()+"k1:id}}", "{}")},
		{"our own alias at the root", body("{"+extractor.Nonce()+"k0:userCount}", "{}")},
		{"our own alias on an interface", body("{node(id:\""+testgraph.Ann+"\"){"+extractor.Nonce()+"k0:id ...on User{name}}}", "{}")},
		{"our own alias in an alias", body("{users{x"+extractor.Nonce()+"k1:name}}", "{}")},
		{"our own alias as data", body(echo, `{"t":"\"`+extractor.Nonce()+`k0\":1"}`)},
		{"our own alias as a key of data", body(echo, `{"m":{"`+extractor.Nonce()+`k0":1}}`)},
		{"directives", body("query @skip(if:true){users{name}}", "{}")},
		{"both root types", body("query A{users{name}} subscription B{ticks(n:1)}", "{}")},
	}
	for _, level := range []string{"annotated", "bare"} {
		for _, row := range rows {
			t.Run(level+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, level, gqlcache.Options{})
				r.do(testgraph.Request{Raw: row.raw})
				r.do(testgraph.Request{Raw: row.raw})
				r.run(level, []string{`mutation{renameUser(id:$Ann,name:"New")}`})
				r.do(testgraph.Request{Raw: row.raw})
			})
		}
		// All in one cache: no two of them share an entry by accident.
		t.Run(level+"/all", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, level, gqlcache.Options{})
			for range 2 {
				for _, row := range rows {
					r.do(testgraph.Request{Raw: row.raw})
				}
			}
		})
	}
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d:userCount ", i)
	}
	return b.String()
}

// TestHostileMutations: the client can neither hide what a mutation wrote nor see what it
// did not ask for.
func TestHostileMutations(t *testing.T) {
	t.Parallel()
	n := extractor.Nonce()
	for _, mutation := range []string{
		`mutation{updateUser(id:$Ann,input:{name:"New"}){` + n + `k0:name}}`,
		`mutation{` + n + `p0:updateUser(id:$Ann,input:{name:"New"}){name}}`,
		`mutation{renameUserCascade(id:$Ann,name:"New"){` + n + `c:cascade{updated{id}} ` + n + `s:success}}`,
		`mutation{renameUserCascade(id:$Ann,name:"New"){cascade{updated{entityType:id id:entityType}}}}`,
		`mutation{x:renameUserCascade(id:$Ann,name:"New"){...F}} fragment F on RenameUserCascade{success @skip(if:true) data{id:name}}`,
		`mutation($i:UserPatch={name:"New"}){updateUser(id:$Ann,input:$i){__typename}}`,
		`mutation($id:ID=$Ann){renameUser(id:$id,name:"New")}`,
		`mutation{a:log renameUser(id:$Ann,name:"New") @include(if:true)}`,
		`mutation{...M} fragment M on Mutation{...N} fragment N on Mutation{renameUser(id:$Ann,name:"New")}`,
		`mutation{renameUsers(ids:$Ann,name:"New")}`,
	} {
		t.Run(mutation, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "annotated", gqlcache.Options{})
			r.run("annotated", []string{"MISS: " + readAnn, "MISS: " + readUsers, mutation, "MISS: " + readAnn, "MISS: " + readUsers})
		})
	}
}

// TestOtherMethodsAndTypes: requests that are no operations pass.
func TestOtherMethodsAndTypes(t *testing.T) {
	t.Parallel()
	r := newRig(t, "annotated", gqlcache.Options{})
	for _, row := range []struct{ method, url, contentType, body string }{
		{http.MethodOptions, "/query", "", ""},
		{http.MethodPut, "/query", "application/json", "{}"},
		{http.MethodPost, "/query", "text/plain", "{users{name}}"},
		{http.MethodGet, "/query", "", ""},
		{http.MethodGet, "/query?query={users{name}}&variables=[", "", ""},
		{http.MethodGet, "/query?query={users{name}}&extensions=[", "", ""},
		{http.MethodPost, "/query", "multipart/form-data; boundary=x", "--x--"},
	} {
		send := func(h http.Handler) testgraph.Response {
			hr := httptest.NewRequestWithContext(t.Context(), row.method, row.url, strings.NewReader(row.body))
			hr.Header.Set("Content-Type", row.contentType)
			return testgraph.Send(h, hr)
		}
		if got, want := send(r.cached), send(r.plain); got.Body != want.Body || got.Status != want.Status {
			t.Errorf("%+v: %d %s, want %d %s", row, got.Status, got.Body, want.Status, want.Body)
		}
	}
}

// TestNumbersThatDoNotFit: gqlparser cannot evaluate them as literals of a scalar of the
// schema's own, and finds out when the field is resolved. The fields beside it, and those
// that are skipped, are as in a server without the cache.
func TestNumbersThatDoNotFit(t *testing.T) {
	t.Parallel()
	const big = "99999999999999999999999"
	for _, row := range []struct {
		name, document string
		changes        bool
	}{
		{"after a field that writes", `mutation{a:renameUser(id:$Ann,name:"New") b:setDoc(id:` + big + `,name:"x"){name}}`, true},
		{"a float", `mutation{a:renameUser(id:$Ann,name:"New") b:setDoc(id:1e999,name:"x"){name}}`, true},
		{"skipped", `mutation{a:renameUser(id:$Ann,name:"New") b:setDoc(id:` + big + `,name:"x") @skip(if:true){name}}`, true},
		{"skipped by a variable", `mutation($s:Boolean=true){a:renameUser(id:$Ann,name:"New") b:setDoc(id:` + big + `,name:"x") @skip(if:$s){name}}`, true},
		{"alone", `mutation{setDoc(id:` + big + `,name:"x"){name}}`, false},
		{"in a query", `{doc(id:` + big + `){name}}`, false},
		{"skipped in a query", `{user(id:$Ann){name} doc(id:` + big + `) @skip(if:true){name}}`, false},
		{"skipped by a variable in a query", `query($s:Boolean=true){user(id:$Ann){name} doc(id:` + big + `) @skip(if:$s){name}}`, false},
		{"in an object", `{user(id:$Ann){name} echo(map:{n:` + big + `})}`, false},
	} {
		for _, intent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, intent=%v", row.name, intent), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, "annotated", gqlcache.Options{Instances: gqlcache.Instances{Intent: intent}})
				r.run("annotated", []string{"MISS: " + readAnn, "HIT: " + readAnn})
				before := r.send(readAnn).Body
				for range 2 {
					r.do(testgraph.Request{Query: expand(row.document)})
				}
				if got, _ := r.do(testgraph.Request{Query: expand(readAnn)}); (got.Body != before) != row.changes {
					t.Errorf("afterwards: %s", got.Body)
				}
			})
		}
	}
}
