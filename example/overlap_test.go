package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// A read that overlaps a deletion shows the state before or after it, at every level:
// posts come with their author and all their comments, or not at all. Statements that
// each saw their own state would find a post whose author is gone, which is an error.
func TestReadsOverlappingDeletions(t *testing.T) { onEach(t, testReadsOverlappingDeletions) }

func testReadsOverlappingDeletions(t *testing.T, database kind) {
	t.Helper()
	s := newSiteOn(t, database)
	s.store.SetLatency(500 * time.Microsecond)
	const (
		users  = `[{id:"<u1>",email:"a",name:"Ann"}]`
		posts  = `[{id:"<p1>",authorId:"<u1>",title:"t",body:"",status:PUBLISHED}]`
		remark = `[{id:"<c1>",postId:"<p1>",authorId:"<u1>",body:"c"}]`
		query  = `{feed{id author{name} commentCount comments{author{name}}} search(term:"t"){... on Post{author{stats{postCount}}}}}`
		full   = `"feed":[{"id":"<p1>","author":{"name":"Ann"},"commentCount":1,"comments":[{"author":{"name":"Ann"}}]}]`
		empty  = `"feed":[]`
		found  = `"search":[{"author":{"stats":{"postCount":1}}}]`
		none   = `"search":[]`
	)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a := s.do(tenantA, query)
				if a.errors != "" || !strings.Contains(a.data, full) && !strings.Contains(a.data, empty) ||
					!strings.Contains(a.data, found) && !strings.Contains(a.data, none) {
					t.Errorf("got %s, errors %s", a.data, a.errors)
					return
				}
			}
		})
	}
	for range 40 {
		s.do(tenantA, `mutation{importData(users:`+users+`,posts:`+posts+`,comments:`+remark+`){users}}`)
		s.do(tenantA, `mutation{deleteUser(id:"<u1>")}`)
	}
	close(done)
	wg.Wait()
}
