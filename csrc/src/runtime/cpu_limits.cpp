// Reads affinity and cgroup quotas.
// A quota of an outer group binds the inner ones, so every level up to the mount point is read.
// Files that are missing or odd mean no limit. A quota is rounded down: threads that together use
// more than it are all stopped for the rest of each period, which costs more than a part of a CPU
// gives.
#include "runtime/cpu_limits.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#if defined(__linux__)
#include <sched.h>
#endif
#include <unistd.h>

namespace fusegrad {
namespace {

int least(int a, int b) { return a == 0 ? b : b == 0 ? a : a < b ? a : b; }

int whole_cpus(int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return 0;
  const int64_t cpus = quota < period ? 1 : quota / period;
  return cpus > (1 << 20) ? 0 : static_cast<int>(cpus);
}

bool read_line(const std::string& path, std::string* line) {
  std::ifstream file(path);
  return file && std::getline(file, *line);
}

// cpu.max holds "<quota|max> <period>".
int v2_quota(const std::string& directory) {
  std::string line;
  if (!read_line(directory + "/cpu.max", &line)) return 0;
  char* end;
  const int64_t quota = std::strtoll(line.c_str(), &end, 10);
  if (end == line.c_str()) return 0;
  return whole_cpus(quota, std::strtoll(end, nullptr, 10));
}

int v1_quota(const std::string& directory) {
  std::string quota, period;
  if (!read_line(directory + "/cpu.cfs_quota_us", &quota) ||
      !read_line(directory + "/cpu.cfs_period_us", &period)) {
    return 0;
  }
  return whole_cpus(std::strtoll(quota.c_str(), nullptr, 10),
                    std::strtoll(period.c_str(), nullptr, 10));
}

// The least quota from `mount` + `group` up to `mount`. Inside a container the group's name is
// often the host's and names no directory here; its parents still do.
int least_quota(const std::string& mount, std::string group, int (*quota)(const std::string&)) {
  int result = 0;
  while (!group.empty() && group.back() == '/') group.pop_back();
  for (;;) {
    result = least(result, quota(mount + group));
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) return result;
    group.resize(slash);
  }
}

bool names_controller(const std::string& list, const char* controller) {
  return ("," + list + ",").find("," + std::string(controller) + ",") != std::string::npos;
}

}  // namespace

int affinity_cpus() {
#if defined(__linux__)
  // The kernel refuses a mask smaller than its own, so grow until it fits.
  for (int cpus = 1024; cpus <= 1 << 16; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(cpus));
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(online) : 1;
}

int cgroup_cpus(const std::string& cgroup_file, const std::string& mount) {
  // Lines read "hierarchy:controllers:group"; version 2 has hierarchy 0 and no controllers.
  int result = 0;
  std::ifstream file(cgroup_file);
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      result = least(result, least_quota(mount, group, v2_quota));
      result = least(result, least_quota(mount + "/unified", group, v2_quota));
    } else if (names_controller(controllers, "cpu")) {
      result = least(result, least_quota(mount + "/cpu", group, v1_quota));
      result = least(result, least_quota(mount + "/cpu,cpuacct", group, v1_quota));
    }
  }
  return result;
}

int parse_thread_count(const char* text) {
  if (text == nullptr) return 0;
  char* end;
  const long count = std::strtol(text, &end, 10);
  while (*end == ' ') ++end;
  if (end == text || (*end != '\0' && *end != ',')) return 0;
  return count > 0 && count <= INT32_MAX ? static_cast<int>(count) : 0;
}

}  // namespace fusegrad
