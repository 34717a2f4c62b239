package verify

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// newShadow returns a shadow whose entry ann has computed.
func newShadow(t *testing.T) (*rig, *Shadow) {
	t.Helper()
	r := newRig(t, func(c *Config) { c.Rate = 0 })
	s := NewShadow(r.Verifier, "other", safe.Shield{Failed: func(err error) { t.Error(err) }})
	s.Query("ann").Keep(&r.entry, []byte(before))
	return r, s
}

// asks compares what a caller gets.
func (r *rig) asks(s *Shadow, caller, answer string) {
	s.Query(caller).Compare(r.hit(), &Answer{Data: []byte(answer), Failed: answer == ""})
	pass()
}

func TestShadowKinds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		run  func(r *rig, s *Shadow)
		want string
	}{
		{"right", func(r *rig, s *Shadow) { r.asks(s, "bob", before) }, "1 of 1"},
		{"once", func(r *rig, s *Shadow) { r.asks(s, "bob", after) }, "0 of 1, unsettled 1"},
		{"of another caller", func(r *rig, s *Shadow) {
			r.asks(s, "bob", after)
			r.asks(s, "bob", after)
			r.asks(s, "ann", before)
		}, "1 of 3, otherCaller 2"},
		{"stale", func(r *rig, s *Shadow) {
			r.asks(s, "ann", after)
			r.asks(s, "ann", after)
		}, "0 of 2, stale 2"},
		{"stale for all, as it turns out", func(r *rig, s *Shadow) {
			for _, who := range []string{"bob", "bob", "ann", "ann"} {
				r.asks(s, who, after)
			}
		}, "0 of 4, stale 4"},
		{"unstable", func(r *rig, s *Shadow) {
			r.asks(s, "ann", after)
			r.asks(s, "ann", "{}")
		}, "0 of 2, unstable 2"},
		{"back to what it was", func(r *rig, s *Shadow) {
			r.asks(s, "ann", after)
			r.asks(s, "ann", before)
		}, "1 of 2, unstable 1"},
		{"a change from outside came between", func(r *rig, s *Shadow) {
			r.asks(s, "ann", after)
			r.ChangedOutside()
			r.asks(s, "ann", "{}")
		}, "0 of 2, unsettled 2"},
		{"invalidated", func(r *rig, s *Shadow) {
			r.valid.Store(false)
			r.asks(s, "ann", after)
		}, "0 of 1, overtaken 1"},
		{"several servers", func(r *rig, s *Shadow) {
			r.oneServer.Store(false)
			r.asks(s, "ann", after)
		}, "0 of 1, overtaken 1"},
		{"too many at a time", func(r *rig, s *Shadow) {
			for i := range maxJudging + 3 {
				s.Query("bob").Compare(r.hit(), &Answer{Data: []byte(fmt.Sprint(i))})
			}
			pass()
			if n := s.judging.Load(); n != 0 {
				r.t.Errorf("%d are judged", n)
			}
		}, fmt.Sprintf("0 of %d, unstable %d, overtaken 3", maxJudging+3, maxJudging)},
		{"too many callers", func(r *rig, s *Shadow) {
			for i := range maxCallers + 3 {
				r.asks(s, fmt.Sprint("caller", i), after)
			}
		}, fmt.Sprintf("0 of %d, unsettled %d, overtaken 3", maxCallers+3, maxCallers)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, s := newShadow(t)
				row.run(r, s)
				o := s.Stats().Operations[0]
				got := fmt.Sprintf("%d of %d", o.Right, o.Hits)
				for _, n := range []struct {
					name  string
					count uint64
				}{{"stale", o.Stale}, {"otherCaller", o.OtherCaller}, {"unstable", o.Unstable}, {"unsettled", o.Unsettled}, {"overtaken", o.Overtaken}} {
					if n.count > 0 {
						got += fmt.Sprintf(", %s %d", n.name, n.count)
					}
				}
				if got != row.want {
					t.Errorf("got %s, want %s", got, row.want)
				}
				if r.Stats() != nil {
					t.Error("nothing is sampled, and there are figures of it")
				}
			})
		})
	}
}

// TestShadowOperationsAreBounded: clients choose the operations. Those beyond the bound
// are counted together.
func TestShadowOperationsAreBounded(t *testing.T) {
	t.Parallel()
	_, s := newShadow(t)
	for i := range maxOperations + 3 {
		for range 2 {
			s.Count(inspect.Operation{Name: fmt.Sprint("name", i), Hash: fmt.Sprint("hash", i)})
		}
	}
	got := s.Stats().Operations
	last := got[len(got)-1]
	if len(got) != maxOperations+1 || got[0].Queries != 2 || last.Name != "other" || last.Hash != "" || last.Queries != 6 {
		t.Errorf("%d operations, the first %+v, the last %+v", len(got), got[0], last)
	}
}
