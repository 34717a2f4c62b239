package observe

import "testing"

// A column that only a condition uses which a parameter turns off decides nothing while the
// parameter is NULL.
func TestConditionsThatAreOff(t *testing.T) {
	const (
		status  = `UPDATE posts SET status = ? WHERE id = ?`
		version = `UPDATE posts SET version = ? WHERE id = ?`
		both    = `SELECT id, title FROM posts WHERE author_id = ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR (status < ?3 OR version < ?3))`
	)
	r := newRig(t, Options{})
	rows := [][]any{args(7, "x")}
	each(t, r, both, args(1, nil, nil), rows, true, []change{
		{status, args("D", 7), true}, {version, args(3, 7), true}, {updateTitle, args("n", 7), false},
		{`UPDATE posts SET author_id = ? WHERE id = ?`, args(2, 7), false},
	})
	each(t, r, both, args(1, "P", nil), rows, true, []change{{status, args("D", 7), false}, {version, args(3, 7), true}})
	// status is used by the other condition, too.
	each(t, r, both, args(1, nil, "P"), rows, true, []change{{status, args("D", 7), false}, {version, args(3, 7), false}})
	// A condition that cannot be turned off uses it.
	each(t, r, `SELECT id, title FROM posts WHERE (?1 IS NULL OR status = ?1) AND status <> 'x'`, args(nil), rows, true, []change{
		{status, args("D", 7), false},
	})
	// What is evaluated before the argument is looked at may fail.
	for _, c := range []struct {
		condition string
		want      bool
	}{
		{`version = ?1 OR ?1 IS NULL`, true}, {`?1 IS NULL OR abs(version) = ?1`, true}, {`abs(version) = ?1 OR ?1 IS NULL`, false}, {`version = abs(?1) OR ?1 IS NULL`, false},
	} {
		each(t, r, `SELECT id, title FROM posts WHERE `+c.condition, args(nil), rows, true, []change{{version, args(3, 7), c.want}})
	}
	each(t, r, `SELECT id, title FROM (SELECT id, title, abs(version) AS size FROM posts) p WHERE size = ?1 OR ?1 IS NULL`, args(nil), rows, true, []change{
		{version, args(3, 8), false}, {status, args("D", 8), true},
	})
	each(t, r, `SELECT count(*) FROM posts WHERE ?1 IS NULL OR status = ?1`, args(nil), [][]any{args(7)}, true, []change{
		{status, args("D", 7), true}, {`DELETE FROM posts WHERE id = ?`, args(9), false},
	})
	each(t, r, `SELECT id, title FROM posts WHERE (?1 IS NULL OR status = ?1) ORDER BY status LIMIT 3`, args(nil), rows, true, []change{
		{status, args("D", 7), false}, // it decides the order
	})
}

// Of the first rows of several sets that are full, what comes behind the last one does not
// count.
func TestFirstRowsOfSets(t *testing.T) {
	const (
		insert = `INSERT INTO posts (id, author_id, status, title, version) VALUES (?, ?, ?, 'x', 1)`
		remove = `DELETE FROM posts WHERE id = ? AND author_id = ?`
		move   = `UPDATE posts SET author_id = ? WHERE id = ?`
		status = `UPDATE posts SET status = ? WHERE id = ? AND author_id = ?`
		oldest = `SELECT p.id, p.title FROM json_each(?1) k CROSS JOIN posts p ON p.id IN (
			SELECT q.id FROM posts q WHERE q.author_id = k.value AND (?3 IS NULL OR q.status = ?3) ORDER BY q.id LIMIT ?2) ORDER BY p.id`
		newest = `SELECT p.id, p.title FROM json_each(?1) k CROSS JOIN posts p ON p.id IN (
			SELECT q.id FROM posts q WHERE q.author_id = k.value ORDER BY q.id DESC LIMIT ?2 OFFSET ?3) ORDER BY p.id`
	)
	r := newRig(t, Options{})
	full := [][]any{args(70, "x"), args(80, "y")}
	each(t, r, oldest, args("[1]", 2, nil), full, true, []change{
		{insert, args(90, 1, "P"), true}, {insert, args(75, 1, "P"), false}, {insert, args(60, 1, "P"), false}, {insert, args(60, 2, "P"), true},
		{remove, args(90, 1), true}, {remove, args(80, 1), false}, {status, args("D", 70, 1), true},
		{move, args(2, 80), false}, {move, args(2, 70), false},
	})
	// The status of a row that is shown is decided by in the other mention of its table.
	each(t, r, oldest, args("[1]", 2, "P"), full, true, []change{
		{insert, args(90, 1, "P"), true}, {insert, args(75, 1, "P"), false}, {insert, args(75, 1, "D"), true},
		{`UPDATE posts SET status = ? WHERE id = ?`, args("D", 70), false},
		{move, args(2, 80), false},
	})
	// Two sets: the last row of both counts.
	each(t, r, oldest, args("[1, 2]", 1, nil), full, true, []change{
		{insert, args(90, 1, "P"), true}, {insert, args(90, 2, "P"), true}, {insert, args(75, 1, "P"), false}, {insert, args(60, 2, "P"), false},
		{insert, args(60, 3, "P"), true},
	})
	// The rows come in another order than that of the sets.
	each(t, r, newest, args("[1, 2]", 1, 0), full, true, []change{
		{insert, args(60, 1, "P"), true}, {insert, args(75, 1, "P"), false}, {insert, args(90, 2, "P"), false}, {remove, args(90, 1), true},
	})
	// A row that goes from before the page moves it.
	each(t, r, newest, args("[1]", 2, 1), full, true, []change{
		{insert, args(60, 1, "P"), true}, {remove, args(60, 1), true}, {remove, args(90, 1), false}, {insert, args(90, 1, "P"), false},
	})
	// A text or a blob in a column of numbers, which SQLite stores there, comes behind all of them.
	const page = `SELECT seq, id FROM lines WHERE post_id = 1 ORDER BY seq LIMIT 2`
	for _, last := range []any{"z", []byte("7")} {
		each(t, r, page, nil, [][]any{args(7, "a"), args(last, "b")}, true, []change{{`INSERT INTO lines (seq, id, post_id) VALUES (90, 'c', 1)`, nil, false}})
		each(t, r, page, nil, [][]any{args(7, "a"), args(80, "b")}, true, []change{{`INSERT INTO lines (seq, id, post_id) VALUES (?, 'c', 1)`, args(last), false}})
		each(t, r, `SELECT p.seq, p.id FROM lines p WHERE p.seq IN (SELECT q.seq FROM lines q WHERE q.post_id = 1 ORDER BY q.seq LIMIT 2)`, nil, [][]any{args(7, "a"), args(last, "b")}, true, []change{
			{`INSERT INTO lines (seq, id, post_id) VALUES (90, 'c', 1)`, nil, false},
		})
	}
	each(t, r, page, nil, [][]any{args(7, "a"), args(80, "b")}, true, []change{{`INSERT INTO lines (seq, id, post_id) VALUES (90, 'c', 1)`, nil, true}})
	// Sets that are not full, or may not be: an element that is there twice, a NULL, a limit
	// that is none, rows that were not all read.
	for _, not := range []struct {
		list     string
		limit    any
		rows     [][]any
		complete bool
	}{
		{"[1]", 3, full, true}, {"[1, 1]", 2, full, true}, {"[1, null]", 2, full, true},
		{"[1]", -1, full, true}, {"[1]", nil, full, true}, {"[1]", 2, full, false}, {"[1]", 0, nil, true},
		{"[1]", 2, [][]any{args(70, "x"), args(nil, "y")}, true},
		{"[1]", 1, full, true}, // more than there can be
	} {
		each(t, r, oldest, args(not.list, not.limit, nil), not.rows, not.complete, []change{{insert, args(90, 1, "P"), false}})
	}
	// What looks like it, and is none.
	for _, text := range []string{
		`SELECT p.id, p.title FROM posts p WHERE p.id NOT IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2) AND p.author_id = 1`,
		`SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.version, q.id LIMIT 2)`,
		`SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = p.author_id ORDER BY q.id LIMIT 2)`,
		`SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2) OR p.author_id = 1`,
		`SELECT p.id, p.title FROM posts p WHERE p.version IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2)`,
		`SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.version FROM posts q WHERE q.author_id = 1 ORDER BY q.version LIMIT 2)`,
		`SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 GROUP BY q.id ORDER BY q.id LIMIT 2)`,
		`SELECT DISTINCT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2)`,
		`SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2) LIMIT 2`,
		`SELECT p.id, p.title FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2)`,
		`SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.version FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2)`,
		`SELECT p.id, p.title FROM posts p CROSS JOIN json_each('[1, 1]') k WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2)`,
		`SELECT p.id, p.title FROM json_each('[1, 1]') k CROSS JOIN posts p ON p.id IN (SELECT q.id FROM posts q WHERE q.author_id = 1 ORDER BY q.id LIMIT 2)`,
	} {
		each(t, r, text, nil, full, true, []change{{insert, args(90, 1, "P"), false}})
	}
	// One set needs no list.
	each(t, r, `SELECT p.id, p.title FROM posts p WHERE p.id IN (SELECT q.id FROM posts q WHERE q.author_id = ? ORDER BY q.id LIMIT 2)`, args(1), full, true, []change{
		{insert, args(90, 1, "P"), true}, {insert, args(60, 1, "P"), false}, {move, args(2, 70), false},
	})
	// Rows that are asked for by their key are not subscribed to one by one.
	each(t, r, `SELECT p.id, p.title FROM posts p WHERE p.id IN (?1) AND p.id IN (SELECT q.id FROM posts q WHERE q.author_id = ?2 ORDER BY q.id LIMIT 1)`, args(70, 1), full[:1], true, []change{
		{`UPDATE posts SET author_id = 2 WHERE id = 70 AND author_id = 1`, nil, false}, {insert, args(60, 1, "P"), false},
	})
	// An item of FROM that is such a query.
	const derived = `SELECT d.id, d.title FROM (SELECT id, title, status FROM posts WHERE author_id = ?1 ORDER BY id LIMIT 2) d WHERE d.status <> 'x'`
	each(t, r, derived, args(1), full, true, []change{
		{insert, args(90, 1, "P"), true}, {insert, args(75, 1, "P"), false}, {remove, args(90, 1), true}, {remove, args(70, 1), false},
		{move, args(2, 70), false}, {updateTitle, args("n", 70), false}, {updateTitle, args("n", 90), true},
	})
	each(t, r, derived, args(1), full[:1], true, []change{
		{insert, args(90, 1, "P"), false}, {remove, args(90, 1), false}, {`UPDATE posts SET status = ? WHERE id = ? AND author_id = ?`, args("P", 60, 1), false},
		{`UPDATE posts SET title = ? WHERE id = ? AND author_id = ?`, args("n", 90, 1), true},
	})
	for _, text := range []string{
		`SELECT d.id, d.title FROM users u LEFT JOIN (SELECT id, title, author_id FROM posts WHERE author_id = 1 ORDER BY id LIMIT 2) d ON true`,
		`SELECT d.id, d.title FROM users u JOIN (SELECT id, title, author_id FROM posts WHERE author_id = 1 ORDER BY id LIMIT 2) d ON true`,
		`SELECT d.id, d.title FROM (SELECT version AS id, title FROM posts WHERE author_id = 1 ORDER BY id LIMIT 2) d`,
		`SELECT d.n, d.title FROM (SELECT version AS id, id AS n, title FROM posts WHERE author_id = 1 ORDER BY id LIMIT 2) d`,
		`SELECT d.id, d.title FROM (SELECT id, title FROM posts WHERE author_id = 1 GROUP BY id ORDER BY id LIMIT 2) d`,
	} {
		each(t, r, text, nil, full, true, []change{{insert, args(90, 1, "P"), false}})
	}
	// A row whose key is not known is not subscribed to.
	const lines = `SELECT p.seq, p.id FROM lines p WHERE p.seq IN (SELECT q.seq FROM lines q WHERE q.post_id = 1 ORDER BY q.seq LIMIT 1)`
	each(t, r, lines, nil, [][]any{args(70, "a")}, true, []change{{`DELETE FROM lines WHERE seq = 90 AND id = 'z' AND post_id = 1`, nil, true}})
	each(t, r, lines, nil, [][]any{args(70, 1.5)}, true, []change{{`DELETE FROM lines WHERE seq = 90 AND id = 'z' AND post_id = 1`, nil, false}})
}
