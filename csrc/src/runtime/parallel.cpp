// The fork-join pool.
//
// Each worker has a slot of its own with two counters: `start`, raised by the caller to hand over a
// job, and `done`, set by the worker to the same number when its part is finished. A thread that
// waits reads one counter for a bounded time and then sleeps on it. Before it sleeps it raises a
// flag and looks again; before the other side decides not to wake it, that side has stored the
// counter: with sequentially consistent accesses one of the two always sees the other.
//
// One caller owns the pool at a time. Another one meanwhile does its work alone: waiting would cost
// more than it gains, since all threads are busy.
//
// A machine shared with other programs does not always run a worker when it is wanted. So a part is
// claimed before it is run, and the caller, done with its own part, claims those that no worker has
// begun. Where a worker lost its CPU in the middle of a part, nothing can be done but wait. Where
// that takes a large share of the time, the caller works alone for a while (see Retreat).
#include "fusegrad/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <condition_variable>
#include <mutex>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "fusegrad/error.h"
#include "fusegrad/storage.h"
#include "runtime/cpu_limits.h"

namespace fusegrad {
namespace {

// ---- waiting -----------------------------------------------------------------------------------

constexpr int64_t kSpinNanoseconds = 50'000;
constexpr int kGraceReads = 20;  // about half a microsecond

int64_t now_nanoseconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Ticks of the cheapest steady counter.
uint64_t ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#endif
}

// How many ticks are about so many microseconds.
uint64_t ticks_of(uint64_t microseconds) {
#if defined(__x86_64__)
  return microseconds * 2500;
#elif defined(__aarch64__)
  uint64_t frequency;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
  return microseconds * frequency / 1'000'000;
#endif
}

// A counter that one thread raises and one other waits for.
class Signal {
 public:
  uint32_t read() const { return value_.load(std::memory_order_acquire); }
  bool asleep() const { return asleep_.load(std::memory_order_relaxed) != 0; }

  void set(uint32_t value) {
#if defined(__linux__)
    value_.store(value, std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_seq_cst) != 0) {
      syscall(SYS_futex, &value_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
#else
    {
      std::lock_guard<std::mutex> lock(mutex_);
      value_.store(value, std::memory_order_seq_cst);
    }
    if (asleep_.load(std::memory_order_seq_cst) != 0) wake_.notify_one();
#endif
  }

  // Returns once the value is no longer `old`. Reads it for `spin` nanoseconds before sleeping, or
  // until `*hurry` is no longer `calm`.
  void wait(uint32_t old, int64_t spin, const std::atomic<uint32_t>& hurry, uint32_t calm) {
    if (read() != old) return;
    if (spin > 0) {
      constexpr int kReadsPerLook = 32;  // at the clock
      const int64_t limit = now_nanoseconds() + spin;
      do {
        for (int i = 0; i < kReadsPerLook; ++i) {
          relax();
          if (read() != old) return;
        }
      } while (hurry.load(std::memory_order_relaxed) == calm && now_nanoseconds() < limit);
    }
    asleep_.store(1, std::memory_order_seq_cst);
#if defined(__linux__)
    static_assert(sizeof value_ == sizeof(uint32_t), "the futex is the value itself");
    while (value_.load(std::memory_order_seq_cst) == old) {
      syscall(SYS_futex, &value_, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
    }
#else
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return value_.load(std::memory_order_seq_cst) != old; });
    }
#endif
    asleep_.store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint32_t> value_{0};
  std::atomic<uint32_t> asleep_{0};
#if !defined(__linux__)
  std::mutex mutex_;
  std::condition_variable wake_;
#endif
};

// ---- the pool ----------------------------------------------------------------------------------

struct Job {
  void (*body)(void* context, int64_t begin, int64_t end) = nullptr;  // null: end the thread
  void* context = nullptr;
  int64_t n = 0;
  int64_t chunks = 1;
  int64_t unit = 1;  // chunks begin at multiples of it

  int64_t begin(int64_t chunk) const {
    if (chunk == chunks) return n;
    // n = q*chunks + r, so that nothing here overflows.
    const int64_t q = n / chunks, r = n % chunks;
    const int64_t place = q * chunk + r * chunk / chunks;
    return place - place % unit;
  }
  void run(int64_t chunk) const { body(context, begin(chunk), begin(chunk + 1)); }
};

// The first exception of a region's parts, for the caller to raise when all have ended.
class Failure {
 public:
  void keep() noexcept {
    if (!kept_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
  }
  // Only when no part runs.
  std::exception_ptr take() {
    kept_.store(false, std::memory_order_relaxed);
    return std::exchange(error_, nullptr);
  }

 private:
  std::atomic<bool> kept_{false};
  std::exception_ptr error_;
};

struct Pool;

struct alignas(kAlignment) Slot {
  Signal start;
  std::atomic<uint32_t> claimed{0};  // number of the last part that someone began
  alignas(kAlignment) Signal done;
  alignas(kAlignment) Pool* pool = nullptr;
  int64_t chunk = 0;
  std::thread thread;

  bool unclaimed(uint32_t number) const {
    return claimed.load(std::memory_order_relaxed) == number - 1;
  }
  bool claim(uint32_t number) {
    uint32_t previous = number - 1;
    return claimed.compare_exchange_strong(previous, number, std::memory_order_acq_rel);
  }
};

// When the caller works alone because the workers do not get their CPUs: after a quarter of some
// milliseconds was lost waiting for them, or doing their parts. A hiccup here and there, as on any
// virtual machine, is less than that.
struct Retreat {
  static constexpr int64_t kFirst = 10'000'000, kLongest = 200'000'000;  // nanoseconds

  int64_t until = 0, length = kFirst;
  uint64_t since = 0, lost = 0;  // ticks

  bool now() {
    if (until == 0) return false;
    const int64_t time = now_nanoseconds();
    if (time < until) return true;
    if (time > until + 4 * length) length = kFirst;  // long without trouble
    return false;
  }
  void account(uint64_t more, uint64_t time) {
    lost += more;
    if (lost < ticks_of(2000)) return;
    if (4 * lost > time - since) {
      until = now_nanoseconds() + length;
      length = length < kLongest / 2 ? 2 * length : kLongest;
    }
    lost = 0;
    since = time;
  }
};

struct Pool {
  Job job;  // written while no part is unfinished, published by Slot::start
  Failure failure;
  int workers = 0;
  Retreat retreat;
  alignas(kAlignment) std::atomic<int64_t> spin{0};
  std::atomic<uint32_t> park{0};  // raised by park_threads()
  Slot slots[kMaxThreads - 1];

  // A part that throws is done: what it left undone is the caller's to report.
  void run(int64_t chunk) noexcept {
    try {
      job.run(chunk);
    } catch (...) {
      failure.keep();
    }
  }
};

std::atomic<Pool*> pool_pointer{nullptr};
std::atomic<bool> pool_busy{false};  // some thread owns the pool
std::atomic<int> wanted_threads{0};  // 0: not yet determined
// Written with wanted_threads: more threads than this share CPUs, and then spinning steals time.
std::atomic<int> usable_cpus{1};

thread_local bool inside_region = false;

bool acquire_pool() {
  return !pool_busy.load(std::memory_order_relaxed) &&
         !pool_busy.exchange(true, std::memory_order_acquire);
}

void release_pool() { pool_busy.store(false, std::memory_order_release); }

void worker_main(Slot& slot) {
  Pool& pool = *slot.pool;
  const FloatEnvironment environment;
  inside_region = true;
  uint32_t seen = 0;
  for (;;) {
    slot.start.wait(seen, pool.spin.load(std::memory_order_relaxed), pool.park,
                    pool.park.load(std::memory_order_relaxed));
    seen = slot.start.read();
    if (!slot.claim(seen)) continue;  // the caller was faster
    if (pool.job.body == nullptr) return;
    pool.run(slot.chunk);
    slot.done.set(seen);
  }
}

// Starts workers until there are `count`; fewer where the system has no more threads to give.
void grow(Pool* pool, int count) {
  if (pool->workers >= count) return;
  // Signals belong to the threads of the program, so that Ctrl-C interrupts the caller. On Linux
  // and macOS sigprocmask sets the calling thread's mask, which its children inherit.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  while (pool->workers < count) {
    Slot& slot = pool->slots[pool->workers];
    slot.pool = pool;
    slot.chunk = pool->workers + 1;
    try {
      slot.thread = std::thread(worker_main, std::ref(slot));
    } catch (const std::system_error&) {
      break;  // the pool works with the threads that there are
    }
    ++pool->workers;
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

// The pool, with up to `threads - 1` workers; null where it cannot be had. Owned by the caller.
Pool* ready_pool(int threads) {
  Pool* pool = pool_pointer.load(std::memory_order_acquire);
  if (pool == nullptr) {
    void* memory = std::aligned_alloc(alignof(Pool), sizeof(Pool));
    if (memory == nullptr) return nullptr;
    pool = ::new (memory) Pool();
    pool_pointer.store(pool, std::memory_order_release);
  }
  const bool crowded = threads > usable_cpus.load(std::memory_order_relaxed);
  pool->spin.store(crowded ? 0 : kSpinNanoseconds, std::memory_order_relaxed);
  grow(pool, threads - 1);
  return pool;
}

// In the child of a fork only the forking thread lives on: the old pool's workers are gone, and it
// may have been in use by another thread. Its memory is left alone; the next region builds anew.
void forget_pool() {
  pool_pointer.store(nullptr, std::memory_order_relaxed);
  pool_busy.store(false, std::memory_order_relaxed);
}

// Ends the workers when the library goes, unless some thread is still computing: the end of the
// process then ends them. The memory of the pool stays, for whoever still holds its address.
struct Shutdown {
  Shutdown() { pthread_atfork(nullptr, nullptr, forget_pool); }
  ~Shutdown() {
    if (!acquire_pool()) return;  // and never give it back: later callers run alone
    Pool* pool = pool_pointer.load(std::memory_order_acquire);
    if (pool == nullptr) return;
    pool->job.body = nullptr;
    for (int i = 0; i < pool->workers; ++i) {
      pool->slots[i].start.set(pool->slots[i].start.read() + 1);
      pool->slots[i].thread.join();
    }
    pool->workers = 0;
  }
} shutdown;

// The caller's side of a region whose parts have been handed out: its own part, the parts that no
// worker has begun, and then the wait for the others. A worker that the system took off its CPU
// keeps the caller waiting far longer than its own part took.
void join(Pool* pool, const uint32_t* number, const uint32_t* before) {
  const Job& job = pool->job;
  const uint64_t begin = ticks();
  pool->run(0);
  const uint64_t own = ticks() - begin;
  bool mine[kMaxThreads];
  for (int64_t i = 0; i + 1 < job.chunks; ++i) {
    Slot& slot = pool->slots[i];
    // A part may be shorter than the way to the worker: one that is awake gets a moment to begin.
    for (int k = 0; k < kGraceReads && slot.unclaimed(number[i]) && !slot.start.asleep(); ++k) {
      relax();
    }
    mine[i] = slot.claim(number[i]);
    if (mine[i]) pool->run(i + 1);
  }
  const uint64_t middle = ticks();
  const int64_t spin = pool->spin.load(std::memory_order_relaxed);
  for (int64_t i = 0; i + 1 < job.chunks; ++i) {
    if (mine[i]) continue;
    pool->slots[i].done.wait(before[i], spin, pool->park,
                             pool->park.load(std::memory_order_relaxed));
  }
  const uint64_t end = ticks();
  // Short parts are over before a worker could begin, and that is no sign of anything.
  const uint64_t done_for_others = own > ticks_of(5) ? middle - begin - own : 0;
  const uint64_t waited = end - middle > own ? end - middle - own : 0;
  if (done_for_others + waited > 0) pool->retreat.account(done_for_others + waited, end);
}

int default_threads() {
  const char* text = std::getenv("FUSEGRAD_NUM_THREADS");
  if (parse_thread_count(text) == 0) text = std::getenv("OMP_NUM_THREADS");
  const int asked = parse_thread_count(text);
  const int cpus = usable_cpus.load(std::memory_order_relaxed);
  const int count = asked > 0 && asked < cpus ? asked : cpus;
  return count < kMaxThreads ? count : kMaxThreads;
}

int restore_default() {
  const int quota = cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup");
  const int affinity = affinity_cpus();
  usable_cpus.store(quota > 0 && quota < affinity ? quota : affinity, std::memory_order_relaxed);
  const int count = default_threads();
  wanted_threads.store(count, std::memory_order_relaxed);
  return count;
}

}  // namespace

int num_threads() {
  const int count = wanted_threads.load(std::memory_order_relaxed);
  return count > 0 ? count : restore_default();
}

void set_num_threads(int count) {
  if (count < 0 || count > kMaxThreads) {
    throw ArgumentError("set_num_threads", "count",
                        "1 to " + std::to_string(kMaxThreads) + ", or 0 for the default",
                        std::to_string(count));
  }
  restore_default();
  if (count > 0) wanted_threads.store(count, std::memory_order_relaxed);
}

void parallel_for(int64_t n, int64_t grain, void (*body)(void* context, int64_t begin, int64_t end),
                  void* context) {
  if (n <= 0) return;
  const int64_t most = grain > 1 ? n / grain : n;
  if (most < 2 || inside_region) {
    body(context, 0, n);
    return;
  }
  const int threads = num_threads();
  if (threads < 2 || !acquire_pool()) {
    body(context, 0, n);
    return;
  }
  const int64_t wanted = most < threads ? most : threads;
  Pool* pool = ready_pool(threads);
  const int64_t all = pool == nullptr || pool->retreat.now() ? 1 : pool->workers + 1;
  const int64_t chunks = wanted < all ? wanted : all;
  if (chunks < 2) {
    release_pool();
    body(context, 0, n);
    return;
  }
  // Chunks that begin at whole cache lines share none, where they are long enough to be trimmed.
  constexpr int64_t kUnit = 16;
  Job& job = pool->job;
  job = Job{body, context, n, chunks, n / chunks - kUnit >= grain && n / chunks >= 64 ? kUnit : 1};
  inside_region = true;
  uint32_t number[kMaxThreads], before[kMaxThreads];
  for (int64_t i = 0; i + 1 < chunks; ++i) {
    Slot& slot = pool->slots[i];
    before[i] = slot.done.read();
    number[i] = slot.start.read() + 1;
    slot.start.set(number[i]);
  }
  join(pool, number, before);
  inside_region = false;
  const std::exception_ptr error = pool->failure.take();
  release_pool();
  if (error != nullptr) std::rethrow_exception(error);
}

void park_threads() {
  if (Pool* pool = pool_pointer.load(std::memory_order_acquire)) {
    pool->park.fetch_add(1, std::memory_order_relaxed);
  }
}

// ---- the floating-point environment ------------------------------------------------------------

#if defined(__x86_64__)

FloatEnvironment::FloatEnvironment() : saved_(_mm_getcsr()) {
  constexpr unsigned kDefault = 0x1F80;  // round to nearest, all exceptions masked, FTZ and DAZ off
  if (saved_ != kDefault) _mm_setcsr(kDefault);
}

FloatEnvironment::~FloatEnvironment() { _mm_setcsr(static_cast<unsigned>(saved_)); }

#elif defined(__aarch64__)

FloatEnvironment::FloatEnvironment() {
  asm volatile("mrs %0, fpcr" : "=r"(saved_));
  if (saved_ != 0) asm volatile("msr fpcr, %0" : : "r"(uint64_t{0}));
}

FloatEnvironment::~FloatEnvironment() {
  if (saved_ != 0) asm volatile("msr fpcr, %0" : : "r"(saved_));
}

#else
#error "FloatEnvironment needs this architecture's control register"
#endif

// ---- scratch -----------------------------------------------------------------------------------

namespace {

struct Workspace {
  void* data = nullptr;
  int64_t bytes = 0;
  ~Workspace() { std::free(data); }
};

}  // namespace

void* thread_workspace(int64_t bytes) {
  static thread_local Workspace workspace;
  if (bytes > workspace.bytes || workspace.data == nullptr) {
    // Growth in steps of a half, so that a slowly rising demand does not allocate each time.
    constexpr int64_t kPage = 4096;
    int64_t size = workspace.bytes + workspace.bytes / 2;
    if (size < bytes) size = bytes;
    size = checked_add(size, kPage) / kPage * kPage;
    std::free(workspace.data);
    workspace.data = std::aligned_alloc(static_cast<size_t>(kAlignment), static_cast<size_t>(size));
    workspace.bytes = workspace.data == nullptr ? 0 : size;
    if (workspace.data == nullptr) {
      throw AllocationError("Unable to allocate " + std::to_string(size) +
                            " bytes of scratch memory");
    }
  }
  return workspace.data;
}

}  // namespace fusegrad
