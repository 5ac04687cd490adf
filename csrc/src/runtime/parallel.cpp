// The fork-join pool.
//
// Each worker has a slot of two cache lines. The caller writes a part of the work into the first
// and raises `start` to the part's number, always even. In the second the worker raises `progress`
// to the number less one when it begins, and to the number when it has ended. So a region costs
// each side one read of a line that the other has written, which is what it costs at least. A
// thread that waits reads one counter for a bounded time and then sleeps on it. Before it sleeps it
// raises a flag and looks again; before the other side decides not to wake it, that side has stored
// the counter: with sequentially consistent accesses one of the two always sees the other.
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
#include <sched.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
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
#include "fusegrad/float_environment.h"
#include "fusegrad/storage.h"
#include "runtime/cpu_limits.h"

namespace fusegrad {
namespace {

// ---- waiting -----------------------------------------------------------------------------------

constexpr int64_t kSpinNanoseconds = 50'000;
constexpr int64_t kAwakeNanoseconds = 200'000;  // while a ThreadsAwake lives
constexpr int kGraceReads = 20;                 // about half a microsecond

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

// A counter that others raise and one thread waits for.
class Signal {
 public:
  uint32_t read() const { return value_.load(std::memory_order_acquire); }
  bool asleep() const { return asleep_.load(std::memory_order_relaxed) != 0; }

  // From `old` to `value`, or false where it is no longer `old`. Wakes nobody.
  bool advance(uint32_t old, uint32_t value) {
    return value_.compare_exchange_strong(old, value, std::memory_order_acq_rel);
  }

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

  // Returns once the value is no longer `old`. Reads it for spin() nanoseconds before sleeping;
  // spin() is asked again and again.
  template <typename Spin>
  void wait(uint32_t old, const Spin& spin) {
    if (read() != old) return;
    constexpr int kReadsPerLook = 32;  // at the clock
    int64_t begin = 0;
    while (spin() > 0) {
      for (int i = 0; i < kReadsPerLook; ++i) {
        relax();
        if (read() != old) return;
      }
      const int64_t time = now_nanoseconds();
      if (begin == 0) begin = time;
      if (time - begin >= spin()) break;
      // Where the other thread shares this CPU, it gets it at once instead of half of the time.
      sched_yield();
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

struct Part {
  void (*body)(void* context, int64_t begin, int64_t end) = nullptr;  // null: end the thread
  void* context = nullptr;
  int64_t begin = 0, end = 0;
};

// Where chunk `chunk` of `chunks` begins in [0, n), at a multiple of `unit`.
int64_t chunk_begin(int64_t n, int64_t chunks, int64_t chunk, int64_t unit) {
  if (chunk == chunks) return n;
  // n = q*chunks + r, so that nothing here overflows.
  const int64_t q = n / chunks, r = n % chunks;
  const int64_t place = q * chunk + r * chunk / chunks;
  return place - place % unit;
}

// The first exception of a region's parts, for the caller to raise when all have ended.
class Failure {
 public:
  void keep() noexcept {
    if (!kept_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
  }
  // Only when no part runs.
  std::exception_ptr take() {
    if (!kept_.load(std::memory_order_relaxed)) return nullptr;
    kept_.store(false, std::memory_order_relaxed);
    return std::exchange(error_, nullptr);
  }

 private:
  std::atomic<bool> kept_{false};
  std::exception_ptr error_;
};

struct Pool;

struct alignas(kAlignment) Slot {
  Signal start;  // number of the part below
  Part part;     // read by whoever claimed it
  alignas(kAlignment) Signal progress;
  alignas(kAlignment) Pool* pool = nullptr;
  std::thread thread;

  bool unclaimed(uint32_t number) const { return progress.read() == number - 2; }
  bool claim(uint32_t number) { return progress.advance(number - 2, number - 1); }
  // Claims and ends at once, for the caller: nobody else waits for the end.
  bool take_back(uint32_t number) { return progress.advance(number - 2, number); }
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
    if (time > until + 4 * length) {  // long without trouble
      until = 0;
      length = kFirst;
    }
    return false;
  }
  // Whether that begins a retreat.
  bool account(uint64_t more, uint64_t time) {
    lost += more;
    if (lost < ticks_of(2000)) return false;
    const bool begins = 4 * lost > time - since;
    if (begins) {
      until = now_nanoseconds() + length;
      length = length < kLongest / 2 ? 2 * length : kLongest;
    }
    lost = 0;
    since = time;
    return begins;
  }
};

struct Pool {
  Failure failure;
  int workers = 0;
  Retreat retreat;
  alignas(kAlignment) std::atomic<uint32_t> parked{0};  // raised by park_threads()
  Slot slots[kMaxThreads - 1];

  // A part that throws is done: what it left undone is the caller's to report.
  void run(const Part& part) noexcept {
    try {
      part.body(part.context, part.begin, part.end);
    } catch (...) {
      failure.keep();
    }
  }
};

std::atomic<Pool*> pool_pointer{nullptr};
std::atomic<bool> pool_busy{false};  // some thread owns the pool
std::atomic<int> wanted_threads{0};  // 0: not yet determined
std::atomic<int> usable_cpus{1};     // written with wanted_threads
std::atomic<int> awake_scopes{0};    // the ThreadsAwake of all threads
std::atomic<bool> crowded{false};    // threads share CPUs: spinning would steal the others' time
std::atomic<bool> split_all{false};

thread_local bool inside_region = false;
thread_local int own_awake_scopes = 0;

// How long to spin, for one who found `parked` at this value when the wait began.
int64_t spin_nanoseconds(const Pool& pool, uint32_t parked) {
  if (crowded.load(std::memory_order_relaxed)) return 0;
  if (pool.parked.load(std::memory_order_relaxed) != parked) return 0;
  return awake_scopes.load(std::memory_order_relaxed) > 0 ? kAwakeNanoseconds : kSpinNanoseconds;
}

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
    const uint32_t parked = pool.parked.load(std::memory_order_relaxed);
    slot.start.wait(seen, [&] { return spin_nanoseconds(pool, parked); });
    seen = slot.start.read();
    if (!slot.claim(seen)) continue;  // the caller was faster
    if (slot.part.body == nullptr) return;
    pool.run(slot.part);
    slot.progress.set(seen);
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
    try {
      slot.thread = std::thread(worker_main, std::ref(slot));
    } catch (const std::system_error&) {
      break;  // the pool works with the threads that there are
    }
    ++pool->workers;
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

// The pool, made at the first call; null where there is no memory. Owned by the caller.
Pool* ready_pool() {
  Pool* pool = pool_pointer.load(std::memory_order_acquire);
  if (pool == nullptr) {
    void* memory = std::aligned_alloc(alignof(Pool), sizeof(Pool));
    if (memory == nullptr) return nullptr;
    pool = ::new (memory) Pool();
    pool_pointer.store(pool, std::memory_order_release);
  }
  return pool;
}

// In the child of a fork only the forking thread lives on: the old pool's workers are gone, and it
// may have been in use by another thread. Its memory is left alone; the next region builds anew.
void forget_pool() {
  pool_pointer.store(nullptr, std::memory_order_relaxed);
  pool_busy.store(false, std::memory_order_relaxed);
  awake_scopes.store(own_awake_scopes, std::memory_order_relaxed);
}

// Ends the workers when the library goes, unless some thread is still computing: the end of the
// process then ends them. The memory of the pool stays, for whoever still holds its address.
struct Shutdown {
  Shutdown() { pthread_atfork(nullptr, nullptr, forget_pool); }
  ~Shutdown() {
    if (!acquire_pool()) return;  // and never give it back: later callers run alone
    Pool* pool = pool_pointer.load(std::memory_order_acquire);
    if (pool == nullptr) return;
    for (int i = 0; i < pool->workers; ++i) {
      Slot& slot = pool->slots[i];
      slot.part.body = nullptr;
      slot.start.set(slot.start.read() + 2);
      slot.thread.join();
    }
    pool->workers = 0;
  }
} shutdown;

// The caller's side of a region whose parts have been handed out: its own part, the parts that no
// worker has begun, and then the wait for the others. A worker that the system took off its CPU
// keeps the caller waiting far longer than its own part took.
void join(Pool* pool, const Part& first, int64_t chunks) {
  const uint64_t begin = ticks();
  pool->run(first);
  const uint64_t own = ticks() - begin;
  for (int64_t i = 0; i + 1 < chunks; ++i) {
    Slot& slot = pool->slots[i];
    const uint32_t number = slot.start.read();
    // A part may be shorter than the way to the worker: one that is awake gets a moment to begin.
    for (int k = 0; k < kGraceReads && slot.unclaimed(number) && !slot.start.asleep(); ++k) {
      relax();
    }
    if (slot.unclaimed(number) && slot.take_back(number)) pool->run(slot.part);
  }
  const uint64_t middle = ticks();
  const uint32_t parked = pool->parked.load(std::memory_order_relaxed);
  for (int64_t i = 0; i + 1 < chunks; ++i) {
    Slot& slot = pool->slots[i];
    const uint32_t begun = slot.start.read() - 1;
    slot.progress.wait(begun, [&] { return spin_nanoseconds(*pool, parked); });
  }
  const uint64_t end = ticks();
  // Short parts are over before a worker could begin, and that is no sign of anything.
  const uint64_t done_for_others = own > ticks_of(5) ? middle - begin - own : 0;
  const uint64_t waited = end - middle > own ? end - middle - own : 0;
  if (done_for_others + waited > 0 && pool->retreat.account(done_for_others + waited, end)) {
    park_threads();
  }
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

namespace {

// How many parts to make of a loop that has enough work for `most`. 1 or less: run it alone. The
// caller owns the pool.
int64_t parts_of(Pool* pool, int64_t most, int threads) {
  const bool all = split_all.load(std::memory_order_relaxed);
  const bool share = threads > usable_cpus.load(std::memory_order_relaxed);
  if (share != crowded.load(std::memory_order_relaxed)) {
    crowded.store(share, std::memory_order_relaxed);
  }
  const bool ready = pool->workers > 0 && !pool->slots[0].start.asleep();
  if (!ready && own_awake_scopes == 0 && !all) most /= kWakeGrains;
  if (most < 2 || pool->retreat.now()) return 1;
  grow(pool, threads - 1);
  const int64_t parts = most < threads ? most : threads;
  return parts < pool->workers + 1 ? parts : pool->workers + 1;
}

}  // namespace

void parallel_for(int64_t n, int64_t grain, void (*body)(void* context, int64_t begin, int64_t end),
                  void* context) {
  if (n <= 0) return;
  const bool all = split_all.load(std::memory_order_relaxed);
  const int64_t most = grain > 1 && !all ? n / grain : n;
  if (most < 2 || inside_region) {
    body(context, 0, n);
    return;
  }
  int threads = num_threads();
  if (!all) threads = std::min(threads, usable_cpus.load(std::memory_order_relaxed));
  if (threads < 2 || !acquire_pool()) {
    body(context, 0, n);
    return;
  }
  Pool* pool = ready_pool();
  const int64_t parts = pool == nullptr ? 1 : parts_of(pool, most, threads);
  if (parts < 2) {
    release_pool();
    body(context, 0, n);
    return;
  }
  // Parts that begin at whole cache lines share none, where they are long enough to be trimmed.
  constexpr int64_t kUnit = 16;
  const int64_t unit = n / parts - kUnit >= (all ? 1 : grain) && n / parts >= 64 ? kUnit : 1;
  inside_region = true;
  for (int64_t i = 1; i < parts; ++i) {
    Slot& slot = pool->slots[i - 1];
    slot.part = {body, context, chunk_begin(n, parts, i, unit), chunk_begin(n, parts, i + 1, unit)};
    slot.start.set(slot.start.read() + 2);
  }
  join(pool, {body, context, 0, chunk_begin(n, parts, 1, unit)}, parts);
  inside_region = false;
  const std::exception_ptr error = pool->failure.take();
  release_pool();
  if (error != nullptr) std::rethrow_exception(error);
}

ThreadsAwake::ThreadsAwake() {
  ++own_awake_scopes;
  awake_scopes.fetch_add(1, std::memory_order_relaxed);
}

ThreadsAwake::~ThreadsAwake() {
  --own_awake_scopes;
  awake_scopes.fetch_sub(1, std::memory_order_relaxed);
}

void set_split_all(bool all) { split_all.store(all, std::memory_order_relaxed); }

bool splits_all() { return split_all.load(std::memory_order_relaxed); }

void park_threads() {
  if (Pool* pool = pool_pointer.load(std::memory_order_acquire)) {
    pool->parked.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace fusegrad
