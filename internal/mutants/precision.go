package main

const (
	windowFile    = "cascade/window.go"
	containsFile  = "cascade/contains.go"
	reportFile    = "cascade/report.go"
	reportAllFile = "cascade/report_all.go"
	outcomeFile   = "cascade/outcome.go"
)

// precisionRules are those that let an answer stay: first rows, searches, reports.
var precisionRules = []mutant{
	{
		name: "a list that is not full counts as full", file: windowFile,
		old: "r.shown(place, b.Views[0]) == limit", new: "r.shown(place, b.Views[0]) <= limit",
		test: "TestFirstRows",
	},
	{
		name: "a list with more rows than its limit counts as full", file: windowFile,
		old: "r.shown(place, b.Views[0]) == limit", new: "r.shown(place, b.Views[0]) >= limit",
		test: "TestFirstRowsCorners",
	},
	{
		name: "limit 0 is a full list", file: windowFile,
		old: "limit > 0 && ", new: "",
		test: "TestFirstRowsCorners",
	},
	{
		name: "rows of other views fill a list", file: windowFile,
		old:  "	return r.counts[shownRows{place, v}]\n",
		new:  "	n := 0\n	for rows, count := range r.counts {\n		if rows.listPlace == place {\n			n += count\n		}\n	}\n	return n\n",
		test: "TestFirstRowsCorners",
	},
	{
		name: "nulls fill a list", file: windowFile,
		old:  "			if obj.Null || obj.Selection == nil || obj.Field == nil || obj.Field.Definition.Type.Elem == nil {\n				continue\n			}\n",
		new:  "			if obj.Null {\n				r.counts[shownRows{listPlace{obj.Field, obj.Parent}, v}]++\n			}\n			if obj.Null || obj.Selection == nil || obj.Field == nil || obj.Field.Definition.Type.Elem == nil {\n				continue\n			}\n",
		test: "TestFirstRowsCorners",
	},
	{
		name: "skipped rows do not count", file: windowFile,
		old: "ok && (null || skipped == 0)", new: "ok && (null || skipped >= 0)",
		test: "TestFirstRows",
	},
	{
		name: "a negative offset is none", file: windowFile,
		old: "ok && (null || skipped == 0)", new: "ok && (null || skipped <= 0)",
		test: "TestFirstRowsCorners",
	},
	{
		name: "every list appends", file: windowFile,
		old: "if b.Appends {", new: "if true {",
		test: "TestFirstRows",
	},
	{
		name: "shown rows leave a list unheard", file: windowFile,
		old: "me.mask |= b.columnMask() | b.Using", new: "me.mask |= 0",
		test: "TestFirstRows",
	},
	{
		name: "rows enter a list unheard", file: cascadeTags,
		old: "left, entered = vanished, existence", new: "left, entered = vanished, vanished",
		test: "TestFirstRows",
	},
	{
		name: "rows leave a set unheard", file: cascadeTags,
		old: "left, entered = vanished, existence", new: "left, entered = 0, existence",
		test: "TestFirstRows",
	},
	{
		name: "a created row counts as one that leaves", file: cascadeTags,
		old: "p.tuple(sh, e, e.New, nil, created, part)", new: "p.tuple(sh, e, e.New, nil, vanished, part)",
		test: "TestFirstRows",
	},
	{
		name: "searches mind the case", file: containsFile,
		old: "text = append(text, unicode.ToUpper(r))", new: "text = append(text, r)",
		test: "TestContains",
	},
	{
		name: "one letter that is several in the other case", file: containsFile,
		old: "if r >= utf8.RuneSelf {", new: "if r >= utf8.RuneSelf && r != 'ß' {",
		test: "TestContainsCorners",
	},
	{
		name: "a dotted capital I is no i", file: containsFile,
		old: "if r >= utf8.RuneSelf {", new: "if r >= utf8.RuneSelf && r != 'İ' {",
		test: "TestContainsCorners",
	},
	{
		name: "space around a term", file: containsFile,
		old: "strings.TrimSpace(string(text))", new: "string(text)",
		test: "TestContainsCorners",
	},
	{
		name: "a term is no pattern", file: containsFile,
		old: "strings.ContainsRune(`%_\\`, r)", new: "r == 0",
		test: "TestContainsCorners",
	},
	{
		name: "control characters in a term", file: containsFile,
		old: "if !ok || slices.ContainsFunc(text, unicode.IsControl) {", new: "if !ok {",
		test: "TestContains",
	},
	{
		name: "the text of a UUID is searched", file: containsFile,
		old: "v.kind != valueText || looksLikeUUID(v.text)", new: "v.kind != valueText",
		test: "TestContains",
	},
	{
		name: "values without grams contain nothing", file: containsFile,
		old:  "		if !ok || len(text) > maxGramRunes {\n			return nil, false\n		}\n",
		new:  "		if !ok || len(text) > maxGramRunes {\n			continue\n		}\n",
		test: "TestContains",
	},
	{
		name: "short terms have no grams", file: containsFile,
		old: "range [...]int{shortGram, longGram}", new: "range [...]int{longGram}",
		test: "TestContains",
	},
	{
		name: "reports of a failed field list all its rows", file: reportAllFile,
		old: "if !answered {", new: "if false {",
		test: "TestReportCorners",
	},
	{
		name: "reports of an unknown field are of each", file: reportAllFile,
		old: `rep.Root == "" && len(roots) == 1`, new: `rep.Root == ""`,
		test: "TestReportsOfAllRows",
	},
	{
		name: "fields that wrote nothing report nothing", file: outcomeFile,
		old:  "		roots = append(roots, rootEvents{",
		new:  "		if nothing {\n			continue\n		}\n		roots = append(roots, rootEvents{",
		test: "TestReportCorners",
	},
	{
		name: "a report of an unknown field is of each that names the row", file: reportFile,
		old: `if rep.Root == "" && len(namers) > 1 {`, new: `if rep.Root == "" && len(namers) > 1 && rep.same() {`,
		test: "TestReportCorners",
	},
}
