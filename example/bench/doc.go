// Command bench measures hits of the example's schema over HTTP, each kind of server
// beside a static handler that sends the same bytes:
//
//	go run ./example/bench                          # all servers, answers of some 1, 10 and 100 KB
//	go run ./example/bench -servers transport,direct -sizes 1 -time 10s
//	go run ./example/bench -write docs/http.md      # puts the tables between the markers of that file
//	go run ./example/bench -mode entries            # hits among many entries, and the collector's share
//	go run ./example/bench -mode entries -kb 1 -entries 1000,100000,1000000 # takes 3 to 4 GB, and half an hour to fill
//	go run ./example/bench -http2                   # over HTTP/2 without TLS
//	go run ./example/bench -compare example/compare # with other caches: see its README.md
//
// Each server is a process of its own, which this program starts from its own file. One
// client with few connections asks them in turns of 200 ms, so that what else the machine
// does hits all of them alike. Before a server is measured, its answer is compared with
// that of the uncached one, and afterwards the cache's own count has to say that all were
// hits. It needs Linux, where /proc has the CPU time of processes.
package main
