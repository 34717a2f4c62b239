package main

const (
	clockFile  = "gqlcache/internal/clock/clock.go"
	cellFile   = "gqlcache/internal/clock/cell.go"
	flightFile = "gqlcache/internal/flight/group.go"
	opFile     = "gqlcache/internal/opkey/opkey.go"
	reflFile   = "gqlcache/internal/opkey/reflected.go"
)

// rules are those of the engine's packages.
var rules = []mutant{
	{
		name: "token taken at the end of the fill", file: clockFile,
		old:  "	seq := c.seq.Load()\n	if c.allPending.Load() > 0 || token < ",
		new:  "	seq := c.seq.Load()\n	token = seq\n	if c.allPending.Load() > 0 || token < ",
		test: "TestRules",
	},
	{
		name: "number published before the cells", file: clockFile,
		old:  "	for _, t := range tags {\n		s := c.shard(t.Hash)",
		new:  "	c.seq.Store(n)\n	for _, t := range tags {\n		s := c.shard(t.Hash)",
		test: "TestApplyStress",
	},
	{
		name: "stamp is valid as of the end of Finish", file: clockFile,
		old:  "	s.ok.Store(seq)\n	return s, true",
		new:  "	_ = seq\n	s.ok.Store(c.seq.Load())\n	return s, true",
		test: "TestFinishStress",
	},
	{
		name: "a flush does not raise the floor", file: clockFile,
		old: "	c.floor.Store(n)\n", new: "	_ = n\n",
		test: "TestFlush",
	},
	{
		name: "floor ignored by stamps", file: clockFile,
		old: "s.born < c.floor.Load() || ", new: "",
		test: "TestFlush",
	},
	{
		name: "floor ignored by fills", file: clockFile,
		old: "token < c.floor.Load()", new: "false",
		test: "TestFlush",
	},
	{
		name: "a valid stamp stays valid", file: clockFile,
		old: "s.ok.Load() == seq ||", new: "s.ok.Load() >= s.born ||",
		test: "TestRules",
	},
	{
		name: "forgotten mask means no column", file: clockFile,
		old: "if t.Mask == 0 {", new: "if false {",
		test: "TestRules",
	},
	{
		name: "no tombstones", file: clockFile,
		old: "s.addTombstone(hash, tombstone{n, mask}, bound)", new: "_ = bound",
		test: "TestRules",
	},
	{
		name: "dropped tombstones do not raise low", file: clockFile,
		old: "s.low = max(s.low, g.last)\n", new: "",
		test: "TestDroppedTombstones",
	},
	{
		name: "generation loses its bound", file: clockFile,
		old: "g.last = 0", new: "s.young.last, s.old.last = 0, 0",
		test: "TestDroppedTombstones|TestSweep",
	},
	{
		name: "low ignored by fills", file: clockFile,
		old: "s.low > born || ", new: "",
		test: "TestDroppedTombstones",
	},
	{
		name: "new cell forgets low", file: clockFile,
		old: "c.words[baseWord].Store(s.low)", new: "",
		test: "TestDroppedTombstones",
	},
	{
		name: "new cell forgets other columns", file: clockFile,
		old: "c.raise(young.mask, young.num)", new: "",
		test: "TestRevivedCellKeepsOtherColumns",
	},
	{
		name: "tombstone forgets its first mask", file: clockFile,
		old: "t.mask |= before.mask", new: "",
		test: "TestTombstonesOfBothGenerations",
	},
	{
		name: "sweep removes cells that are in use", file: clockFile,
		old: ".Load() == sweep {", new: ".Load() > sweep {",
		test: "TestSweep$",
	},
	{
		name: "sweep does not set infinity", file: clockFile,
		old: "c.kill()\n", new: "",
		test: "TestSweepMissesAStamp",
	},
	{
		name: "sweep forgets young invalidations", file: clockFile,
		old: "s.addTombstone(hash, t, bound)", new: "",
		test: "TestSweepKeepsFillsInFlight",
	},
	{
		name: "sweep forgets old invalidations", file: clockFile,
		old: "case t.num <= horizon:\n			s.low = max(s.low, t.num)", new: "case t.num <= horizon:",
		test: "TestSweepForgetsIntoLow",
	},
	{
		name: "Finish does not mark", file: clockFile,
		old: "c.use(sweep)", new: "_ = sweep",
		test: "TestFinishDuringSweep",
	},
	{
		name: "Finish takes marks back", file: cellFile,
		old: "m < sweep {", new: "m != sweep {",
		test: "TestLateUseKeepsMark",
	},
	{
		name: "mask stored after the number", file: cellFile,
		old:  "p.store(maskWord(from), mask)\n	p.store(numWord(from), n)",
		new:  "p.store(numWord(from), n)\n	p.store(maskWord(from), mask)",
		test: "TestCellExhaustive",
	},
	{
		name: "slot cleared before the later one holds its pair", file: cellFile,
		old:  "p.store(maskWord(i), mask)\n			p.store(numWord(i), n)\n			p.clear(s, i, mask)",
		new:  "p.clear(s, i, mask)\n			p.store(maskWord(i), mask)\n			p.store(numWord(i), n)",
		test: "TestCellExhaustive",
	},
	{
		name: "slots cleared before the base is raised", file: cellFile,
		old:  "p.store(baseWord, n)\n		p.clear(s, slots, All)",
		new:  "p.clear(s, slots, All)\n		p.store(baseWord, n)",
		test: "TestCellExhaustive",
	},
	{
		name: "slots merged towards the front", file: cellFile,
		old: "from, to := s.oldest()", new: "to, from := s.oldest()",
		test: "TestCellExhaustive",
	},
	{
		name: "merged slot keeps the smaller number", file: cellFile,
		old: "if s[numWord(from)] > s[numWord(to)] {", new: "if false {",
		test: "TestCellExhaustive",
	},
	{
		name: "fourth mask replaces the oldest", file: cellFile,
		old: "p.store(maskWord(to), s[maskWord(to)]|s[maskWord(from)])", new: "",
		test: "TestCellHistory",
	},
	{
		name: "joiner uses any result", file: flightFile,
		old: "case p.outcome.End != Shared:", new: "case false:",
		test: "TestUnshared",
	},
	{
		name: "joiner does not check again", file: flightFile,
		old: "|| c.Valid(p.outcome.Value):", new: "|| true:",
		test: "TestJoinerOfAnOlderFlightRetries",
	},
	{
		name: "joiner never uses an older flight", file: flightFile,
		old: "|| c.Valid(p.outcome.Value):", new: "|| false:",
		test: "TestJoinerOfAnOlderValidFlight",
	},
	{
		name: "nobody leads after a leader has left", file: flightFile,
		old: "	case out.End == Left:\n		s.vacate(p)\n", new: "	case out.End == Left:\n",
		test: "TestLeaderLeaves$",
	},
	{
		name: "everybody computes after a leader has left", file: flightFile,
		old: "	case out.End == Left:\n		s.vacate(p)\n", new: "",
		test: "TestLeaderLeaves$",
	},
	{
		name: "the youngest leads after a leader has left", file: flightFile,
		old: "first := p.waiting.Front()", new: "first := p.waiting.Back()",
		test: "TestLeaversDoNotDelayOthers",
	},
	{
		name: "a chosen leader that leaves takes the lead along", file: flightFile,
		old: "	p.running--\n	s.vacate(p)\n}", new: "	p.running--\n}",
		test: "TestChosenLeaderLeaves",
	},
	{
		name: "waiting has no bound", file: flightFile,
		old: "if age := time.Since(p.begun); age < wait {", new: "if age := time.Since(p.begun); true {",
		test: "TestStuckLeader",
	},
	{
		name: "all leave a stuck leader at once", file: flightFile,
		old: "if age := time.Since(p.begun); age < wait {", new: "if age := time.Since(p.begun); false {",
		test: "TestStuckLeader",
	},
	{
		name: "what cannot be shared is waited for again", file: flightFile,
		old: "if out.End == Unshared && out.Lasting {", new: "if false {",
		test: "TestLasting",
	},
	{
		name: "old flight removes the new one", file: flightFile,
		old: "	case p.closed:\n	case out.End == Left:", new: "	case p.closed:\n		delete(s.places, p.key)\n	case out.End == Left:",
		test: "TestUnshare$|TestStuckLeader",
	},
	{
		name: "Goexit in a computation tells nobody", file: flightFile,
		old:  "defer func() { g.end(s, p, hash, out, token) }()\n	return c.Compute(token, &Flight[T]{shard: s, place: p})",
		new:  "out = c.Compute(token, &Flight[T]{shard: s, place: p})\n	g.end(s, p, hash, out, token)\n	return out",
		test: "TestGoexit",
	},
	{
		name: "arguments in the client's order", file: opFile,
		old:  "for _, i := range sorted(buf[:0], args, func(a *ast.Argument) string { return a.Name }) {",
		new:  "for i := range args {\n		_ = buf",
		test: "TestOperationsThatAgree",
	},
	{
		name: "an enum is a string", file: opFile,
		old: "w.scalar('e', v)", new: "w.scalar('s', v)",
		test: "TestOperationsThatDiffer",
	},
	{
		name: "alias left out", file: opFile,
		old: "	w.text(name)\n", new: "	_ = name\n",
		test: "TestOperationsThatDiffer",
	},
	{
		name: "fragments by their names", file: opFile,
		old: "w.count(w.number(s.Name))", new: "w.number(s.Name)\n			w.text(s.Name)",
		test: "TestOperationsThatAgree",
	},
	{
		name: "list without a count", file: opFile,
		old: "dst = appendCount(append(dst, 'l'), len(list))", new: "dst = append(dst, 'l')",
		test: "TestVariablesThatDiffer",
	},
	{
		name: "a json.Number is a string", file: opFile,
		old: "AppendPart(append(dst, '#'), string(v))", new: "AppendPart(append(dst, 's'), string(v))",
		test: "TestVariablesThatDiffer",
	},
	{
		name: "types with a name are encoded", file: reflFile,
		old: `v.Type().PkgPath() != ""`, new: "false",
		test: "TestUnencodable",
	},
	{
		name: "unknown kinds are encoded", file: reflFile,
		old:  "return appendReflectedMap(dst, v, depth)\n	}\n	return dst, ErrUnencodable",
		new:  "return appendReflectedMap(dst, v, depth)\n	}\n	return append(dst, '?'), nil",
		test: "TestUnencodable",
	},
}
