// The pool: every index once, from any caller, at any size, before and after fork.
// Floating-point environments are those of the contract inside and the caller's own outside.
// Thread limits are read from directories that imitate other machines.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "fusegrad/error.h"
#include "fusegrad/float_environment.h"
#include "fusegrad/parallel.h"
#include "fusegrad/storage.h"
#include "fusegrad/workspace.h"
#include "runtime/cpu_limits.h"

namespace fusegrad {
namespace {

// Whether a region over n indices visits each exactly once, in parts of at least `grain` unless
// all loops are split.
bool covers(int64_t n, int64_t grain) {
  std::vector<uint8_t> visits(static_cast<size_t>(n));
  std::atomic<bool> long_enough{true};
  if (splits_all()) grain = 1;
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    if (end - begin < grain && end - begin != n) long_enough = false;
    for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
  });
  for (uint8_t count : visits) {
    if (count != 1) return false;
  }
  return long_enough;
}

// Splits every loop while it lives, over as many threads as are set.
struct SplitAll {
  explicit SplitAll(int threads) {
    set_num_threads(threads);
    set_split_all(true);
  }
  ~SplitAll() {
    set_split_all(false);
    set_num_threads(0);
  }
};

// Parts that parallel_for makes of a loop.
int parts_of(int64_t n, int64_t grain) {
  std::atomic<int> parts{0};
  parallel_for(n, grain, [&](int64_t, int64_t) { ++parts; });
  return parts;
}

// Runs `body` in a forked child; true where it returned true there.
template <typename Body>
bool in_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // a child that hangs is a failure, not a wait
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

// By arithmetic: the vector unit's rounding mode, which fegetround() need not report.
bool rounds_to_nearest() {
  volatile double one = 1.0, tiny = 1e-30;
  return one + tiny == 1.0;
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

FUSEGRAD_TEST(parallel_covers_ranges) {
  for (int threads : {1, 2, 3, 8, 2, 5}) {
    const SplitAll split(threads);
    CHECK_EQ(num_threads(), threads);
    for (int64_t n : {0, 1, 2, 7, 64, 100, 1000, 65536, 100001}) {
      for (int64_t grain : {1, 3, 16, 1000}) CHECK(covers(n, grain));
    }
  }
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_splits_where_it_pays) {
  set_num_threads(2);
  const bool two = affinity_cpus() >= 2 && cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup") != 1;
  CHECK_EQ(parts_of(1999, 1000), 1);
  usleep(20'000);  // workers sleep
  CHECK_EQ(parts_of(1000 * 2 * kWakeGrains - 1, 1000), 1);
  {
    const ThreadsAwake awake;
    CHECK_EQ(parts_of(1999, 1000), 1);
    CHECK(!worth_threads(1999, 1000));
    CHECK(worth_threads(2000, 1000));
    // A retreat from workers that do not get their CPUs may last 200 ms.
    bool split = false;
    for (int i = 0; i < 1000 && two && !split; ++i) {
      split = parts_of(2000, 1000) == 2;
      if (!split) usleep(1000);
    }
    CHECK_EQ(split, two);
  }
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_uses_no_more_threads_than_cpus) {
  set_num_threads(0);
  const int cpus = num_threads();
  set_num_threads(kMaxThreads);
  const ThreadsAwake awake;
  for (int i = 0; i < 100; ++i) CHECK(parts_of(1'000'000, 1) <= affinity_cpus());
  CHECK(cpus <= affinity_cpus());
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_huge_ranges) {
  const SplitAll split(4);
  std::atomic<int64_t> largest{0};
  parallel_for(INT64_MAX, 1, [&](int64_t, int64_t end) {
    int64_t seen = largest;
    while (end > seen && !largest.compare_exchange_weak(seen, end)) {
    }
  });
  CHECK_EQ(largest.load(), INT64_MAX);
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_many_regions) {
  const SplitAll split(3);
  std::vector<int64_t> values(300);
  for (int round = 0; round < 3000; ++round) {
    parallel_for(300, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[static_cast<size_t>(i)] += i;
    });
    if (round % 500 == 0) park_threads();
    if (round % 700 == 0) usleep(200);  // long enough for workers to sleep by themselves
  }
  for (int64_t i = 0; i < 300; ++i) CHECK_EQ(values[static_cast<size_t>(i)], 3000 * i);
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_nested_runs_inline) {
  const SplitAll split(4);
  std::atomic<int> total{0}, strays{0};
  parallel_for(8, 1, [&](int64_t begin, int64_t end) {
    const std::thread::id self = std::this_thread::get_id();
    for (int64_t i = begin; i < end; ++i) {
      parallel_for(10, 1, [&](int64_t b, int64_t e) {
        if (std::this_thread::get_id() != self) ++strays;
        total += static_cast<int>(e - b);
      });
    }
  });
  CHECK_EQ(total.load(), 80);
  CHECK_EQ(strays.load(), 0);
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_raises_what_a_part_raised) {
  const SplitAll split(4);
  for (int64_t bad = 0; bad < 8; ++bad) {
    bool raised = false;
    try {
      parallel_for(8, 1, [&](int64_t begin, int64_t end) {
        if (begin <= bad && bad < end) throw AllocationError("part " + std::to_string(bad));
      });
    } catch (const AllocationError& error) {
      raised = error.what() == "part " + std::to_string(bad);
    }
    CHECK(raised);
    CHECK(covers(1000, 10));  // the pool still works, and the error is gone
  }
  bool all = false;
  try {
    parallel_for(8, 1, [](int64_t, int64_t) { throw std::logic_error("every part"); });
  } catch (const std::logic_error&) {
    all = true;
  }
  CHECK(all);
  CHECK(covers(1000, 10));
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_many_callers) {
  const SplitAll split(3);
  std::atomic<int> failures{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        if (!covers(1000, 10)) ++failures;
      }
    });
  }
  for (int count = 1; count < 6; ++count) {
    set_num_threads(count);
    park_threads();
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(failures.load(), 0);
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_survives_fork) {
  const SplitAll split(3);
  CHECK(covers(1000, 1));
  CHECK(in_child([] { return covers(1000, 1); }));
  // A grandchild, from a child whose pool is in use.
  CHECK(in_child([] { return covers(100, 1) && in_child([] { return covers(1000, 1); }); }));
  CHECK(covers(1000, 1));
  // Fork while another thread is inside a region.
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) covers(5000, 1);
  });
  for (int i = 0; i < 10; ++i) {
    CHECK(in_child([] {
      std::atomic<int> total{0};
      parallel_for(30, 1, [&](int64_t b, int64_t e) { total += static_cast<int>(e - b); });
      return total == 30;
    }));
  }
  stop = true;
  busy.join();
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_thread_count_is_checked) {
  CHECK_THROWS(
      set_num_threads(-1), ArgumentError,
      "set_num_threads(): argument 'count': expected 1 to 256, or 0 for the default, got -1");
  CHECK_THROWS(
      set_num_threads(257), ArgumentError,
      "set_num_threads(): argument 'count': expected 1 to 256, or 0 for the default, got 257");
}

FUSEGRAD_TEST(parallel_default_count) {
  set_num_threads(0);
  const int machine = num_threads();
  CHECK(machine >= 1 && machine <= affinity_cpus());
  const auto with = [](const char* own, const char* openmp) {
    unsetenv("FUSEGRAD_NUM_THREADS");
    unsetenv("OMP_NUM_THREADS");
    if (own != nullptr) setenv("FUSEGRAD_NUM_THREADS", own, 1);
    if (openmp != nullptr) setenv("OMP_NUM_THREADS", openmp, 1);
    set_num_threads(0);
    return num_threads();
  };
  CHECK_EQ(with("1", nullptr), 1);
  CHECK_EQ(with(nullptr, "1,4"), 1);
  CHECK_EQ(with("99", "1"), with(nullptr, nullptr));
  CHECK_EQ(with("nonsense", "1"), 1);
  with(nullptr, nullptr);
}

FUSEGRAD_TEST(parallel_float_environment) {
  const SplitAll split(2);
  std::fesetround(FE_UPWARD);
  {
    const FloatEnvironment environment;
    std::atomic<int> wrong{0};
    parallel_for(2, 1, [&](int64_t, int64_t) {
      if (!rounds_to_nearest()) ++wrong;
      // Subnormals are kept: the smallest normal halved is not zero.
      volatile float least = 1.17549435e-38f;
      if (least * 0.5f == 0.0f) ++wrong;
    });
    CHECK_EQ(wrong.load(), 0);
  }
  CHECK(!rounds_to_nearest());
  std::fesetround(FE_TONEAREST);
  set_num_threads(0);
}

FUSEGRAD_TEST(parallel_workspace) {
  void* first = thread_workspace(10);
  CHECK_EQ(reinterpret_cast<uintptr_t>(first) % kAlignment, 0u);
  CHECK(thread_workspace(100) == first);
  void* large = thread_workspace(1 << 20);
  std::memset(large, 1, 1 << 20);
  CHECK(thread_workspace(5) == large);
  std::thread([&] { CHECK(thread_workspace(64) != large); }).join();
}

FUSEGRAD_TEST(cpu_limits_of_cgroups) {
  namespace fs = std::filesystem;
  char pattern[] = "/tmp/fusegrad-cgroup-XXXXXX";
  const char* directory = mkdtemp(pattern);
  CHECK(directory != nullptr);
  const fs::path root = directory;
  const auto limit = [&](const std::string& groups) {
    write_file(root / "self", groups);
    return cgroup_cpus((root / "self").string(), (root / "mount").string());
  };
  CHECK_EQ(limit("0::/\n"), 0);
  write_file(root / "mount/cpu.max", "max 100000\n");
  CHECK_EQ(limit("0::/\n"), 0);
  write_file(root / "mount/cpu.max", "150000 100000\n");
  CHECK_EQ(limit("0::/\n"), 1);
  write_file(root / "mount/cpu.max", "299999 100000\n");
  CHECK_EQ(limit("0::/\n"), 2);
  CHECK_EQ(limit("0::/a/b\n"), 2);  // a group that is not visible here
  write_file(root / "mount/a/cpu.max", "50000 100000\n");
  CHECK_EQ(limit("0::/a/b\n"), 1);
  write_file(root / "mount/cpu.max", "max 100000\n");
  write_file(root / "mount/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write_file(root / "mount/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK_EQ(limit("3:memory:/x\n4:cpu,cpuacct:/docker/1\n"), 0);
  write_file(root / "mount/cpu,cpuacct/cpu.cfs_quota_us", "300000\n");
  CHECK_EQ(limit("3:memory:/x\n4:cpu,cpuacct:/docker/1\n"), 3);
  CHECK_EQ(limit("5:cpuset:/\n"), 0);
  CHECK_EQ(cgroup_cpus((root / "absent").string(), root.string()), 0);
  fs::remove_all(root);
}

FUSEGRAD_TEST(cpu_limits_of_environment) {
  CHECK_EQ(parse_thread_count("4"), 4);
  CHECK_EQ(parse_thread_count("4,2,1"), 4);
  CHECK_EQ(parse_thread_count(" 8 "), 8);
  for (const char* text : {"", "0", "-2", "x", "3x", "99999999999999999999"}) {
    CHECK_EQ(parse_thread_count(text), 0);
  }
  CHECK_EQ(parse_thread_count(nullptr), 0);
}

}  // namespace fusegrad
