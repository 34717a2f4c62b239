package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/catalog"
)

// A mode is how the observer is set up.
type mode struct{ images, semi, hook bool }

func (m mode) String() string {
	name := "statements"
	if m.images {
		name = "images"
	}
	if m.hook {
		name = "row hook"
	}
	if m.semi {
		name += "+semi-joins"
	}
	return name
}

// A scenario is what one round does. It is drawn beforehand, so that it can be run again
// with less in it.
type scenario struct {
	seed      uint64
	dialect   catalog.Dialect
	mode      mode
	templates bool
	setup     []string
	reads     []reading
	steps     []scenarioStep
	only      map[int]bool // readings that are asked at all; nil for all
}

func (s *scenario) asked(i int) bool { return s.only == nil || s.only[i] }

// kept reports whether the answer of a reading is kept all the time.
func (s *scenario) kept(i int) bool { return s.asked(i) && !s.reads[i].fresh }

// A reading is a statement whose answer is kept.
type reading struct {
	sqlStatement
	rows     int    // how many rows are read, -1 for all
	tenant   string // what the transaction says, where the statement needs one
	prepared bool
	cold     bool // not asked before the answer is kept
	orphan   bool // asked without the context of the computation
	fresh    bool // asked in an older transaction only, so that nobody knows what it compares
}

// A style is how a transaction begins and ends.
type style uint8

const (
	byDriver    style = iota // BeginTx and Commit
	repeatable               // the same, REPEATABLE READ or SERIALIZABLE
	byText                   // BEGIN and COMMIT as statements
	immediate                // BEGIN IMMEDIATE
	bySavepoint              // SAVEPOINT and RELEASE without a BEGIN: SQLite
	automatic                // each statement for itself
)

// An operation is one statement of a transaction.
type operation struct {
	sqlStatement
	rows bool // it returns some
	// guarded statements have a savepoint around them. undone ones are rolled back to it.
	guarded, undone bool
	// record is the number of a reading that is recorded in place of the statement, -1.
	record int
}

// exclusive reports whether others cannot read a table until the transaction ends.
func (o operation) exclusive() bool {
	return strings.HasPrefix(o.text, "TRUNCATE") || strings.HasPrefix(o.text, "REFRESH")
}

// A transaction of a scenario.
type transaction struct {
	style    style
	ops      []operation
	rollback bool
	tenant   string
}

// A scenarioStep is one transaction, or two at the same time.
type scenarioStep struct {
	txs []*transaction
	// order says whose turn it is: a transaction's next operation, or its end; -1 is a
	// reading on another connection, whose answer is kept.
	order []int
	fills []int
	// old are readings within a transaction that is older than the step. early and late
	// are two readings of one computation, before the step and after it; -1 for none.
	old         []int
	early, late int
}

func (s scenarioStep) String() string {
	var b strings.Builder
	for i, tx := range s.txs {
		fmt.Fprintf(&b, "  transaction %d (style %d, rollback %v, tenant %q):\n", i, tx.style, tx.rollback, tx.tenant)
		for _, op := range tx.ops {
			if op.record >= 0 {
				fmt.Fprintf(&b, "    reading %d is recorded\n", op.record)
				continue
			}
			fmt.Fprintf(&b, "    %v (savepoint %v, undone %v)\n", op.sqlStatement, op.guarded, op.undone)
		}
	}
	fmt.Fprintf(&b, "  order %v, fills %v, old %v, around it %d and %d\n", s.order, s.fills, s.old, s.early, s.late)
	return b.String()
}

// drawScenario draws a round.
func drawScenario(seed uint64, d catalog.Dialect, m mode, templates bool) *scenario {
	r := rand.New(rand.NewPCG(seed, uint64(d)))
	g := newSQLGenerator(r, d)
	s := &scenario{seed: seed, dialect: d, mode: m, templates: templates, setup: modelRows(r, d)}
	for range 25 {
		s.reads = append(s.reads, g.reading(templates))
	}
	kept := len(s.reads)
	for range 15 {
		s.steps = append(s.steps, g.step(templates, kept))
		if last := &s.steps[len(s.steps)-1]; last.old != nil {
			for range 2 {
				last.old = append(last.old, len(s.reads))
				fresh := g.reading(templates)
				fresh.fresh = true
				s.reads = append(s.reads, fresh)
			}
		}
	}
	return s
}

// readsWith returns the templates of reads that contain a text.
func readsWith(text string) (list []string) {
	for _, one := range slices.Concat(readTemplates, readTraps) {
		if strings.Contains(one, text) {
			list = append(list, one)
		}
	}
	return list
}

func (g *sqlGenerator) reading(templates bool) reading {
	r := reading{rows: -1, tenant: g.pick("A", "B"), prepared: g.one(6), cold: g.one(5), orphan: g.one(20)}
	if *propertyReads != "" {
		r.sqlStatement = g.template(readsWith(*propertyReads))
	} else if templates {
		r.sqlStatement = g.template(readTemplates)
		r.cold = false
	} else if g.one(2) {
		r.sqlStatement = g.template(readTraps)
	} else {
		r.sqlStatement = g.read()
	}
	if r.ordered && g.one(5) || strings.Contains(r.text, " ORDER BY ") && !strings.Contains(r.text, "LIMIT") && r.ordered && g.one(3) {
		r.rows = g.r.IntN(4)
	}
	return r
}

func (g *sqlGenerator) step(templates bool, reads int) scenarioStep {
	s := scenarioStep{early: -1, late: -1}
	n := 1
	if g.pg && g.one(3) {
		n = 2
		g.hot = !g.one(3)
		defer func() { g.hot = false }()
	}
	for i := range n {
		tx := g.transaction(templates, reads, n > 1)
		s.txs = append(s.txs, tx)
		for range len(tx.ops) + 1 {
			s.order = append(s.order, i)
		}
	}
	g.r.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
	for g.one(4) && s.txs[0].style != automatic && !slices.ContainsFunc(s.txs[0].ops, operation.exclusive) {
		at := g.r.IntN(len(s.order))
		s.order = append(s.order[:at], append([]int{-1}, s.order[at:]...)...)
		s.fills = append(s.fills, g.r.IntN(reads))
	}
	if g.one(6) {
		s.old = append(s.old, g.r.IntN(reads), g.r.IntN(reads))
	}
	if g.one(6) {
		s.early, s.late = g.r.IntN(reads), g.r.IntN(reads)
	}
	return s
}

func (g *sqlGenerator) transaction(templates bool, reads int, concurrent bool) *transaction {
	tx := &transaction{tenant: g.pick("A", "B"), rollback: g.one(10)}
	styles := []style{immediate, immediate, immediate, byDriver, byText, bySavepoint, automatic}
	if g.pg {
		styles = []style{byDriver, byDriver, byDriver, byText, byText, repeatable, automatic}
		if concurrent {
			styles = styles[:6]
		}
	}
	tx.style = styles[g.r.IntN(len(styles))]
	guarded := g.one(2)
	for range 1 + g.r.IntN(3) {
		op := operation{record: -1, guarded: guarded && tx.style != automatic}
		if templates {
			op.sqlStatement = g.template(writeTemplates)
		} else if g.one(2) {
			op.sqlStatement = g.template([][]string{writeTraps, writeTemplates}[g.r.IntN(2)])
		} else {
			op.sqlStatement = g.write()
			for concurrent && op.exclusive() {
				op.sqlStatement = g.write()
			}
		}
		op.rows = strings.Contains(op.text, "RETURNING") || strings.HasSuffix(op.text, "FROM gone")
		op.undone = op.guarded && g.one(8)
		if op.policy && tx.style == automatic {
			tx.style = byDriver
		}
		tx.ops = append(tx.ops, op)
	}
	if tx.style != automatic && g.one(5) {
		tx.ops = append(tx.ops, operation{record: g.r.IntN(reads)})
	}
	return tx
}
