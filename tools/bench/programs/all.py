"""The seed's squares with Python's own tools: a list comprehension and multiprocessing.Pool."""
import sys
import time
from multiprocessing import Pool


def square(x):
    return x * x


def comprehension(_workers, size, numbers):
    start = time.monotonic_ns()
    for _ in range(size):
        out = [square(x) for x in numbers]
    return (time.monotonic_ns() - start) / size, out


def pool(workers, size, numbers):
    with Pool(workers) as p:
        p.map(square, numbers)
        start = time.monotonic_ns()
        for _ in range(size):
            out = p.map(square, numbers)
        return (time.monotonic_ns() - start) / size, out


if __name__ == "__main__":
    row, workers, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    numbers = [i % 1000 for i in range(5000)]
    ns, out = {"seed": pool, "seed_comprehension": comprehension}[row](workers, size, numbers)
    print(f"{ns:.3f} {sum(out)}")
