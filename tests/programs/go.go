// SPDX-License-Identifier: MIT
// Goroutines, channels, a growing map and the garbage collector. The runtime's timers sit on an epoll descriptor.
// compiler: go
// refused: eventpoll|epoll|eventfd
// prepare: env GOCACHE=WORK/cache GO111MODULE=off go build -o WORK/program SOURCE
// start: WORK/program
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"time"
)

type result struct {
	n   int
	sum [32]byte
}

func worker(steps <-chan int, results chan<- result) {
	for n := range steps {
		results <- result{n, sha256.Sum256([]byte(fmt.Sprint("step ", n)))}
	}
}

func main() {
	steps, results := make(chan int), make(chan result)
	pid := os.Getpid()
	kept := map[int][32]byte{}

	for i := 0; i < 4; i++ {
		go worker(steps, results)
	}
	for n := 1; ; n++ {
		steps <- n
		r := <-results
		kept[r.n] = r.sum
		verdict := "ok"
		for i, sum := range kept {
			if sum != sha256.Sum256([]byte(fmt.Sprint("step ", i))) {
				verdict = fmt.Sprintf("bad: sum %d differs", i)
			}
		}
		if os.Getpid() != pid {
			verdict = fmt.Sprintf("bad: PID is %d, was %d", os.Getpid(), pid)
		}
		fmt.Println(n, verdict)
		time.Sleep(30 * time.Millisecond)
	}
}
