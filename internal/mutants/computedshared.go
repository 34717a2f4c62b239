package main

const (
	computedSharedFile = "gqlcache/computedshared.go"
	valuesFormFile     = "gqlcache/internal/values/form.go"
	redisBatchFile     = "gqlcache/store/redisstore/batch.go"
)

// computedSharedRules are those of values that instances share.
var computedSharedRules = []mutant{
	{
		name: "computed shared: the place in the log is that after the function", file: computedFillFile,
		old: "	c.shareValue(ctx, q, key, res, x.at)\n", new: "	at, _ := c.fleet.Place()\n	c.shareValue(ctx, q, key, res, at)\n",
		test: "TestComputedSharedStampIsOfTheBeginning$",
	},
	{
		name: "computed shared: a request that holds changes has a place", file: computedSharedFile,
		old: "	case q.arrival != nil && q.arrival.hold != nil: // see newRequest\n		return changelog.Position{}\n", new: "",
		test: "TestComputedSharedHold$",
	},
	{
		name: "computed shared: a value that was taken over depends on nothing", file: computedSharedFile,
		old: "sum: values.Sum{Tags: slices.Clone(t.Tags)},", new: "sum: values.Sum{},",
		test: "TestComputedSharedHandsOn$",
	},
	{
		name: "computed shared: whether a value exists elsewhere depends on nothing", file: computedFile,
		old: "&values.Sum{Tags: slices.Clone(found.Tags)}, found.Expires", new: "&values.Sum{Tags: slices.Clone(found.Tags[:0])}, found.Expires",
		test: "TestComputedSharedHandsOn$",
	},
	{
		name: "computed shared: what is made of a value that exists elsewhere outlives it", file: computedFile,
		old: "slices.Clone(found.Tags)}, found.Expires)", new: "slices.Clone(found.Tags)}, found.Expires.Add(1<<50))",
		test: "TestComputedSharedHandsOn$",
	},
	{
		name: "computed shared: tags that rely on no shape stay here", file: computedSharedFile, in: footprintTests,
		old: "slices.Concat(res.sum.Tags, res.sum.Coarse)", new: "slices.Clone(res.sum.Tags)",
		test: "TestSharedValuesOfStatements$",
	},
	{
		name: "computed shared: any form is good", file: computedSharedFile,
		old: "form != t.form && !t.anyForm", new: "form != t.form && !t.anyForm && absent",
		test: "TestComputedSharedForms$",
	},
	{
		name: "computed shared: what cannot be decoded is taken over", file: computedSharedFile,
		old: "t.value.Interface()) }) == nil", new: "t.value.Interface()) }) == nil || true",
		test: "TestComputedSharedUndecodable$",
	},
	{
		name: "computed shared: fields have no tags in a form", file: valuesFormFile,
		old: "		w.text(string(f.Tag))\n", new: "",
		test: "TestForms$",
	},
	{
		name: "computed shared: a codec's settings are no part of a form", file: valuesFormFile,
		old: "	if Plain(by) {\n", new: "	if Plain(by) && false {\n",
		test: "TestForms$",
	},
	{
		name: "computed shared: the checksum is not looked at", file: valuesFormFile,
		old: " || binary.BigEndian.Uint32(b[sharedSumAt:]) != sumOf(b)", new: "",
		test: "TestSharedBytes$",
	},
	{
		name: "computed shared: the store has the whole key", file: valuesFormFile, in: "gqlcache",
		old: "append([]byte{Version}, sum[:]...)", new: "append([]byte(key), sum[:]...)",
		test: "TestComputedSharedCallers$",
	},
	{
		name: "computed shared: what is for one caller is shared", file: computedSharedFile, in: footprintTests,
		old: "at.Epoch == 0 || res.only != 0 || res.sum.Only", new: "at.Epoch == 0",
		test: "TestSharedValuesOfOneCaller$",
	},
	{
		name: "computed shared: who refreshes takes what others have", file: computedSharedFile,
		old: "q.why == \"\" && q.wants.policy != Refresh && q.isShared()", new: "q.why == \"\" && q.isShared()",
		test: "TestComputedSharedPolicies$",
	},
	{
		name: "computed shared: an immutable value is looked for elsewhere", file: computedSharedFile,
		old: "q.c.opts.Shared != nil && !q.set.immutable &&", new: "q.c.opts.Shared != nil &&",
		test: "TestComputedShared$|TestComputedLeaseWithin$",
	},
	{
		name: "computed shared: what is refused while it is put stays", file: computedFillFile,
		old: "	if x.refusal() != \"\" { // said late", new: "	if x.refusal() != x.refusal() { // said late",
		test: "TestComputedSharedHints$",
	},
	{
		name: "computed shared: what was withdrawn stays elsewhere", file: computedSharedFile,
		old: "key != \"\" && key[0] == values.Version", new: "key == \"\"",
		test: "TestComputedSharedHints$",
	},
	{
		name: "computed shared: what was put stays here", file: computedFillFile,
		old: "				c.shareValue(ctx, q, key, res, p.Receipt.Position())\n", new: "				_ = key\n",
		test: "TestComputedSharedPut$|TestComputedPutOverRedis$",
	},
	{
		name: "computed: a tenant's value is a part of one within a public operation", file: computedReadsFile,
		old: "x.forAll, by&personal != 0 && !x.personal:", new: "x.forAll:",
		test: "TestComputedTenantInPublicValues$",
	},
	{
		name: "computed: who has joined gets a value of another type", file: computedFile,
		old: "openedParts[T](res.value, res.body, res.typ, res.plain, &q.set)", new: "openedParts[T](res.value, res.body, q.typ, res.plain, &q.set)",
		test: "TestComputedOneKeyForTwoTypes$",
	},
	{
		name: "computed shared: a removal leaves what is there", file: computedFillFile,
		old: "	c.fleet.Withdraw(ctx, values.SharedKey(string(q.key)))\n	return existed", new: "	return existed",
		test: "TestComputedSharedRemoval$",
	},
	{
		name: "computed shared: who is within a function waits for other instances", file: computedSharedFile,
		old: "|| q.computation != nil || q.old != nil", new: "|| q.old != nil",
		test: "TestComputedLeaseWithin$",
	},
	{
		name: "computed shared: who has an expired value waits for other instances", file: computedSharedFile,
		old: "|| q.computation != nil || q.old != nil", new: "|| q.computation != nil",
		test: "TestComputedLeaseWithin$",
	},
	{
		name: "computed shared: a lease is kept until the function ends", file: computedReadsFile,
		old: "	if lease != nil {\n		lease()\n", new: "	if lease != nil && late {\n		lease()\n",
		test: "TestComputedLeaseIsGivenUp$",
	},
	{
		name: "computed shared: nobody leads for all instances", file: computedFillFile,
		old: "	led, release := c.leadValue(ctx, q, fill.key)\n", new: "	led, release := (*valueResult)(nil), func() {}\n",
		test: "TestComputedLease$",
	},
	{
		name: "computed shared: an expired value is taken for a younger one", file: computedSharedFile,
		old: "&taking{q: q, younger: q.c.opts.Now()}", new: "&taking{q: q}",
		test: "TestComputedSharedStale$",
	},
	{
		name: "computed shared: every value that is taken over is kept", file: computedSharedFile,
		old: "Passing: !c.promotes(q.old != nil)", new: "Passing: false",
		test: "TestComputedSharedPromotion$",
	},
	{
		name: "computed shared: many are asked for one by one", file: redisBatchFile,
		old: "maxRead         = 1024", new: "maxRead         = 1",
		test: "TestGetAllTrips$",
	},
	{
		name: "computed shared: one broken entry spoils those around it", file: redisBatchFile,
		old: "e != nil && !wrongType(e)", new: "e != nil",
		test: "TestGetAllTrips$",
	},
	{
		name: "computed shared: many are proven with a token of after", file: sharedFile,
		old:  "	token := f.cfg.Clock.Begin() // see TakeOver\n	entries, tags, err := f.getAll(ctx, keys, wanted)\n",
		new:  "	entries, tags, err := f.getAll(ctx, keys, wanted)\n	token := f.cfg.Clock.Begin()\n",
		test: "TestTakeAll$",
	},
}
