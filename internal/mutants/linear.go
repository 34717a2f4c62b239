package main

const (
	linearAcknowledged = "TestLinearizableValues$/^acknowledged$/^whole$"
	linearStrict       = "TestLinearizableValues$/^linearizable$/^whole$"
)

// linearRules are rules of values whose loss the histories that porcupine judges must show.
var linearRules = []mutant{
	{
		name: "linear: a value has a token of after its function", file: computedFillFile,
		old: "	took = time.Since(start)\n	if err == nil {", new: "	took, token = time.Since(start), c.clock.Seq()\n	if err == nil {",
		test: linearAcknowledged,
	},
	{
		name: "linear: an answer does not depend on the values that it is made of", file: computedReadsFile,
		old: "		r.mu.reads.Add(s)\n", new: "",
		test: linearAcknowledged,
	},
	{
		name: "linear: a value is put with a token of now", file: computedFillFile,
		old: "key, res, token.number, engine.UnknownCost", new: "key, res, c.clock.Seq(), engine.UnknownCost",
		test: linearAcknowledged,
	},
	{
		name: "linear: a value that is put leaves the older ones of other instances", file: computedFillFile,
		old: "drop.operations = drop.operations[1:]\n", new: "drop.operations = []cascade.Tag{{Hash: 1, Mask: 1}}\n",
		test: linearAcknowledged,
	},
	{
		name: "computed shared: a value that is put outlives a younger one", file: computedFillFile,
		old: "	return c.fleet.Unchanged(p.Receipt.Position(), []cascade.Tag{replaced})\n", new: "	return p.Number, true\n",
		test: "TestComputedPutsMeet$",
	},
	{
		name: "linear: a value that is put outlives a younger one", file: computedFillFile,
		old: "	return c.fleet.Unchanged(p.Receipt.Position(), []cascade.Tag{replaced})\n", new: "	return p.Number, true\n",
		test: linearAcknowledged,
	},
	{
		name: "linear: a removal is not told", file: computedFillFile,
		old: "operations: []cascade.Tag{stored, replaced},\n	})\n	if e != nil", new: "operations: []cascade.Tag{{Hash: stored.Hash + replaced.Hash, Mask: stored.Mask}},\n	})\n	if e != nil",
		test: linearAcknowledged,
	},
	{
		name: "linear: the rows of a mutation are not announced", file: intentFile,
		old: "	return c.schema.Load().Plan.Publish(ch.more, ch.events, c.partition(ctx)), false\n", new: "	return []cascade.Tag{{Hash: 1, Mask: 1}}, false\n",
		test: linearStrict,
	},
}
