// The rows of talk.c and crowd.c with goroutines.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"time"
)

const (
	rounds      = 5
	room        = 100
	parties     = 8
	permits     = 4
	message     = 64
	connections = 1000
)

func each(start time.Time, size int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(size)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Some goroutines that all return a number.
type crew []chan uint64

func (c *crew) begin(task func() uint64) {
	future := make(chan uint64, 1)
	*c = append(*c, future)
	go func() { future <- task() }()
}

func (c crew) ended() (sum uint64) {
	for _, future := range c {
		sum += <-future
	}
	return
}

func ping(there, back chan int, n int) (sum uint64) {
	for i := 0; i < n; i++ {
		there <- i
		sum += uint64(<-back)
	}
	return
}

func pong(there, back chan int, n int) uint64 {
	for i := 0; i < n; i++ {
		back <- <-there + 1
	}
	return 0
}

func produce(out chan int, n int) uint64 {
	for i := 0; i < n; i++ {
		out <- i
	}
	return 0
}

func consume(in chan int) (sum uint64) {
	for x := range in {
		sum += uint64(x)
	}
	return
}

func stage(in, out chan int) uint64 {
	for x := range in {
		out <- x + 1
	}
	close(out)
	return 0
}

func pingPong(size int) (float64, uint64) {
	var c crew
	there, back := make(chan int), make(chan int)
	start := time.Now()
	c.begin(func() uint64 { return ping(there, back, size) })
	c.begin(func() uint64 { return pong(there, back, size) })
	check := c.ended()
	return each(start, size), check
}

func through(size, capacity, producers, consumers int) (float64, uint64) {
	var from, to crew
	between := make(chan int, capacity)
	start := time.Now()
	for i := 0; i < consumers; i++ {
		to.begin(func() uint64 { return consume(between) })
	}
	for i := 0; i < producers; i++ {
		from.begin(func() uint64 { return produce(between, size/producers) })
	}
	check := from.ended()
	close(between)
	check += to.ended()
	return each(start, size), check
}

func pipeline(size int) (float64, uint64) {
	var c crew
	boxes := [3]chan int{make(chan int, room), make(chan int, room), make(chan int, room)}
	start := time.Now()
	c.begin(func() uint64 { return stage(boxes[0], boxes[1]) })
	c.begin(func() uint64 { return stage(boxes[1], boxes[2]) })
	c.begin(func() uint64 { return consume(boxes[2]) })
	for i := 0; i < size; i++ {
		boxes[0] <- i
	}
	close(boxes[0])
	check := c.ended()
	return each(start, size), check
}

func selectAll(b [parties]chan int, n int) (sum uint64) {
	for i := 0; i < n; i++ {
		var x int
		select {
		case x = <-b[0]:
		case x = <-b[1]:
		case x = <-b[2]:
		case x = <-b[3]:
		case x = <-b[4]:
		case x = <-b[5]:
		case x = <-b[6]:
		case x = <-b[7]:
		}
		sum += uint64(x)
	}
	return
}

func select8(size int) (float64, uint64) {
	var c crew
	var boxes [parties]chan int
	for i := range boxes {
		boxes[i] = make(chan int)
	}
	start := time.Now()
	c.begin(func() uint64 { return selectAll(boxes, size/parties*parties) })
	for i := range boxes {
		box := boxes[i]
		c.begin(func() uint64 { return produce(box, size/parties) })
	}
	check := c.ended()
	return each(start, size), check
}

func locked(size, tasks int, hold time.Duration) (float64, uint64) {
	var c crew
	var mutex sync.Mutex
	var count uint64
	start := time.Now()
	for i := 0; i < tasks; i++ {
		c.begin(func() uint64 {
			for k := 0; k < size/tasks; k++ {
				mutex.Lock()
				count++
				if hold > 0 {
					for from := time.Now(); time.Since(from) < hold; {
					}
				}
				mutex.Unlock()
			}
			return 0
		})
	}
	check := c.ended()
	return each(start, size), check + count
}

func shared(size, every int) (float64, uint64) {
	var c crew
	var rwlock sync.RWMutex
	var count uint64
	start := time.Now()
	for i := 0; i < parties; i++ {
		c.begin(func() (seen uint64) {
			for k := 0; k < size/parties; k++ {
				if k%every == 0 {
					rwlock.Lock()
					count++
					rwlock.Unlock()
				} else {
					rwlock.RLock()
					seen |= count
					rwlock.RUnlock()
				}
			}
			return seen >> 63
		})
	}
	check := c.ended()
	return each(start, size), check + count
}

// A channel is Go's semaphore.
func acquired(size int, yield bool) (float64, uint64) {
	var c crew
	semaphore := make(chan struct{}, permits)
	start := time.Now()
	for i := 0; i < parties; i++ {
		c.begin(func() uint64 {
			for k := 0; k < size/parties; k++ {
				semaphore <- struct{}{}
				if yield {
					runtime.Gosched()
				}
				<-semaphore
			}
			return uint64(size / parties)
		})
	}
	check := c.ended()
	return each(start, size), check
}

func total(numbers []int32) (sum uint64) {
	for _, x := range numbers {
		sum += uint64(x)
	}
	return
}

func spawn(size int, task func(i int) int32) (float64, uint64) {
	var group sync.WaitGroup
	out := make([]int32, size)
	start := time.Now()
	for i := 0; i < size; i++ {
		group.Add(1)
		go func(i int) {
			out[i] = task(i)
			group.Done()
		}(i)
	}
	group.Wait()
	return each(start, size), total(out)
}

func sleepers(size int) (float64, uint64) {
	ns, check := spawn(size, func(i int) int32 {
		time.Sleep(200 * time.Millisecond)
		return 1
	})
	return ns * float64(size), check
}

func broadcast(size int) (float64, uint64) {
	var mutex sync.Mutex
	var left sync.WaitGroup
	allHere, opened := sync.NewCond(&mutex), sync.NewCond(&mutex)
	here, open := 0, false
	out := make([]int32, size)
	left.Add(size)
	for i := 0; i < size; i++ {
		go func(i int) {
			mutex.Lock()
			here++
			if here == size {
				allHere.Signal()
			}
			for !open {
				opened.Wait()
			}
			mutex.Unlock()
			out[i] = 1
			left.Done()
		}(i)
	}
	mutex.Lock()
	for here < size {
		allHere.Wait()
	}
	start := time.Now()
	open = true
	opened.Broadcast()
	mutex.Unlock()
	left.Wait()
	return each(start, size), total(out)
}

func echo(end net.Conn) {
	buffer := make([]byte, message)
	for {
		n, err := end.Read(buffer)
		if err != nil {
			break
		}
		_, err = end.Write(buffer[:n])
		must(err)
	}
	end.Close()
}

func say(end net.Conn, messages int) int32 {
	said, heard := make([]byte, message), make([]byte, message)
	for i := 0; i < messages; i++ {
		binary.LittleEndian.PutUint32(said, uint32(i))
		_, err := end.Write(said)
		must(err)
		_, err = io.ReadFull(end, heard)
		must(err)
		if !bytes.Equal(said, heard) {
			must(fmt.Errorf("not an echo"))
		}
	}
	end.Close()
	return int32(messages)
}

func tcpEcho(size int) (float64, uint64) {
	count := connections
	if size < count {
		count = size
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	clients, servers := make([]net.Conn, count), make([]net.Conn, count)
	for i := range clients {
		clients[i], err = net.Dial("tcp4", listener.Addr().String())
		must(err)
		servers[i], err = listener.Accept()
		must(err)
		// as in C, where it is the default not to
		must(clients[i].(*net.TCPConn).SetNoDelay(false))
		must(servers[i].(*net.TCPConn).SetNoDelay(false))
	}
	var group sync.WaitGroup
	heard := make([]int32, count)
	start := time.Now()
	for i := range clients {
		group.Add(2)
		go func(i int) {
			echo(servers[i])
			group.Done()
		}(i)
		go func(i int) {
			heard[i] = say(clients[i], size/count)
			group.Done()
		}(i)
	}
	group.Wait()
	ns := each(start, size)
	listener.Close()
	return ns, total(heard)
}

var rows = map[string]func(size int) (float64, uint64){
	"ping_pong":       pingPong,
	"channel":         func(size int) (float64, uint64) { return through(size, room, 1, 1) },
	"channel_4_4":     func(size int) (float64, uint64) { return through(size, room, 4, 4) },
	"fan_in":          func(size int) (float64, uint64) { return through(size, 0, parties, 1) },
	"pipeline":        pipeline,
	"select_8":        select8,
	"mutex_contended": func(size int) (float64, uint64) { return locked(size, parties, 0) },
	"mutex_free":      func(size int) (float64, uint64) { return locked(size, 1, 0) },
	"mutex_held":      func(size int) (float64, uint64) { return locked(size, parties, time.Microsecond) },
	"rwlock_read":     func(size int) (float64, uint64) { return shared(size, 1000) },
	"rwlock_tenth":    func(size int) (float64, uint64) { return shared(size, 10) },
	"semaphore":       func(size int) (float64, uint64) { return acquired(size, false) },
	"semaphore_full":  func(size int) (float64, uint64) { return acquired(size, true) },
	"spawn_group":     func(size int) (float64, uint64) { return spawn(size, func(i int) int32 { return int32(i) }) },
	"spawn_inside":    func(size int) (float64, uint64) { return spawn(size, func(i int) int32 { return int32(i) }) },
	"spawn_futures":   func(size int) (float64, uint64) { return spawn(size, func(i int) int32 { return int32(i) }) },
	"wait_group":      func(size int) (float64, uint64) { return spawn(size, func(i int) int32 { return 1 }) },
	"sleepers":        sleepers,
	"broadcast":       broadcast,
	"tcp_echo":        tcpEcho,
}

func main() {
	workers, _ := strconv.Atoi(os.Args[2])
	size, _ := strconv.Atoi(os.Args[3])
	runtime.GOMAXPROCS(workers)
	times := make([]float64, rounds)
	var check uint64
	for r := range times {
		var computed uint64
		times[r], computed = rows[os.Args[1]](size)
		check += computed
	}
	sort.Float64s(times)
	fmt.Printf("%.3f %d\n", times[rounds/2], check)
}
