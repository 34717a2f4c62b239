package gqlcache_test

import (
	"testing"
)

// sequences are requests in an order that leaves caches of other GraphQL servers,
// gateways and clients with stale or leaked answers. Those that need a latch or options
// of their own have tests in policy_test.go, hooks_test.go and flow_test.go.
var sequences = []script{
	{"created row in a list", []string{
		"MISS: {users{name}}", "HIT: {users{name}}", `mutation{createUser(input:{name:"Cid"}){id}}`, "MISS: {users{name}}", "HIT: {users{name}}"}},
	{"created row in an empty filtered list", []string{
		`MISS: {usersByName(name:"Cid"){id}}`, `HIT: {usersByName(name:"Cid"){id}}`,
		`mutation{createUser(input:{name:"Cid"}){id}}`, `MISS: {usersByName(name:"Cid"){id}}`}},
	{"created row without selecting it", []string{
		`MISS: {usersByName(name:"Cid"){id}}`, `mutation{createUser(input:{name:"Cid"}){__typename}}`, `MISS: {usersByName(name:"Cid"){id}}`}},
	{"null object, then created", []string{
		"MISS: {user(id:$Zed){name}}", "HIT: {user(id:$Zed){name}}",
		`mutation{createUser(id:$Zed,input:{name:"Zed"}){name}}`, "MISS: {user(id:$Zed){name}}"}},
	{"null union, then created", []string{
		"MISS: {hit(id:$Zed){__typename}}", "HIT: {hit(id:$Zed){__typename}}",
		`mutation{createUser(id:$Zed,input:{name:"Zed"}){name}}`, "MISS: {hit(id:$Zed){__typename}}"}},
	{"null node, created, deleted", []string{
		"MISS: {node(id:$Zed){id}}", "HIT: {node(id:$Zed){id}}",
		`mutation{createUser(id:$Zed,input:{name:"Zed"}){name}}`, "MISS: {node(id:$Zed){id}}", "HIT: {node(id:$Zed){id}}",
		"mutation{deleteUserNull(id:$Zed){id}}", "MISS: {node(id:$Zed){id}}"}},
	{"deleted, Boolean answer", []string{
		"MISS: {users{name}}", "MISS: {user(id:$Bob){name}}", "mutation{deleteUser(id:$Bob)}", "MISS: {users{name}}", "MISS: {user(id:$Bob){name}}"}},
	{"deleted, null answer", []string{
		"MISS: {user(id:$Bob){name}}", "MISS: {user(id:$Ann){name}}", "mutation{deleteUserNull(id:$Bob){id}}",
		"MISS: {user(id:$Bob){name}}", "KEPT: {user(id:$Ann){name}}"}},
	{"payload without the entity", []string{
		"MISS: {user(id:$Ann){name}}", `mutation{updateUserPayload(id:$Ann,input:{name:"A"}){ok}}`, "MISS: {user(id:$Ann){name}}",
		"mutation{deleteUserPayload(id:$Ann){ok}}", "MISS: {user(id:$Ann){name}}"}},
	{"read through an interface without id", []string{
		"MISS: {named(id:$Ann){name}}", "HIT: {named(id:$Ann){name}}", `mutation{renameUser(id:$Ann,name:"A")}`, "MISS: {named(id:$Ann){name}}"}},
	{"id aliased as another field", []string{
		"MISS: {users{id:name}}", `mutation{renameUser(id:$Ann,name:"A")}`, "MISS: {users{id:name}}",
		"MISS: {user(id:$Ann){name:id id:name}}", `mutation{renameUser(id:$Ann,name:"B")}`, "MISS: {user(id:$Ann){name:id id:name}}"}},
	{"__typename excluded", []string{
		"MISS: {user(id:$Ann){__typename @include(if:false) id name}}", `mutation{renameUser(id:$Ann,name:"A")}`,
		"MISS: {user(id:$Ann){__typename @include(if:false) id name}}"}},
	{"id skipped", []string{
		"MISS: {users{id @skip(if:true) name}}", `mutation{renameUser(id:$Ann,name:"A")}`, "MISS: {users{id @skip(if:true) name}}",
		"MISS: query($w:Boolean=true){user(id:$Ann){id @skip(if:$w) name}}", `mutation{renameUser(id:$Ann,name:"B")}`,
		"MISS: query($w:Boolean=true){user(id:$Ann){id @skip(if:$w) name}}"}},
	{"alias that imitates a tracker's", []string{
		"MISS: {user(id:$Ann){name}}", `mutation{updateUser(id:$Ann,input:{name:"A"}){__responseCacheTypeName:name __c0000000000000000k0:name}}`,
		"MISS: {user(id:$Ann){name}}", "MISS: {user(id:$Ann){__c0000000000000000k0:name id:name}}"}},
	{"mutation without __typename", []string{
		"MISS: {user(id:$Ann){name}}", `mutation{updateUser(id:$Ann,input:{name:"A"}){__typename @include(if:false)}}`, "MISS: {user(id:$Ann){name}}"}},
	{"one of two mutations fails, data is null", []string{
		"MISS: {user(id:$Ann){name}}", `mutation{a:updateUser(id:$Ann,input:{name:"A"}){id} b:boom}`, "MISS: {user(id:$Ann){name}}"}},
	{"order of mutations in a document", []string{
		"MISS: {user(id:$Ann){name}}", `mutation{a:renameUser(id:$Ann,name:"1") b:renameUser(id:$Ann,name:"2") c:renameUser(id:$Bob,name:"3")}`,
		"MISS: {user(id:$Ann){name}}", "MISS: {user(id:$Bob){name}}"}},
	{"integer id 0", []string{
		"MISS: {counter(id:0){value}}", "HIT: {counter(id:0){value}}", "MISS: {counter(id:1){value}}",
		"mutation{setCounter(id:0,value:5){value}}", "MISS: {counter(id:0){value}}", "KEPT: {counter(id:1){value}}", "MISS: {counters{value}}"}},
	{"null scalar in a mutation's answer", []string{
		"MISS: {user(id:$Ann){name email}}", "MISS: {user(id:$Bob){name email}}", `mutation{updateUser(id:$Bob,input:{name:"B"}){email}}`,
		"MISS: {user(id:$Bob){name email}}", "KEPT: {user(id:$Ann){name email}}"}},
	{"counts and lists of scalars", []string{
		"MISS: {userCount}", "MISS: {userNames}", `mutation{createUser(input:{name:"Cid"}){id}}`, "MISS: {userCount}", "MISS: {userNames}",
		`mutation{renameUser(id:$Ann,name:"A")}`, "MISS: {userNames}", "KEPT: {userCount}"}},
	{"list of lists", []string{
		"MISS: {valueGrid}", "MISS: {counterGrid{value}}", "HIT: {counterGrid{value}}", "mutation{setCounter(id:2,value:5){id}}",
		"MISS: {valueGrid}", "MISS: {counterGrid{value}}"}},
	{"row moves into a filter", []string{
		`MISS: {usersByName(name:"Zed"){id}}`, `mutation{renameUser(id:$Bob,name:"Zed")}`, `MISS: {usersByName(name:"Zed"){id}}`,
		`MISS: {posts(status:DRAFT){name}}`, `mutation{updatePost(id:$Hello,input:{status:DRAFT}){__typename}}`, `MISS: {posts(status:DRAFT){name}}`}},
	{"child created without selecting the parent", []string{
		"MISS: {user(id:$Bob){posts{name} postCount}}", "MISS: {post(id:$Hello){comments{text}}}",
		`mutation{createPost(authorId:$Bob,name:"New"){ok}}`, "MISS: {user(id:$Bob){posts{name} postCount}}",
		`mutation{addComment(postId:$Hello,text:"x"){text}}`, "MISS: {post(id:$Hello){comments{text}}}"}},
	{"__type", []string{
		`introspection: {__type(name:"User"){name}}`, "introspection: {users{id} __schema{queryType{name}}}"}},
	{"layout and defaults share an entry", []string{
		"MISS: query X{users{name}}", "HIT: query X {\n users { name } }", "MISS: {usersPage{totalCount}}"}},
	{"unused variables share an entry", []string{
		"MISS: query($a:ID=\"1\"){users @skip(if:false){name} u:user(id:$a){id}}"}},
	{"nested null, then set", []string{
		"MISS: {user(id:$Ann){boss{name}}}", "HIT: {user(id:$Ann){boss{name}}}",
		`mutation{updateUser(id:$Ann,input:{bossId:$Bob}){id}}`, "MISS: {user(id:$Ann){boss{name}}}",
		`mutation{renameUser(id:$Bob,name:"B")}`, "MISS: {user(id:$Ann){boss{name}}}"}},
	{"another session's mutation", []string{
		"@ann MISS: {user(id:$Ann){name}}", "@bob MISS: {user(id:$Ann){name}}", `@bob mutation{renameUser(id:$Ann,name:"A")}`,
		"@ann MISS: {user(id:$Ann){name}}"}},
	{"a literal that is coerced differently", []string{
		"MISS: {user(id:1){name}}", `MISS: {echo(id:1)}`, `MISS: {echo(id:"1")}`, `MISS: {echo(n:1)}`, `MISS: {echo(n:1.5)}`}},
	{"sessions do not share", []string{
		"@ann MISS: {notes{name}}", "@bob MISS: {notes{name}}", "@ann HIT: {notes{name}}", "@ann MISS: {viewer}", "@bob MISS: {viewer}"}},
	{"null and \"null\"", []string{
		"MISS: {echo(text:null)}", `MISS: {echo(text:"null")}`, "MISS: {echo}", `MISS: {echo(text:"")}`}},
	{"one and \"1\"", []string{
		`MISS: {echo(input:{a:"1",b:"2"})}`, `MISS: {echo(input:{a:"1b:2"})}`, `MISS: {echo(input:{a:"1",b:null})}`, `MISS: {echo(input:{a:"1"})}`}},
	{"list and its text", []string{
		`MISS: {echo(list:["x"])}`, `MISS: {echo(list:["[\"x\"]"])}`, `MISS: {echo(list:"x")}`, `MISS: {echo(list:["x",null])}`, `MISS: {echo(list:[])}`, `MISS: {echo(list:null)}`}},
	{"ids not selected", []string{
		"MISS: {users{name}}", "MISS: {search(text:\"A\"){... on User{name}}}", "MISS: {post(id:$Hello){author{name}}}",
		`mutation{renameUser(id:$Ann,name:"Al")}`,
		"MISS: {users{name}}", "MISS: {search(text:\"A\"){... on User{name}}}", "MISS: {post(id:$Hello){author{name}}}"}},
	{"keyless member of a union", []string{
		`MISS: {search(text:"apple"){__typename ... on Blurb{text}}}`, `HIT: {search(text:"apple"){__typename ... on Blurb{text}}}`,
		`mutation{setBlurb(text:"two apples"){text}}`, `MISS: {search(text:"apple"){__typename ... on Blurb{text}}}`}},
	{"custom scalar", []string{
		"MISS: {settings}", `mutation{setSetting(key:"color",value:"blue")}`, "MISS: {settings}", "HIT: {settings}"}},
	{"connection", []string{
		"MISS: {usersPage(first:1){edges{cursor node{name}} pageInfo{hasNextPage}}}", `mutation{renameUser(id:$Ann,name:"A")}`,
		"MISS: {usersPage(first:1){edges{cursor node{name}} pageInfo{hasNextPage}}}",
		`mutation{createUser(input:{name:"Cid"}){id}}`, "MISS: {usersPage(first:1){edges{cursor node{name}} pageInfo{hasNextPage}}}"}},
	{"spellings of a UUID", []string{
		"MISS: {doc(id:$Paper){name}}", `mutation{setDoc(id:"DDDDDDDD-DDDD-4DDD-8DDD-DDDDDDDDDDDD",name:"n"){name}}`, "MISS: {doc(id:$Paper){name}}",
		`mutation{setDoc(id:"{dddddddd-dddd-4ddd-8ddd-dddddddddddd}",name:"m"){name}}`, "MISS: {doc(id:$Paper){name}}"}},
	{"the nil UUID is a key like others", []string{
		`mutation{setDoc(id:"00000000-0000-0000-0000-000000000000",name:"n"){name}}`,
		`MISS: {doc(id:"00000000-0000-0000-0000-000000000000"){name}}`,
		`mutation{setDoc(id:"00000000-0000-0000-0000-000000000000",name:"m"){name}}`,
		`MISS: {doc(id:"00000000-0000-0000-0000-000000000000"){name}}`}},
	{"keys that fail", []string{
		`MISS: {broken(mode:"error"){label}}`, `MISS: {broken(mode:"panic"){label}}`, `MISS: {broken(mode:"null"){label}}`, `MISS: {broken(mode:"ok"){label}}`,
		`mutation{a:setBroken(mode:"error",label:"1"){label} b:setBroken(mode:"panic",label:"2"){label} c:setBroken(mode:"null",label:"3"){label}}`,
		`MISS: {broken(mode:"error"){label}}`, `MISS: {broken(mode:"panic"){label}}`, `MISS: {broken(mode:"null"){label}}`,
		`MISS errors: {broken(mode:"error"){id label}}`, `MISS errors: {broken(mode:"panic"){id label}}`}},
	{"errors are not stored", []string{
		"MISS errors: {fails}", "MISS errors: {fails}", "MISS errors: {users{name} fails}", "MISS errors: {failsHard}", "MISS errors: {panics}",
		`mutation{renameUser(id:$Ann,name:"flaky")}`, "MISS errors: {user(id:$Ann){name flaky}}"}},
}

func TestSequences(t *testing.T) {
	t.Parallel()
	runScripts(t, sequences, "annotated", "only reads", "only writes", "bare")
}
