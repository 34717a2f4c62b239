package main

const (
	edgeNamesFile  = "gqlcache/internal/edge/names.go"
	edgePurgerFile = "gqlcache/internal/edge/purger.go"
	edgeFile       = "gqlcache/edge.go"
)

// edgeRules are those of the keys for caches in front, and of purges.
var edgeRules = []mutant{
	{
		name: "edge: names do not depend on the secret", file: edgeNamesFile, in: "gqlcache/internal/edge",
		old: "	mac := hmac.New(sha256.New, n.Secret)\n	b := append", new: "	mac := hmac.New(sha256.New, nil)\n	b := append",
		test: "TestNamesTellNothing",
	},
	{
		name: "edge: rows of tenants have names", file: edgeNamesFile, in: "gqlcache/internal/edge",
		old: "return v.Partitioned }); !partitioned && len", new: "return false && v.Partitioned }); !partitioned && len",
		test: "TestNamesTellNothing",
	},
	{
		name: "edge: the number of names tells the number of rows", file: edgeNamesFile, in: "gqlcache/internal/edge",
		old: "	for len(names) < most {\n", new: "	for len(names) < 3 {\n",
		test: "TestNamesMeet",
	},
	{
		name: "edge: all answers have the same padding", file: edgeNamesFile, in: "gqlcache/internal/edge",
		old: "append([]byte{kindPadding, byte(i)}, key...)", new: "append([]byte{kindPadding, byte(i)}, key[:0]...)",
		test: "TestNamesTellNothing",
	},
	{
		name: "edge: an answer of too many tags has no names of its views", file: edgeNamesFile, in: "gqlcache/internal/edge",
		old: "			names = append(names, n.name(kindView, v.Name))\n		}\n		if len", new: "			_ = v\n		}\n		if len",
		test: "TestNamesMeet",
	},
	{
		name: "edge: a change of too many tags purges no answer that has tags", file: edgeNamesFile, in: "gqlcache/internal/edge",
		old: "	for _, v := range reached {\n		names = append(names, n.name(kindWide, v.Name))\n	}\n", new: "",
		test: "TestNamesMeet",
	},
	{
		name: "edge: tags of no view are forgotten where there are too many", file: edgeNamesFile, in: "gqlcache/internal/edge",
		old: "		case t.Hash == s.unnamed:\n", new: "		case false:\n",
		test: "TestNamesMeet",
	},
	{
		name: "edge: nothing is purged again", file: edgePurgerFile, in: "gqlcache/internal/edge",
		old: "		p.repeat(some, 0)\n", new: "		p.repeat(nil, 0)\n",
		test: "TestPurger$",
	},
	{
		name: "edge: a purge that failed twice is given up", file: edgePurgerFile, in: "gqlcache/internal/edge",
		old: "			p.repeat(failed, max(0, retry-p.cfg.InFlight))\n", new: "",
		test: "TestPurgerTriesAgain",
	},
	{
		name: "edge: names are purged again before their time", file: edgePurgerFile, in: "gqlcache/internal/edge",
		old: "time.Until(p.again[0].last.Add(p.cfg.InFlight))", new: "time.Until(p.again[0].last.Add(p.cfg.InFlight / 2))",
		test: "TestPurger$",
	},
	{
		name: "edge: a purge that hangs holds everything up", file: edgePurgerFile, in: "gqlcache/internal/edge",
		old: "	case <-ctx.Done():\n		err = ctx.Err()\n", new: "",
		test: "TestPurgerHangs",
	},
	{
		name: "edge: a purger ends when a service answers", file: edgePurgerFile, in: "gqlcache/internal/edge",
		old: "		if p.isOver() {\n", new: "		if len(some) == 0 && p.isOver() {\n",
		test: "TestPurgerEndsBesideAServiceThatHangs",
	},
	{
		name: "edge: what is purged while changes wait is purged no more", file: edgePurgerFile, in: "gqlcache/internal/edge",
		old: "			if pending {\n", new: "			if false && pending {\n",
		test: "TestPurgerWhilePending",
	},
	{
		name: "edge: a dead answer has no keys", file: answerHTTPFile,
		old: "if keeping.Public { // also", new: "if keeping.Public && !keeping.DoNotStore { // also",
		test: "TestDeadAnswersHaveKeys",
	},
	{
		name: "edge: an answer that varies by what nobody knows has keys", file: answerHTTPFile,
		old: "if keeping.Public { // also", new: "if true { // also",
		test: "TestKeysOfAnswers",
	},
	{
		name: "edge: an answer under a predicate has keys", file: edgeFile,
		old: "if c.front == nil || !public || !c.sends() {", new: "if c.front == nil || !c.sends() {",
		test: "TestEdgeFieldsAreCharged",
	},
	{
		name: "edge: everybody gets keys", file: edgeFile,
		old: "len(h[\"Set-Cookie\"]) == 0 && c.trusts(r) {", new: "len(h[\"Set-Cookie\"]) == 0 {",
		test: "TestKeysOfAnswers",
	},
	{
		name: "edge: keys are not charged", file: "gqlcache/compute.go",
		old: "readySize(f.stamp.ready, f.body) + fieldsSize(f.stamp.edge)", new: "readySize(f.stamp.ready, f.body)",
		test: "TestEdgeFieldsAreCharged",
	},
	{
		name: "edge: the mutation does not wait for its purge", file: edgeFile,
		old: "	if c.opts.HTTP.Edge.WaitForPurge {\n", new: "	if false {\n",
		test: "TestPurgedWhatIsDropped",
	},
	{
		name: "edge: a change is purged before it is applied", file: edgeFile,
		old:  "	p := c.fleet.Publish(ctx, a, ch)\n	if !c.front.purges() {\n		return p\n	}\n	purged := c.front.purger.Add(c.changeKeys(ch, edge.MaxChange))\n",
		new:  "	if !c.front.purges() {\n		return c.fleet.Publish(ctx, a, ch)\n	}\n	purged := c.front.purger.Add(c.changeKeys(ch, edge.MaxChange))\n	<-purged\n	p := c.fleet.Publish(ctx, a, ch)\n",
		test: "TestPurgedAfterTheCascade",
	},
	{
		name: "edge: a response names more groups than a cache must read", file: edgeFile,
		old: "return groups(c.changeKeys(b.Change, edge.MaxNames))", new: "return groups(c.changeKeys(b.Change, 100*edge.MaxNames))",
		test: "TestCacheGroupInvalidation",
	},
	{
		name: "edge: everybody is told the groups of a change", file: edgeFile,
		old: "r.Method == http.MethodPost && c.trusts(r) {", new: "r.Method == http.MethodPost {",
		test: "TestCacheGroupInvalidation",
	},
	{
		name: "edge: groups of what is not changed are named", file: edgeFile,
		old: "!c.opts.HTTP.Edge.Groups || b.IsEmpty() {", new: "!c.opts.HTTP.Edge.Groups {",
		test: "TestCacheGroupInvalidation",
	},
	{
		name: "edge: a response that is held back names no groups", file: "gqlcache/hold.go",
		old: "	h.cache.addChangedGroups(h.header, r, h.cache.changedGroups(&b))\n", new: "",
		test: "TestCacheGroupInvalidation",
	},
}
