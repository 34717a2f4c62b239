package main

const (
	linearAcknowledged = "TestLinearizableValues$/^acknowledged$/^whole$"
	linearStrict       = "TestLinearizableValues$/^linearizable$/^whole$"
)

// linearRules are rules of values whose loss the histories that porcupine judges must show.
var linearRules = []mutant{
	{
		name: "linear: an answer does not depend on the values that it is made of", file: computedReadsFile,
		old: "		r.mu.reads.Add(s)\n", new: "",
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

const fleetLeadFile = "gqlcache/internal/fleet/lead.go"

// batchLeaseRules are those of leases of many values.
var batchLeaseRules = []mutant{
	{
		name: "leases: who holds some waits for the others", file: computedBatchFile,
		old:  "		if err := b.fill(ctx, token, mine, release); err != nil || len(theirs) == 0 {\n			return err\n		}\n		again := leading.Wait(ctx)\n",
		new:  "		again := true\n		for len(theirs) > 0 {\n			leading.Wait(ctx)\n			_, theirs, _, _ = b.ask(ctx, leading, theirs)\n		}\n		if err := b.fill(ctx, token, mine, release); err != nil || len(theirs) == 0 {\n			return err\n		}\n",
		test: "TestComputeAllLeasesCross$",
	},
	{
		name: "leases: nobody leads the ids of a batch", file: computedBatchFile,
		old: "	return b.c.fleet.LeadAll()\n", new: "	return nil\n",
		test: "TestComputeAllLease$",
	},
	{
		name: "leases: what others compute is computed here", file: computedBatchFile,
		old: "			theirs = append(theirs, n)\n", new: "			mine = append(mine, n)\n",
		test: "TestComputeAllLease$",
	},
	{
		name: "leases: who is within a function waits for a batch", file: computedBatchFile,
		old: "	if !b.q.asksOthers() || b.q.computation != nil {\n", new: "	if !b.q.asksOthers() {\n",
		test: "TestComputedLeaseWithin$",
	},
	{
		name: "leases: those of a batch are kept", file: computedBatchFile,
		old: "	defer x.holdLease(release)() // after the values are kept\n", new: "	_ = release\n",
		test: "TestComputeAllLease$|TestComputeAllLeaseIsGivenUp$",
	},
	{
		name: "leases: many are asked for one by one", file: "gqlcache/store/redisstore/lease.go",
		old: "from += maxRead {\n		part := at[from:min(len(at), from+maxRead)]", new: "from++ {\n		part := at[from : from+1]",
		test: "TestLeaseAll$",
	},
	{
		name: "leases: what was stored before the lease is not looked for", file: fleetLeadFile, in: "gqlcache",
		old: "	for n, t := range f.TakeAll(ctx, keys, wanted) {\n", new: "	for n, t := range make([]*Taken, len(keys)) {\n",
		test: "TestComputeAllLease$",
	},
}
