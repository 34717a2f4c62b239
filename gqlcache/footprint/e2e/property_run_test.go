package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/observe"
)

// An asker is a handle, a connection or a transaction.
type asker interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
}

// ask returns the answer of a reading.
func ask(ctx context.Context, q asker, r reading) (answer string, err error) {
	var rows *sql.Rows
	if r.prepared {
		stmt, err := q.PrepareContext(ctx, r.text)
		if err != nil {
			return "", err
		}
		defer func() { _ = stmt.Close() }()
		rows, err = stmt.QueryContext(ctx, r.args...)
		if err != nil {
			return "", err
		}
	} else if rows, err = q.QueryContext(ctx, r.text, r.args...); err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var lines []string
	for r.rows < 0 || len(lines) < r.rows {
		if !rows.Next() {
			break
		}
		dest := make([]any, len(cols))
		for i := range dest {
			dest[i] = new(any)
		}
		if err := rows.Scan(dest...); err != nil {
			return "", err
		}
		var b strings.Builder
		for _, d := range dest {
			fmt.Fprintf(&b, "%v|", *d.(*any))
		}
		lines = append(lines, b.String())
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if !r.ordered {
		slices.Sort(lines)
	}
	return strings.Join(lines, "\n"), rows.Close()
}

// asTenant runs f within a transaction that says its tenant.
func asTenant(ctx context.Context, db *sql.DB, tenant string, f func(asker) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := setTenant(ctx, tx, tenant); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func setTenant(ctx context.Context, q asker, tenant string) error {
	rows, err := q.QueryContext(ctx, `SELECT set_config('app.tenant', $1, true)`, tenant)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		continue
	}
	return rows.Err()
}

// askAlone returns the answer of a reading on a handle.
func askAlone(ctx context.Context, db *sql.DB, r reading) (answer string, err error) {
	if !r.policy {
		return ask(ctx, db, r)
	}
	err = asTenant(ctx, db, r.tenant, func(q asker) (err error) {
		answer, err = ask(ctx, q, r)
		return err
	})
	return answer, err
}

// A kept answer is one that a cache would keep.
type kept struct {
	read      int
	answer    string
	footprint dependence
	// seen is how many commits have been compared.
	seen int
	hit  bool
}

// figures count what a property run has seen. Two sessions of a step count at the same time.
type figures struct {
	mu                                               sync.Mutex
	rounds, pairs, changed, unchanged, kept          int
	missed, understood, unknown                      int
	commits, everything, imaged                      int
	refused, dirty, old, straddled                   int
	reads, readErrors, writes, writeErrors           int
	wrongWrites, rolledBack, publishedByRollback     int
	deadlocks, blocked, concurrent                   int
	notUnderstood, everythings, errors, images, lost map[string]int
}

func (f *figures) count(add func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	add()
}

func (f *figures) share() float64 { return float64(f.kept) / float64(max(1, f.unchanged)) }

// A round is one scenario that is carried out.
type round struct {
	t    *testing.T
	s    *scenario
	h    *harness
	f    *figures
	keep []*kept // by reading, nil when it has failed
	// aside are answers that were kept under odd circumstances: they are compared once.
	aside []*kept
	bad   []miss
	at    int // the step
}

// A miss is an answer that is stale and not known to be.
type miss struct {
	read, step  int
	before, now string
	footprint   dependence
	what        string
	published   string
}

// carryOut runs a scenario on a database that has the model's tables.
func carryOut(t *testing.T, s *scenario, h *harness, f *figures) []miss {
	t.Helper()
	r := &round{t: t, s: s, h: h, f: f, keep: make([]*kept, len(s.reads))}
	f.rounds++
	for i, read := range s.reads {
		if !read.cold && s.kept(i) {
			_, _ = r.record(read)
		}
	}
	for i := range s.reads {
		r.fill(i)
	}
	for i := range s.steps {
		r.at = i
		r.step(&s.steps[i])
	}
	h.clock.tell(f)
	for _, finding := range h.observer.Findings() {
		switch finding.Kind {
		case observe.ImageRefused:
			f.images[finding.Why] += int(finding.Count)
		case observe.Panicked:
			t.Errorf("seed %d: %d panics of %s: %s", s.seed, finding.Count, finding.Text, finding.Why)
		}
	}
	return r.bad
}

// record asks a reading as a computation of its own.
func (r *round) record(read reading) (*kept, error) {
	ctx, end := r.h.begin(r.t.Context())
	if read.orphan {
		ctx = r.t.Context()
	}
	answer, err := askAlone(ctx, r.h.db, read)
	k := &kept{answer: answer, footprint: end()}
	r.f.count(func() {
		r.f.reads++
		if err != nil {
			r.f.readErrors++
			r.f.errors[err.Error()+"\n      "+read.text]++
		}
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// fill keeps the answer of a reading.
func (r *round) fill(i int) {
	if !r.s.kept(i) {
		return
	}
	k, err := r.record(r.s.reads[i])
	if err != nil {
		r.keep[i] = nil
		return
	}
	k.read = i
	r.keep[i] = k
	r.f.count(func() {
		if k.footprint.unknown == "" {
			r.f.understood++
			return
		}
		r.f.unknown++
		r.f.notUnderstood[k.footprint.unknown+": "+r.s.reads[i].text]++
	})
}

// compare holds the kept answers against what the database says now.
func (r *round) compare() {
	for i, k := range r.keep {
		if k == nil {
			continue
		}
		r.f.pairs++
		changed, hit := r.judge(k, "")
		switch {
		case changed:
			r.f.changed++
		default:
			r.f.unchanged++
			if !hit {
				r.f.kept++
			} else if st := r.s.steps[r.at]; len(st.txs) == 1 && len(st.txs[0].ops) == 1 {
				r.f.lost[fmt.Sprintf("%-130.130s <- %s", r.s.reads[i].text, st.txs[0].ops[0].text)]++
			}
		}
		if changed || hit {
			r.fill(i)
		}
	}
	var aside []*kept
	r.f.count(func() { aside, r.aside = r.aside, nil })
	for _, k := range aside {
		r.judge(k, "read in a transaction that had written: ")
	}
}

func (r *round) judge(k *kept, what string) (changed, hit bool) {
	now, err := r.answerNow(k)
	if err != nil {
		r.t.Errorf("seed %d: the reading worked, and does not any more: %v\n%v", r.s.seed, err, r.s.reads[k.read])
		return true, true
	}
	hit = r.h.clock.met(k)
	changed = now != k.answer
	if changed && !hit {
		r.bad = append(r.bad, miss{k.read, r.at, k.answer, now, k.footprint, what, r.h.clock.summary(k.footprint.number)})
	}
	return changed, hit
}

func (r *round) answerNow(k *kept) (string, error) {
	return askAlone(r.t.Context(), r.h.plain, r.s.reads[k.read])
}

// step carries out one step and compares.
func (r *round) step(s *scenarioStep) {
	ctx := r.t.Context()
	var older *sql.Tx
	if len(s.old) > 0 {
		var err error
		if older, err = r.h.db.BeginTx(ctx, r.h.snapshot()); err != nil {
			r.t.Fatal(err)
		}
		// The snapshot is that of the first statement.
		if _, err := ask(observe.Outside(ctx), older, reading{sqlStatement: sqlStatement{text: "SELECT count(*) FROM users", ordered: true}, rows: -1}); err != nil {
			r.t.Fatal(err)
		}
	}
	var endStraddle func() dependence
	var straddle context.Context
	var straddled string
	if s.early >= 0 && r.s.asked(s.early) {
		straddle, endStraddle = r.h.begin(ctx)
		var err error
		if straddled, err = askAlone(straddle, r.h.db, r.s.reads[s.early]); err != nil {
			endStraddle()
			endStraddle = nil
		}
	}

	before := r.h.clock.count()
	r.transactions(s)
	if len(s.txs) == 1 && s.txs[0].rollback && s.txs[0].style != automatic {
		r.f.rolledBack++
		if r.h.clock.count() > before {
			r.f.publishedByRollback++
		}
	}

	if older != nil {
		for _, i := range s.old {
			read := r.s.reads[i]
			if read.policy || !r.s.asked(i) {
				continue
			}
			rec, end := r.h.begin(ctx)
			answer, err := ask(rec, older, read)
			k := &kept{read: i, answer: answer, footprint: end()}
			if err == nil {
				r.f.old++
				r.judge(k, "read in an older transaction: ")
			}
		}
		_ = older.Rollback()
	}
	if endStraddle != nil {
		_, err := askAlone(straddle, r.h.db, r.s.reads[s.late])
		k := &kept{read: s.early, answer: straddled, footprint: endStraddle()}
		if err == nil {
			r.f.straddled++
			r.judge(k, "read before the step by a computation that ended after it: ")
		}
	}
	r.compare()
}

// A session is one transaction of a step, while it runs.
type session struct {
	tx   *transaction
	next int
	conn *sql.Conn
	dtx  *sql.Tx
	name string
	done chan struct{} // closed when the last move has returned; nil before the first
	over bool
	// failed says that the transaction is rolled back since a statement has failed. Some
	// programs commit it all the same.
	failed bool
}

// transactions carries the transactions of a step out, in the order that it says. A
// transaction that waits for another one's lock is passed over meanwhile.
func (r *round) transactions(s *scenarioStep) {
	ctx := r.t.Context()
	sessions := make([]*session, len(s.txs))
	for i, tx := range s.txs {
		conn, err := r.h.writers[i].Conn(ctx)
		if err != nil {
			r.t.Fatal(err)
		}
		sessions[i] = &session{tx: tx, conn: conn, name: r.h.names[i]}
	}
	if len(s.txs) > 1 {
		r.f.concurrent++
	}
	queue := slices.Clone(s.order)
	fills := s.fills
	for len(queue) > 0 {
		// The first whose session does not wait for a lock.
		at := -1
		for i, who := range queue {
			if who < 0 || !sessions[who].busy() {
				at = i
				break
			}
		}
		if at < 0 { // all of them wait
			r.waitForAny(sessions)
			continue
		}
		who := queue[at]
		queue = slices.Delete(queue, at, at+1)
		if who < 0 {
			if s.txs[0].style != automatic {
				r.fill(fills[0])
			}
			fills = fills[1:]
			continue
		}
		one := sessions[who]
		one.done = make(chan struct{})
		ends := one.next == len(one.tx.ops)
		if len(sessions) == 1 {
			r.move(ctx, one)
			close(one.done)
		} else {
			go func() {
				defer close(one.done)
				r.move(ctx, one)
			}()
			r.untilBlocked(ctx, one)
			if ends && len(queue) > 0 {
				r.compare()
			}
		}
	}
	for _, one := range sessions {
		if one.done != nil {
			<-one.done
		}
		_ = one.conn.Close()
	}
}

func (s *session) busy() bool {
	if s.done == nil {
		return false
	}
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

func (r *round) waitForAny(sessions []*session) {
	if len(sessions) == 1 {
		<-sessions[0].done
		return
	}
	select {
	case <-sessions[0].done:
	case <-sessions[1].done:
	}
}

// untilBlocked returns when the move has returned, or waits for a lock.
func (r *round) untilBlocked(ctx context.Context, s *session) {
	for s.busy() {
		var blocked bool
		err := r.h.plain.QueryRowContext(ctx, `SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = $1 AND cardinality(pg_blocking_pids(pid)) > 0`, s.name).Scan(&blocked)
		if err != nil {
			r.t.Error(err)
			<-s.done
			return
		}
		if blocked && s.busy() {
			r.f.count(func() { r.f.blocked++ })
			return
		}
	}
}

// move does a session's next operation, or ends its transaction.
func (r *round) move(ctx context.Context, s *session) {
	if s.over {
		return
	}
	if s.next == 0 {
		if err := r.beginTransaction(ctx, s); err != nil {
			r.failed("BEGIN", err)
			s.over = true
			return
		}
	}
	if s.next == len(s.tx.ops) {
		r.endTransaction(ctx, s)
		return
	}
	op := s.tx.ops[s.next]
	s.next++
	if op.record >= 0 {
		if !r.s.asked(op.record) {
			return
		}
		r.recordWithin(ctx, s, op.record)
		return
	}
	var q asker = s.conn
	if s.dtx != nil {
		q = s.dtx
	}
	if op.guarded {
		r.must(ctx, s, q, "SAVEPOINT sp")
	}
	err := r.operate(ctx, q, s.tx, op)
	r.f.count(func() { r.f.writes++ })
	if err != nil {
		r.failed(op.text, err)
	}
	switch {
	case op.guarded && (err != nil || op.undone):
		r.must(ctx, s, q, "ROLLBACK TO SAVEPOINT sp")
		r.must(ctx, s, q, "RELEASE SAVEPOINT sp")
	case op.guarded:
		r.must(ctx, s, q, "RELEASE SAVEPOINT sp")
	case err != nil && r.s.dialect == catalog.PostgreSQL && s.tx.style != automatic:
		// The server has given the transaction up.
		s.next = len(s.tx.ops)
		s.failed = r.s.seed%3 != 0
		r.endTransaction(ctx, s)
		s.over = true
	}
}

func (r *round) operate(ctx context.Context, q asker, tx *transaction, op operation) error {
	if op.policy && tx.style != automatic {
		if err := setTenant(ctx, q, tx.tenant); err != nil {
			return err
		}
	}
	if !op.rows {
		_, err := q.ExecContext(ctx, op.text, op.args...)
		return err
	}
	_, err := ask(ctx, q, reading{sqlStatement: op.sqlStatement, rows: -1})
	return err
}

func (r *round) must(ctx context.Context, s *session, q asker, text string) {
	if s.over {
		return
	}
	if _, err := q.ExecContext(ctx, text); err != nil { // an aborted transaction, a deadlock
		r.failed(text, err)
		r.endTransaction(ctx, s)
		s.over = true
	}
}

func (r *round) failed(text string, err error) {
	r.f.count(func() {
		r.f.writeErrors++
		if strings.Contains(err.Error(), "40P01") || strings.Contains(err.Error(), "40001") {
			r.f.deadlocks++
		} else if wrongStatement(err) {
			r.f.wrongWrites++
			r.f.errors[err.Error()+"\n      "+text]++
		}
	})
}

func (r *round) beginTransaction(ctx context.Context, s *session) (err error) {
	switch s.tx.style {
	case byDriver:
		s.dtx, err = s.conn.BeginTx(ctx, nil)
	case repeatable:
		o := &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
		if r.s.seed%2 == 0 {
			o.Isolation = sql.LevelSerializable
		}
		s.dtx, err = s.conn.BeginTx(ctx, o)
	case byText:
		_, err = s.conn.ExecContext(ctx, "BEGIN")
	case immediate:
		_, err = s.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	case bySavepoint:
		_, err = s.conn.ExecContext(ctx, "SAVEPOINT whole")
	}
	return err
}

func (r *round) endTransaction(ctx context.Context, s *session) {
	end := func(text string) {
		if _, err := s.conn.ExecContext(ctx, text); err != nil {
			r.failed(text, err)
		}
	}
	var err error
	switch undo := s.tx.rollback || s.failed; {
	case s.over:
		return
	case s.dtx != nil && undo:
		err = s.dtx.Rollback()
	case s.dtx != nil:
		err = s.dtx.Commit()
	case s.tx.style == bySavepoint && undo:
		end("ROLLBACK TO whole")
		end("RELEASE whole")
	case s.tx.style == bySavepoint:
		end("RELEASE whole")
	case s.tx.style != automatic && undo:
		end("ROLLBACK")
	case s.tx.style != automatic:
		end("COMMIT")
	}
	s.over = true
	if err != nil {
		r.failed("COMMIT", err)
	}
}

// recordWithin records a reading on a connection with uncommitted changes. What its
// footprint says depends on nothing uncommitted is kept.
func (r *round) recordWithin(ctx context.Context, s *session, i int) {
	read := r.s.reads[i]
	var q asker = s.conn
	if s.dtx != nil {
		q = s.dtx
	}
	rec, end := r.h.begin(ctx)
	if read.policy {
		if err := setTenant(rec, q, read.tenant); err != nil {
			end()
			r.failed("set_config", err)
			return
		}
	}
	answer, err := ask(rec, q, read)
	k := &kept{read: i, answer: answer, footprint: end()}
	if err != nil {
		if r.s.dialect == catalog.PostgreSQL {
			r.endTransaction(ctx, s)
		}
		return
	}
	r.f.count(func() {
		r.f.dirty++
		if k.footprint.refused {
			r.f.refused++
			return
		}
		r.aside = append(r.aside, k)
	})
}

// wrongStatement says that a statement is not well-formed: it is the generator's fault.
func wrongStatement(err error) bool {
	for _, code := range []string{"SQLSTATE 23", "SQLSTATE 40", "SQLSTATE 25P02", "SQLSTATE 21000", "SQLSTATE 42501", "SQLSTATE 428C9", "constraint failed", "(1811)", "(787)", "(1555)", "(2067)", "(1299)", "resulted in rollback"} {
		if strings.Contains(err.Error(), code) {
			return false
		}
	}
	return true
}
