// The rows of recursion.c, map.c and tasks.c with goroutines.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"time"
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	left := make(chan int, 1)
	go func() { left <- fib(n - 1) }()
	right := fib(n - 2)
	return <-left + right
}

func squares(in, out []int32, workers int) {
	var group sync.WaitGroup
	for w := 1; w < workers; w++ {
		group.Add(1)
		go func(w int) {
			part(in, out, w, workers)
			group.Done()
		}(w)
	}
	part(in, out, 0, workers)
	group.Wait()
}

func part(in, out []int32, w, workers int) {
	from, to := len(in)*w/workers, len(in)*(w+1)/workers
	for i := from; i < to; i++ {
		out[i] = in[i] * in[i]
	}
}

func arrays(n int) ([]int32, []int32) {
	in, out := make([]int32, n), make([]int32, n)
	for i := range in {
		in[i] = int32(i % 1000)
	}
	return in, out
}

func sum(out []int32) (total uint64) {
	for _, x := range out {
		total += uint64(x)
	}
	return
}

func warm(workers, n, rounds int) (float64, uint64) {
	in, out := arrays(n)
	for i := 0; i < rounds/10+1; i++ {
		squares(in, out, workers)
	}
	start := time.Now()
	for i := 0; i < rounds; i++ {
		squares(in, out, workers)
	}
	return float64(time.Since(start).Nanoseconds()) / float64(rounds), sum(out)
}

func afterPause(workers, n, pauses int, gap time.Duration) (float64, uint64) {
	in, out := arrays(n)
	times := make([]float64, pauses)
	squares(in, out, workers)
	for i := range times {
		time.Sleep(gap)
		start := time.Now()
		squares(in, out, workers)
		times[i] = float64(time.Since(start).Nanoseconds())
	}
	sort.Float64s(times)
	return times[pauses/2], sum(out)
}

func submit(x int) chan int {
	future := make(chan int, 1)
	go func() { future <- x }()
	return future
}

func futures(size int) (float64, uint64) {
	var check uint64
	batch := make([]chan int, 1000)
	start := time.Now()
	for done := 0; done < size; done += len(batch) {
		for i := range batch {
			batch[i] = submit(i)
		}
		for _, future := range batch {
			check += uint64(<-future)
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(size), check
}

func roundTrip(size int) (float64, uint64) {
	var check uint64
	start := time.Now()
	for i := 0; i < size; i++ {
		check += uint64(<-submit(1))
	}
	return float64(time.Since(start).Nanoseconds()) / float64(size), check
}

func roundTripCold(size int) (float64, uint64) {
	var check uint64
	times := make([]float64, size)
	for i := range times {
		time.Sleep(time.Millisecond)
		start := time.Now()
		check += uint64(<-submit(1))
		times[i] = float64(time.Since(start).Nanoseconds())
	}
	sort.Float64s(times)
	return times[size/2], check
}

func blocked(size int, secondHalf bool) (float64, uint64) {
	var ns float64
	for round := 0; round < 2; round++ {
		var ready, done sync.WaitGroup
		gate := make(chan bool)
		ready.Add(size)
		done.Add(size)
		start := time.Now()
		for i := 0; i < size; i++ {
			go func() {
				ready.Done()
				<-gate
				done.Done()
			}()
		}
		ready.Wait()
		middle := time.Now()
		close(gate)
		done.Wait()
		if secondHalf {
			ns = float64(time.Since(middle).Nanoseconds())
		} else {
			ns = float64(middle.Sub(start).Nanoseconds())
		}
	}
	return ns / float64(size), uint64(size)
}

func give(size int) (float64, uint64) {
	var group sync.WaitGroup
	group.Add(2)
	start := time.Now()
	for i := 0; i < 2; i++ {
		go func() {
			for k := 0; k < size; k++ {
				runtime.Gosched()
			}
			group.Done()
		}()
	}
	group.Wait()
	return float64(time.Since(start).Nanoseconds()) / float64(2*size), uint64(2 * size)
}

func main() {
	row := os.Args[1]
	workers, _ := strconv.Atoi(os.Args[2])
	size, _ := strconv.Atoi(os.Args[3])
	runtime.GOMAXPROCS(workers)
	var ns float64
	var check uint64
	switch row {
	case "fib":
		fib(15)
		start := time.Now()
		check = uint64(fib(size))
		ns = float64(time.Since(start).Nanoseconds()) / float64(check)
	case "few":
		ns, check = warm(workers, 8, size)
	case "few_cold":
		ns, check = afterPause(workers, 8, size, 5*time.Millisecond)
	case "seed":
		ns, check = warm(workers, 5000, size)
	case "seed_cold":
		ns, check = afterPause(workers, 5000, size, 100*time.Millisecond)
	case "many":
		ns, check = warm(workers, size, 10)
	case "futures":
		ns, check = futures(size)
	case "round_trip":
		ns, check = roundTrip(size)
	case "round_trip_cold":
		ns, check = roundTripCold(size)
	case "block":
		ns, check = blocked(size, false)
	case "unblock":
		ns, check = blocked(size, true)
	case "switch":
		ns, check = give(size)
	default:
		os.Exit(2)
	}
	fmt.Printf("%.3f %d\n", ns, check)
}
