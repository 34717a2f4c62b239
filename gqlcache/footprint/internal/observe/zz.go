package observe

func (o *Observer) Dump() (l []string) {
	st := o.state.Load()
	for text, a := range st.memo.young { l = append(l, text+"\n    => "+a.String()) }
	return l
}
