package keycheck

import (
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
)

// A server is a random one of a simulation: operations, each with statements whose
// arguments have fixed sources.
type server struct {
	r *rand.Rand
	// ids makes an id: a small number or a text.
	ids       func(n int) any
	callers   int
	predicate bool // has the user
	// usersPerValue is how many users have one value in common.
	usersPerValue int
	ops           []operation
}

type operation struct {
	variables  []string
	statements []statement
}

// A statement has arguments, and returns rows with two ids.
type statement struct {
	text string
	args []argument
	rows int
}

// An argument is where one comes from.
type argument struct {
	from     string // variable, default, constant, row, rows, predicate, session, next
	variable string
	of       int // statement
}

// The servers of a simulation.
const (
	lawful        = iota
	withoutUser   // the key lacks the user
	withoutTenant // the key lacks the tenant, which five users share
)

func newServer(r *rand.Rand, ids func(int) any, callers, form int) *server {
	missing := form != lawful
	s := &server{r: r, ids: ids, callers: callers, predicate: !missing, usersPerValue: 1}
	if form == withoutTenant {
		s.usersPerValue = 5
	}
	for o := range 6 {
		op := operation{}
		for v := range r.IntN(4) {
			op.variables = append(op.variables, fmt.Sprint("v", v))
		}
		for n := range 1 + r.IntN(4) {
			st := statement{text: fmt.Sprintf("SELECT %d FROM %d", n, o), rows: []int{1, 1, 5, 20}[r.IntN(4)]}
			for range r.IntN(3) {
				a := argument{from: []string{"variable", "default", "next", "constant", "row", "rows", "rows", "predicate"}[r.IntN(8)]}
				switch a.from {
				case "variable", "default", "next":
					if len(op.variables) == 0 {
						a.from = "constant"
						break
					}
					a.variable = op.variables[r.IntN(len(op.variables))]
				case "row", "rows":
					if n == 0 {
						a.from = "constant"
						break
					}
					a.of = r.IntN(n)
				case "predicate":
					if missing {
						a.from = "constant"
					}
				}
				st.args = append(st.args, a)
			}
			op.statements = append(op.statements, st)
		}
		if missing {
			st := &op.statements[r.IntN(len(op.statements))]
			st.args = append(st.args, argument{from: "session"})
		}
		s.ops = append(s.ops, op)
	}
	return s
}

// compute runs an operation for a caller.
func (s *server) compute(c *Checker, o, caller int) Verdict {
	r, op := s.r, &s.ops[o]
	variables := vars{}
	for i, name := range op.variables {
		switch {
		case i == 1 && r.IntN(3) == 0: // absent
		case i == 2:
			variables[name] = []string{"ASC", "DESC"}[r.IntN(2)]
		default:
			variables[name] = s.ids(r.IntN(200))
		}
	}
	k := Key{Document: uint64(o) + 1, Variables: variables, Caller: Caller(caller + 1), Predicate: "tenant=main"}
	user := s.ids(caller / s.usersPerValue)
	if s.predicate {
		k.Predicate = fmt.Sprintf("tenant=main;user=%v", user)
	}
	f := c.Begin(k)
	rows := make([][]any, len(op.statements))
	for n, st := range op.statements {
		for a, arg := range st.args {
			var v any
			switch arg.from {
			case "variable":
				v = variables[arg.variable]
			case "default":
				if v = variables[arg.variable]; v == nil {
					v = "fallback"
				}
			case "next":
				v = variables[arg.variable]
				if i, ok := v.(int64); ok {
					v = i + 1
				}
			case "constant":
				v = "PUBLISHED"
			case "row":
				v = rows[arg.of][0]
			case "rows":
				v = rows[arg.of]
			case "predicate", "session":
				v = user
			}
			f.Argument("", st.text, hashString(st.text), a+1, a+1, v)
		}
		for range st.rows {
			one, other := s.ids(r.IntN(200)), s.ids(r.IntN(200))
			rows[n] = append(rows[n], one)
			f.Row("", hashString(st.text), []driver.Value{one, other, "PUBLISHED"})
		}
	}
	return f.End()
}

var idForms = map[string]func(n int) any{
	"numbers": func(n int) any { return int64(n + 1) },
	"text":    func(n int) any { return fmt.Sprintf("u-%d-x", n+1) },
}

// TestSimulationLawful has servers whose keys have everything.
func TestSimulationLawful(t *testing.T) {
	for form, ids := range idForms {
		for _, callers := range []int{3, 20} {
			operations, refusedOps, fills, notShared := 0, 0, 0, 0
			for seed := range simulated() {
				s := newServer(rand.New(rand.NewPCG(seed, 1)), ids, callers, lawful)
				c := newChecker(Options{})
				for o := range s.ops {
					operations++
					was := false
					for i := range 60 {
						g := grade(s.compute(c, o, i%callers))
						was = was || g == refused
						if i >= 20 {
							fills++
							if g != shared {
								notShared++
							}
						}
					}
					if was {
						refusedOps++
					}
				}
			}
			t.Logf("%s, %d callers: %d of %d operations refused, %.2f %% of later answers not shared",
				form, callers, refusedOps, operations, 100*float64(notShared)/float64(fills))
			if refusedOps > operations/100 || notShared > fills/10 {
				t.Errorf("%s, %d callers: too many", form, callers)
			}
		}
	}
}

// simulated is how many servers of each form there are.
func simulated() uint64 {
	if os.Getenv("CASCADEQL_LONG") != "" {
		return 300
	}
	return 30
}

// TestSimulationMissing has servers whose keys lack the user, or the tenant.
func TestSimulationMissing(t *testing.T) {
	for form, ids := range idForms {
		for _, callers := range []int{2, 3, 20} {
			leaked := missingOnes(t, "user, "+form, ids, callers, withoutUser)
			if leaked > .01 {
				t.Errorf("%s, %d callers: %.2f answers an operation are shared", form, callers, leaked)
			}
		}
		// Two users of one tenant make it a constant until another tenant comes.
		if leaked := missingOnes(t, "tenant, "+form, ids, 20, withoutTenant); leaked > .5 {
			t.Errorf("%s: %.2f answers an operation are shared", form, leaked)
		}
	}
}

// missingOnes returns how many answers an operation are shared before it is found.
func missingOnes(t *testing.T, name string, ids func(int) any, callers, form int) float64 {
	t.Helper()
	operations, found, leaked, most, sum := 0, 0, 0, 0, 0
	for seed := range simulated() {
		s := newServer(rand.New(rand.NewPCG(seed, 1)), ids, callers, form)
		c := newChecker(Options{})
		for o := range s.ops {
			operations++
			for i := range 60 {
				g := grade(s.compute(c, o, s.r.IntN(callers)))
				if g == shared {
					leaked++
				}
				if g == refused {
					found++
					sum += i + 1
					most = max(most, i+1)
					break
				}
			}
		}
	}
	t.Logf("%s, %d callers: %d of %d operations found, after %.1f computations, %d at most; %d answers shared before",
		name, callers, found, operations, float64(sum)/float64(max(found, 1)), most, leaked)
	if found < operations*99/100 {
		t.Errorf("%s, %d callers: too few found", name, callers)
	}
	return float64(leaked) / float64(operations)
}
