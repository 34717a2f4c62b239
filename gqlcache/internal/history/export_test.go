package history

// Stats are a table's figures: the numbers between which it can prove, and how many tags
// it holds.
type Stats struct {
	Epoch, Low, Last uint64
	Tags             int
}

// Stats returns the figures.
func (t *Table) Stats() Stats {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return Stats{Epoch: t.epoch, Low: t.low, Last: t.last, Tags: len(t.young) + len(t.old)}
}
