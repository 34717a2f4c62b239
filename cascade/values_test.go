package cascade_test

import (
	"io"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
)

// spelledSchema has rows by key and by values of every kind, and what may change a value
// on its way.
const spelledSchema = `
directive @lower on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT | FIELD_DEFINITION | OBJECT
directive @goField(forceResolver: Boolean, name: String) on INPUT_FIELD_DEFINITION | FIELD_DEFINITION
scalar Time
scalar UUID
enum Size { S M }
extend schema @view(name: "v_link", columns: ["item_id"])
type Item @view(name: "v_item") {
  id: ID! name: String price: Float email: String due: Time done: Boolean size: Size rank: Int owner: Owner
  total: Int @reads(view: "v_link", where: ["item_id = parent.id"], using: [])
}
type Owner @view(name: "v_owner") { id: ID! name: String }
type Stats @view(name: "v_stats", key: "itemId") @dependsOn(on: "Item", key: "id") { itemId: ID! n: Int }
type OfOwner @view(name: "v_of_owner", key: "ownerId") @dependsOn(on: "Item", key: "owner.id", using: []) { ownerId: ID! n: Int }
type OfDue @view(name: "v_of_due", key: "due") @dependsOn(on: "Item", key: "due", using: []) { due: String! n: Int }
type Doc @view(name: "v_doc") { id: UUID! name: String }
type Slot @view(name: "v_slot", key: "at") { at: Time! name: String }
type Secret @view(name: "v_secret") { id: ID! @lower name: String }
type Hidden @view(name: "v_hidden") @lower { id: ID! name: String }
type ItemPayload { item: Item }
input ItemIn { name: String price: Float email: String @lower size: Size rank: Int @goField(forceResolver: true) due: Time }
input LowIn @lower { name: String price: Float }
type Query {
  item(id: ID!): Item
  items(ids: [ID!]): [Item!]! @reads(view: "Item", row: "args.ids")
  byName(name: String): [Item!]! @reads(view: "Item", where: ["name = args.name"], using: [])
  byPrice(price: Float!): [Item!]! @reads(view: "Item", where: ["price = args.price"], using: [])
  byText(price: String): [Item!]! @reads(view: "Item", where: ["price = args.price"], using: [])
  byEmail(email: String!): [Item!]! @reads(view: "Item", where: ["email = args.email"], using: [])
  byLowEmail(email: String! @lower): [Item!]! @reads(view: "Item", where: ["email = args.email"], using: [])
  byDue(due: Time!): [Item!]! @reads(view: "Item", where: ["due = args.due"], using: [])
  byDueText(due: String!, size: Size): [Item!]! @reads(view: "Item", where: ["due = args.due", "size"], using: [])
  byDone(done: Boolean, text: String): [Item!]! @reads(view: "Item", where: ["done = args.done"], using: [])
  bySize(size: Size): [Item!]! @reads(view: "Item", where: ["size"], using: [])
  byRank(rank: Int, in: ItemIn): [Item!]! @reads(view: "Item", where: ["rank = args.rank"], using: [])
  byOwner(id: ID!): [Item!]! @reads(view: "Item", where: ["owner.id = args.id"], using: [])
  byOwners(ids: [ID!]): [Item!]! @reads(view: "Item", where: ["owner.id = args.ids"], using: [])
  byKey(id: ID!): [Item!]! @reads(view: "Item", where: ["id = args.id"], using: ["name"])
  ranked(limit: Int = 2): [Item!]! @reads(view: "Item", where: ["size = 'S'"], using: [], order: "due desc")
  stats(itemId: ID!): Stats
  ofOwner(ownerId: ID!): OfOwner
  ofDue(due: String!): OfDue @reads(view: "OfDue", row: "args.due")
  doc(id: UUID!): Doc
  slot(at: Time!): Slot
  secret(id: ID!): Secret
  hidden(id: ID!): Hidden
  decoded(id: ID! @lower): Item @reads(view: "Item", row: "args.id")
  inferred(id: ID! @lower): Item
  timed(id: Time!): Item
}
type Mutation {
  rename(id: ID!): Item @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  renameWhere(id: ID!): Item @writes(view: "Item", op: "UPDATE", where: ["id = args.id"], fields: ["name"])
  renamePayload(id: ID!): ItemPayload @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  renameMany(ids: [ID!]): Boolean @writes(view: "Item", op: "UPDATE", row: "args.ids", fields: ["name"])
  renameLow(id: ID! @lower): Item @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["name"])
  update(id: ID!, in: ItemIn!): Item @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["args.in"])
  updateLow(id: ID!, in: LowIn!): Item @writes(view: "Item", op: "UPDATE", row: "args.id", fields: ["args.in"])
  delete(id: ID!): Item @writes(view: "Item", op: "DELETE", row: "args.id")
  deletePayload(id: ID!): ItemPayload @writes(view: "Item", op: "DELETE", row: "args.id")
  create(id: ID, name: String, price: Float, owner: ID): Item
    @writes(view: "Item", op: "CREATE", set: ["name = args.name", "price = args.price", "owner.id = args.owner"])
  createQuiet(name: String, price: String, email: String, low: String @lower, due: Time, size: Size, done: String): Boolean
    @writes(view: "Item", op: "CREATE", set: ["name = args.name", "price = args.price", "email = args.email", "due = args.due", "size = args.size", "done = args.done"])
  createLow(email: String! @lower): Item @writes(view: "Item", op: "CREATE", set: ["email = args.email"])
  createIn(in: ItemIn!): Boolean @writes(view: "Item", op: "CREATE", set: ["email = args.in.email", "rank = args.in.rank"])
  createDone: Boolean @writes(view: "Item", op: "CREATE", set: ["done = true"])
  link(item: ID!): Boolean @writes(view: "v_link", op: "CREATE", set: ["item_id = args.item"])
  setDoc(id: UUID!): Boolean @writes(view: "Doc", op: "UPDATE", row: "args.id", fields: ["name"])
  setSlot(at: Time!): Boolean @writes(view: "Slot", op: "UPDATE", row: "args.at", fields: ["name"])
  setSecret(id: ID!): Boolean @writes(view: "Secret", op: "UPDATE", row: "args.id", fields: ["name"])
  setHidden(id: ID!): Boolean @writes(view: "Hidden", op: "UPDATE", row: "args.id", fields: ["name"])
  renameOwner(id: ID!): Boolean @writes(view: "Owner", op: "UPDATE", row: "args.id", fields: ["name"])
  setStats(id: ID!): Boolean @writes(view: "Stats", row: "args.id")
}`

// A key or a value that two sides spell differently is one, and one that is another stays
// another.
func TestSpellings(t *testing.T) {
	t.Parallel()
	// row: what is read of {item} by a key, given what the answer shows, and the row that
	// is written.
	row := func(name, read, shown, written string, falls bool) rule {
		data := `{"item":null}`
		if shown != "" {
			data = `{"item":{"id":` + shown + `,"name":"a"}}`
		}
		return rule{
			name: "row " + name, schema: spelledSchema, falls: falls, query: `($id: ID!) {item(id: $id) {name}}`, vars: `{"id":` + read + `}`, data: data,
			mutation: `($id: ID!) {rename(id: $id) {name}}`, mvars: `{"id":` + written + `}`,
		}
	}
	// set: what is read by a value, and the value of a row that is created.
	set := func(name, query, vars, mutation, mvars string, falls bool) rule {
		return rule{
			name: "set " + name, schema: spelledSchema, falls: falls, query: query, vars: vars, data: `{"f":[]}`, mutation: mutation, mvars: mvars,
		}
	}
	name := func(what, read, written string, falls bool) rule {
		return set(what, `($v: String) {f: byName(name: $v) {id}}`, `{"v":`+read+`}`, `($v: String) {create(name: $v) {id}}`, `{"v":`+written+`}`, falls)
	}
	price := func(what, read, written string, falls bool) rule {
		return set("number "+what, `($v: Float!) {f: byPrice(price: $v) {id}}`, `{"v":`+read+`}`, `($v: Float) {create(price: $v) {id}}`, `{"v":`+written+`}`, falls)
	}
	text := func(what, read, written string, falls bool) rule {
		return set("text of a number "+what, `($v: String) {f: byText(price: $v) {id}}`, `{"v":`+read+`}`, `($v: String) {createQuiet(price: $v)}`, `{"v":`+written+`}`, falls)
	}
	other := func(name, query, data, mutation string, falls bool) rule {
		return rule{name: name, schema: spelledSchema, query: query, data: data, mutation: mutation, falls: falls}
	}
	result := func(r rule, result string) rule { r.result = result; return r }
	runRules(t, []rule{
		row("zero before", `"8"`, `"8"`, `"08"`, true),
		row("zeros before text", `"7-a"`, `"7-a"`, `"007-a"`, true),
		row("plus", `"8"`, `"8"`, `"+8"`, true),
		row("read with a zero", `"08"`, `"8"`, `"8"`, true),
		row("read with a zero, absent", `"08"`, ``, `"8"`, true),
		row("absent, written with space", `"8"`, ``, `" 8 "`, true),
		row("as a fraction", `8`, `8`, `"8.0"`, true),
		row("with an exponent", `"100"`, `"100"`, `"1e2"`, true),
		row("hexadecimal number", `"16"`, `"16"`, `"0x10"`, true),
		row("octal number", `"8"`, `"8"`, `"010"`, true),
		row("underscore", `"1000"`, `"1000"`, `"1_000"`, true),
		row("beyond 2^53", `9007199254740993`, `9007199254740993`, `"9007199254740993.0"`, true),
		row("ObjectID", `"507F1F77BCF86CD799439011"`, `"507f1f77bcf86cd799439011"`, `"507f1f77bcf86cd799439011"`, true),
		row("ObjectID, shown in lower case", `"507f1f77bcf86cd799439011"`, `"507f1f77bcf86cd799439011"`, `"507F1F77BCF86CD799439011"`, true),
		row("UUID without hyphens", `"f47ac10b-58cc-4372-a567-0e02b2c3d479"`, `"f47ac10b-58cc-4372-a567-0e02b2c3d479"`, `"F47AC10B58CC4372A5670E02B2C3D479"`, true),
		row("UUID with more hyphens", `"f47ac10b-58cc-4372-a567-0e02b2c3d479"`, `"f47ac10b-58cc-4372-a567-0e02b2c3d479"`, `"F47A-C10B-58CC-4372-A567-0E02-B2C3-D479"`, true),
		row("trailing space", `"ab"`, `"ab"`, `"ab "`, true),
		row("accent", `"cafe"`, `"cafe"`, `"café"`, true),
		row("shown with an accent", `"Café"`, `"Café"`, `"CAFE"`, true),
		row("combining accent", `"cafe"`, ``, `"cafe\u0301"`, true),
		row("full width", `"8"`, `"8"`, `"８"`, true),
		row("punctuation", `"ab-c"`, `"ab-c"`, `"abc"`, true),
		row("NUL", `"ab"`, `"ab"`, `"ab\u0000x"`, true),
		row("padded base64", `"VXNlcjo4"`, `"VXNlcjo4"`, `"VXNlcjo4=="`, true),
		row("another number", `"8"`, `"8"`, `"80"`, false),
		row("another number, zero inside", `"8"`, `"8"`, `"808"`, false),
		row("another word", `"ab"`, `"ab"`, `"abc"`, false),
		row("another ObjectID", `"507f1f77bcf86cd799439011"`, `"507f1f77bcf86cd799439011"`, `"507f1f77bcf86cd799439012"`, false),

		name("case", `"Ann"`, `"ANN"`, true),
		name("space", `"Ann"`, `"Ann  "`, true),
		name("accent", `"José"`, `"jose"`, true),
		name("accent, written", `"jose"`, `"José"`, true),
		name("punctuation", `"co-op"`, `"coop"`, true),
		name("null and nothing", `""`, `null`, true),
		name("other", `"Ann"`, `"Bob"`, false),
		price("exponent", `"1e2"`, `100`, true),
		price("fraction", `"100.00"`, `100`, true),
		price("plus", `"+100"`, `100`, true),
		price("written with an exponent", `100`, `1e2`, true),
		price("minus zero", `-0.0`, `0`, true),
		price("sum", `0.30000000000000004`, `"0.30000000000000004"`, true),
		price("single precision", `0.1`, `0.10000000149011612`, true),
		price("beyond 2^53", `9007199254740993`, `9007199254740992`, true),
		price("other", `100`, `101`, false),
		price("other power", `100`, `1e3`, false),
		text("exponent", `"1e2"`, `"100"`, true),
		text("zeros", `"100.00"`, `"0100"`, true),
		text("space and plus", `" +100 "`, `"100.0"`, true),
		text("other", `"100"`, `"10"`, false),
		set("truth", `{f: byDone(done: true) {id}}`, ``, `{createQuiet(done: "1")}`, ``, true),
		set("truth, constant", `{f: byDone(done: true) {id}}`, ``, `{createDone}`, ``, true),
		set("truth, word", `{f: byDone(done: false) {id}}`, ``, `{createQuiet(done: "f")}`, ``, true),
		set("truth, other", `{f: byDone(done: false) {id}}`, ``, `{createDone}`, ``, false),
		set("foreign key", `{f: byOwner(id: "08") {id}}`, ``, `{create(owner: 8) {id}}`, ``, true),
		set("foreign keys", `{f: byOwners(ids: ["+8", "9"]) {id}}`, ``, `{create(owner: 8) {id}}`, ``, true),
		set("own key", `{f: byKey(id: "08") {id}}`, ``, `{rename(id: 8) {id}}`, ``, true),
		set("own key, other", `{f: byKey(id: "08") {id}}`, ``, `{rename(id: 9) {id}}`, ``, false),
		other("rows of a list", `{items(ids: ["08", "9"]) {name}}`, `{"items":[]}`, `{renameMany(ids: ["7", "8"])}`, true),
		other("derived from a row", `{stats(itemId: "08") {n}}`, `{"stats":null}`, `{rename(id: 8) {id}}`, true),
		other("derived from a row with an accent", `{stats(itemId: "cafe") {n}}`, `{"stats":null}`, `{rename(id: "café") {id}}`, true),
		other("derived from a value", `{ofOwner(ownerId: "08") {n}}`, `{"ofOwner":null}`, `{create(owner: "8") {id}}`, true),
		other("derived from a value, other", `{ofOwner(ownerId: "08") {n}}`, `{"ofOwner":null}`, `{create(owner: "7") {id}}`, false),
		other("of a parent", `{item(id: 8) {total}}`, `{"item":{"id":"8","total":1}}`, `{link(item: "08")}`, true),
		other("of another parent", `{item(id: 8) {total}}`, `{"item":{"id":"8","total":1}}`, `{link(item: "09")}`, false),

		// the key that the server shows counts beside that of the argument
		result(row("that only the server knows", `"8"`, `"8"`, `"gid:item:8"`, true), `{"rename":{"id":"8"}}`),
		result(row("that only the server knows, another", `"8"`, `"8"`, `"gid:item:9"`, false), `{"rename":{"id":"9"}}`),
		result(other("that only the server knows, in where", `{item(id: 8) {name}}`, `{"item":{"id":"8"}}`, `{renameWhere(id: "gid:8") {id}}`, true), `{"renameWhere":{"id":"8"}}`),
		result(other("that only the server knows, in a payload", `{item(id: 8) {name}}`, `{"item":{"id":"8"}}`, `{renamePayload(id: "gid:8") {item {id}}}`, true), `{"renamePayload":{"item":{"id":"8"}}}`),
		result(other("that only the server knows, deleted", `{item(id: 8) {name}}`, `{"item":{"id":"8"}}`, `{delete(id: "gid:8") {id}}`, true), `{"delete":{"id":"8"}}`),
		result(other("shown beside a deleted one", `{item(id: 8) {name}}`, `{"item":{"id":"8"}}`, `{deletePayload(id: "9") {item {id}}}`, false), `{"deletePayload":{"item":{"id":"8"}}}`),
		result(other("changed by the resolver", `{f: byName(name: "ann") {id}}`, `{"f":[]}`, `{create(name: "alias of ann") {id}}`, true), `{"create":{"id":"1","name":"ann"}}`),
		result(other("shown as another", `{f: byName(name: "ann") {id}}`, `{"f":[]}`, `{create(name: "ann") {id}}`, true), `{"create":{"id":"1","name":"A."}}`),
	})
}

// What runs between a client and a resolver may change a value: nothing is known of it.
func TestChangedValues(t *testing.T) {
	t.Parallel()
	other := func(name, query, data, mutation string, falls bool) rule {
		return rule{name: name, schema: spelledSchema, query: query, data: data, mutation: mutation, falls: falls}
	}
	result := func(r rule, result string) rule { r.result = result; return r }
	reported := func(r rule, reports ...cascade.Report) rule { r.reports = reports; return r }
	runRules(t, []rule{
		other("argument of a write", `{f: byEmail(email: "ann@x") {id}}`, `{"f":[]}`, `{createLow(email: "xANN@X") {id}}`, true),
		result(other("argument of a write, shown", `{f: byEmail(email: "ann@x") {id}}`, `{"f":[]}`, `{createLow(email: "xANN@X") {id}}`, true), `{"createLow":{"id":"1","email":"ann@x"}}`),
		result(other("argument of a write, shown as another", `{f: byEmail(email: "ann@x") {id}}`, `{"f":[]}`, `{createLow(email: "xANN@X") {id}}`, false), `{"createLow":{"id":"1","email":"bob@x"}}`),
		other("argument of a read", `{f: byLowEmail(email: "xANN@X") {id}}`, `{"f":[]}`, `{createQuiet(email: "ann@x")}`, true),
		other("row of a write", `{item(id: 8) {name}}`, `{"item":{"id":"8"}}`, `{renameLow(id: "x") {id}}`, true),
		other("row of a read", `{decoded(id: "x") {name}}`, `{"decoded":null}`, `{rename(id: 8) {id}}`, true),
		other("row of an inferred read", `{inferred(id: "x") {name}}`, `{"inferred":null}`, `{rename(id: 8) {id}}`, true),
		other("row of an inferred read, other scalar", `{timed(id: "x") {name}}`, `{"timed":null}`, `{rename(id: 8) {id}}`, true),
		other("input field", `{f: byEmail(email: "ann@x") {id}}`, `{"f":[]}`, `{update(id: 1, in: {email: "xANN@X"}) {id}}`, true),
		other("input field with a resolver", `{f: byRank(rank: 1) {id}}`, `{"f":[]}`, `{update(id: 1, in: {rank: 2}) {id}}`, true),
		other("input field of a new row", `{f: byEmail(email: "ann@x") {id}}`, `{"f":[]}`, `{createIn(in: {email: "xANN@X", rank: 1})}`, true),
		other("input field with a resolver of a new row", `{f: byRank(rank: 1) {id}}`, `{"f":[]}`, `{createIn(in: {email: "x", rank: 2})}`, true),
		other("input object", `{f: bySize(size: S) {id}}`, `{"f":[]}`, `{updateLow(id: 1, in: {name: "x"}) {id}}`, true),
		other("input field without", `{f: bySize(size: S) {id}}`, `{"f":[]}`, `{update(id: 1, in: {name: "x"}) {id}}`, false),

		other("scalar of a write", `{f: byDue(due: "2024-01-01T00:00:00Z") {id}}`, `{"f":[]}`, `{createQuiet(due: "2024-01-01T01:00:00+01:00")}`, true),
		other("scalar of a column", `{f: byDueText(due: "2024") {id}}`, `{"f":[]}`, `{createQuiet(due: "1.1.2024")}`, true),
		other("another term beside a scalar", `{f: byDueText(due: "2024", size: S) {id}}`, `{"f":[]}`, `{createQuiet(due: "2024", size: M)}`, false),
		other("scalar moves", `{f: byDueText(due: "2024", size: S) {id}}`, `{"f":[]}`, `{update(id: 1, in: {due: "2025"}) {id}}`, true),
		other("order by a scalar", `{f: ranked {id}}`, `{"f":[]}`, `{update(id: 1, in: {due: "2025"}) {id}}`, true),
		other("derived from a scalar", `{ofDue(due: "2024") {n}}`, `{"ofDue":null}`, `{createQuiet(due: "1.1.2024")}`, true),
		reported(other("derived from a scalar that is told", `{ofDue(due: "2024") {n}}`, `{"ofDue":null}`, `{update(id: 8, in: {due: "1.1.2024"}) {id}}`, true),
			moved("v_item", "8", "due", "1.1.2023", "1.1.2024")),
		other("key that is a scalar", `{slot(at: "2024-01-01T00:00:00Z") {name}}`, `{"slot":{"at":"2024-01-01T00:00:00Z"}}`, `{setSlot(at: "2024-01-01T01:00:00+01:00")}`, true),
		other("key that is a UUID", `{doc(id: "f47ac10b-58cc-4372-a567-0e02b2c3d479") {name}}`, `{"doc":{"id":"f47ac10b-58cc-4372-a567-0e02b2c3d479"}}`, `{setDoc(id: "F47AC10B58CC4372A5670E02B2C3D479")}`, true),
		other("key that is another UUID", `{doc(id: "f47ac10b-58cc-4372-a567-0e02b2c3d479") {name}}`, `{"doc":{"id":"f47ac10b-58cc-4372-a567-0e02b2c3d479"}}`, `{setDoc(id: "047AC10B58CC4372A5670E02B2C3D479")}`, false),
		other("key that a directive changes", `{secret(id: "x") {name}}`, `{"secret":{"id":"x"}}`, `{setSecret(id: "y")}`, true),
		other("key of a type that a directive changes", `{hidden(id: "x") {name}}`, `{"hidden":{"id":"x"}}`, `{setHidden(id: "y")}`, true),
		other("another view", `{secret(id: "x") {name}}`, `{"secret":{"id":"x"}}`, `{renameOwner(id: "y")}`, false),
	})
}

// A report narrows the change of exactly its row. A key that is spelled otherwise may be
// another row's.
func TestReportsOfSpelledRows(t *testing.T) {
	t.Parallel()
	f := mustFixture(t, spelledSchema)
	rows := func(keys ...any) cascade.Report {
		var ids []cascade.Value
		for _, k := range keys {
			ids = append(ids, cascade.ValueOf(k))
		}
		r, ok := f.plan.NewRowsReport("Item", ids)
		if !ok {
			t.Fatal("no report")
		}
		return r
	}
	item := func(name, mutation string, falls bool, reports ...cascade.Report) rule {
		return rule{name: name, schema: spelledSchema, query: `{item(id: 8) {name}}`, data: `{"item":{"id":"8"}}`, mutation: mutation, reports: reports, falls: falls}
	}
	sized := func(name, mutation string, falls bool, reports ...cascade.Report) rule {
		return rule{name: name, schema: spelledSchema, query: `{f: bySize(size: S) {id}}`, data: `{"f":[]}`, mutation: mutation, reports: reports, falls: falls}
	}
	const twice = `{a: update(id: 8, in: {size: M}) {id} b: update(id: "08", in: {size: M}) {id}}`
	runRules(t, []rule{
		item("rows of a spelled row", `{rename(id: "08") {id}}`, true, rows("8")),
		item("rows of another row", `{rename(id: "08") {id}}`, false, rows("9")),
		item("unchanged, spelled otherwise", `{rename(id: "08") {id}}`, true, unchanged("v_item", "8")),
		item("unchanged", `{rename(id: "8") {id}}`, false, unchanged("v_item", "8")),
		item("unchanged, and moved under another spelling", `{rename(id: "8") {id}}`, true, unchanged("v_item", "8"), moved("v_item", "08", "size", "S", "M")),
		sized("steps of one row in two fields", twice, true, moved("v_item", "8", "size", "M", "L")),
		item("letter case of a UUID changed", `{rename(id: "8") {id}}`, true,
			moved("v_item", "8", "name", "F47AC10B58CC4372A5670E02B2C3D479", "f47ac10b58cc4372a5670e02b2c3d479")),
	})
	// Go code may have other names for an enum's values than the schema
	r, ok := f.plan.NewReport("Item", cascade.ValueOf(8), "size", cascade.ValueOf(0), cascade.ValueOf(1))
	if !ok || r.Old.Known() || r.New.Known() {
		t.Errorf("report of an enum's numbers: %v, %v to %v", ok, r.Old, r.New)
	}
	if r, ok = f.plan.NewReport("Item", cascade.ValueOf(8), "size", cascade.ValueOf(size(0)), cascade.ValueOf(size(1))); !ok || r.Old.String() != "S" || r.New.String() != "M" {
		t.Errorf("report of an enum: %v, %v to %v", ok, r.Old, r.New)
	}
	if v := cascade.ValueOf(size(7)); v.Known() {
		t.Errorf("a marshaler that panics: %v", v)
	}
}

// size is an enum whose Go values are numbers.
type size int

func (s size) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, []string{`"S"`, `"M"`}[s]) }

// What the options say of directives and scalars is believed.
func TestValueOptions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name            string
		opts            cascade.Options
		query, mutation string
		data            string
		falls           bool
	}{
		{"passive directive", cascade.Options{PassiveDirectives: []string{"lower"}}, `{f: byLowEmail(email: "ann") {id}}`, `{createQuiet(email: "bob")}`, `{"f":[]}`, false},
		{"comparable scalar", cascade.Options{ComparableScalars: []string{"Time"}}, `{f: byDue(due: "2024") {id}}`, `{createQuiet(due: "2025")}`, `{"f":[]}`, false},
		{"opaque key", cascade.Options{OpaqueKeys: []string{"Owner"}}, `{f: byOwner(id: "8") {id}}`, `{create(owner: "9") {id}}`, `{"f":[]}`, true},
		{"opaque key of a view", cascade.Options{OpaqueKeys: []string{"v_item"}}, `{item(id: "8") {name}}`, `{rename(id: "9") {id}}`, `{"item":{"id":"8"}}`, true},
		{"opaque key, derived", cascade.Options{OpaqueKeys: []string{"v_item"}}, `{stats(itemId: "8") {n}}`, `{rename(id: "9") {id}}`, `{"stats":null}`, true},
		{"directive that changes arguments", cascade.Options{ArgumentDirectives: []string{"lower"}}, `{f: byName(name: "ann") {id}}`, `{create(name: "bob") {id}}`, `{"f":[]}`, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			schema := spelledSchema
			if len(row.opts.ArgumentDirectives) > 0 {
				schema = strings.Replace(schema, "create(id: ID, name: String, price: Float, owner: ID): Item", "create(id: ID, name: String, price: Float, owner: ID): Item @lower", 1)
			}
			f := mustFixtureOf(t, schema, row.opts)
			r := rule{query: row.query, data: row.data, mutation: row.mutation}
			entry := r.read(t, f)
			m, err := f.prepare("mutation "+row.mutation, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := m.execute(tree(t, ""))
			if err != nil {
				t.Fatal(err)
			}
			events, _ := m.op.Events(cascade.Outcome{Vars: m.vars, Result: res})
			if falls := meet(entry, f.plan.Publish(nil, events, cascade.Partition{})); falls != row.falls {
				t.Errorf("falls = %v, want %v", falls, row.falls)
			}
		})
	}
}

func mustFixtureOf(tb testing.TB, sdl string, opts cascade.Options) *fixture {
	tb.Helper()
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "directives.graphql", Input: cascade.SDL("")}, &ast.Source{Name: "schema.graphql", Input: sdl},
	)
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := cascade.Compile(schema, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return &fixture{schema, plan}
}

func TestFaultsOfValueOptions(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: cascade.SDL("")}, &ast.Source{Input: spelledSchema})
	for _, row := range []struct {
		want string
		opts cascade.Options
	}{
		{"@lowr, which the schema does not declare: did you mean lower?", cascade.Options{PassiveDirectives: []string{"lowr"}}},
		{"@nope, which the schema does not declare", cascade.Options{ArgumentDirectives: []string{"nope"}}},
		{"ComparableScalars names Item, which is no scalar", cascade.Options{ComparableScalars: []string{"Item"}}},
		{"OpaqueKeys names Query, which is no view", cascade.Options{OpaqueKeys: []string{"Query"}}},
	} {
		if _, err := cascade.Compile(schema, row.opts); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: %v, want %s", row.opts, err, row.want)
		}
	}
}

// Tenants whose names a database may take for one are one partition.
func TestSpelledPartitions(t *testing.T) {
	t.Parallel()
	part := cascade.PartitionOf
	for _, names := range [][2]string{{"acme", "ACME"}, {"acme", "acme "}, {"08", "8"}} {
		if part(names[0]) != part(names[1]) {
			t.Errorf("%q and %q are two partitions", names[0], names[1])
		}
	}
	if part("acme") == part("acme2") {
		t.Error("two names are one partition")
	}
	if part("café") != (cascade.Partition{}) {
		t.Error("a name beyond ASCII has a partition of its own")
	}
	if part("---") == (cascade.Partition{}) {
		t.Error("a name without letters is outside all partitions")
	}
}
