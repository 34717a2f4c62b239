package main

const readsEntitiesFile = "cascade/reads_entities.go"

const (
	invalidatesFile = "cascade/compile_invalidates.go"
	payloadFile     = "cascade/payload/report.go"
)

// payloadRules are those of GraphQL Cascade.
var payloadRules = []mutant{
	{
		name: "payload: queries that a mutation invalidates stay", file: invalidatesFile,
		old: "tags = append(tags, RootField(name))", new: "_ = name",
		test: "TestCascadeInvalidates",
	},
	{
		name: "payload: a name that is no query means nothing", file: invalidatesFile,
		old: "			if len(inv.fields) == 0 {\n", new: "			if inv.name == \"\" {\n",
		test: "TestCascadeInvalidates",
	},
	{
		name: "payload: queries that are invalidated are not announced", file: "gqlcache/intent.go",
		old: "Plan.Publish(ch.more,", new: "Plan.Publish(nil,",
		test: "TestIntentQueries",
	},
	{
		name: "payload: a list that is cut names some types only", file: payloadFile,
		old: "	return append(first, others...)[:max(most, len(first))]\n", new: "	_ = others\n	return list[:most]\n",
		test: "TestTruncated",
	},
	{
		name: "payload: an incomplete payload does not say so", file: "cascade/payload/build.go",
		old:  "\"affectedCount\": len(r.Changes), \"truncated\": truncated,",
		new:  "\"affectedCount\": len(updated) + len(deleted), \"truncated\": truncated && false,",
		test: "TestTruncated",
	},
}

const versionsFile = "gqlcache/versions.go"

// versionRules are those of Options.Versions.
var versionRules = []mutant{
	{
		name: "versions: a lower one is no change", file: versionsFile,
		old: "told.version == v.version", new: "told.version <= v.version",
		test: "TestVersions",
	},
	{
		name: "versions: an error is no change", file: versionsFile,
		old: "same := told.err == nil && v.known &&", new: "same := told.err != nil || v.known &&",
		test: "TestVersions",
	},
	{
		name: "versions: a call that does not come back is no change", file: versionsFile,
		old: "			v.hear(ctx, toldVersion{err: errVersionLate})\n", new: "			_ = errVersionLate\n",
		test: "TestVersions",
	},
	{
		name: "versions: calls that do not come back add up", file: versionsFile,
		old: "			if pending == nil {\n", new: "			if pending != nil {\n				v.hear(ctx, toldVersion{err: errVersionLate})\n			}\n			if pending == nil || ctx != nil {\n",
		test: "TestVersions",
	},
	{
		name: "versions: sources are not told of the end", file: versionsFile,
		old: "context.WithTimeout(ctx, v.Every-v.Every/10)", new: "context.WithTimeout(context.WithoutCancel(ctx), v.Every-v.Every/10)",
		test: "TestVersionsEnd",
	},
	{
		name: "versions: an unknown name is nothing", file: "cascade/compile_graph.go",
		old: "		if len(views) == 0 {\n			c.faultf(nil, \"Options.Versions", new: "		if len(views) < 0 {\n			c.faultf(nil, \"Options.Versions",
		test: "TestVersionOptions", in: "gqlcache",
	},
}

// entityRules are those of the entities of a subgraph.
var entityRules = []mutant{
	{
		name: "entities: what was not found depends on its key alone", file: readsEntitiesFile,
		old: "			read.Using = AllColumns // any column may be what keeps the row from being found\n", new: "",
		test: "TestEntities",
	},
	{
		name: "entities: the rest of a key does not count", file: readsEntitiesFile,
		old: "presence|k.others)", new: "presence)",
		test: "TestEntities",
	},
	{
		name: "entities: another row than asked for is no sign", file: readsEntitiesFile,
		old: "if !missing && !own && !sameKey(obj.Key, keys[0]) {", new: "if false {",
		test: "TestEntities",
	},
	{
		name: "entities: what the first of a batch is found by does not count", file: readsEntitiesFile,
		old: "k.in(first) && !k.in(rep)", new: "k.in(first) && !k.in(first)",
		test: "TestEntities",
	},
	{
		name: "entities: one key of a representation counts", file: readsEntitiesFile,
		old: "			found = true\n", new: "			found = true\n			break\n",
		test: "TestEntities",
	},
	{
		name: "entities: a representation without a key depends on nothing", file: readsEntitiesFile,
		old: "	if !found {\n", new: "	if !found && len(e.views) == 0 {\n",
		test: "TestEntities",
	},
	{
		name: "entities: views that nobody writes are known", file: readsEntitiesFile,
		old: "return !v.written && !v.static })", new: "return false })",
		test: "TestEntities",
	},
	{
		name: "entities: an entity of another type is known", file: readsEntitiesFile,
		old: "if obj != nil && !obj.Null && !r.shows(obj, e.views) {", new: "if false {",
		test: "TestEntities",
	},
	{
		name: "entities: a null is told by what others show", file: readsEntitiesFile,
		old: "own := !missing && bytes.Equal(obj.Key, keys[0])", new: "own := missing || bytes.Equal(obj.Key, keys[0])",
		test: "TestEntities",
	},
	{
		name: "entities: what requires is a column", file: "cascade/operation.go",
		old:  "			me.mask = AllColumns // it is computed, of what the representation has and the row\n",
		new:  "			_ = me\n",
		test: "TestEntities",
	},
	{
		name: "entities: directives of their types do not count", file: "cascade/hooks.go",
		old: "if def.Name == entityUnion {", new: "if false {",
		test: "TestDirectivesOfEntities",
	},
}
