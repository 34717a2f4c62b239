package observe

func (e *Execution) semiJoins() {}
