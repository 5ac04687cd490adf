// How many threads this process may usefully run: CPU affinity and the quota of its cgroups.
// A container often limits CPU time without hiding CPUs, so affinity alone is not enough.
// The readers take the directory to look in, so that tests can show them other machines.
#pragma once

#include <string>

namespace fusegrad {

// CPUs in this process's affinity mask; at least 1.
int affinity_cpus();

// CPUs' worth of time that the cgroups (versions 1 and 2) grant, rounded up; 0 where there is no
// limit. `cgroup_file` is /proc/self/cgroup, `mount` is /sys/fs/cgroup.
int cgroup_cpus(const std::string& cgroup_file, const std::string& mount);

// A thread count from the environment: the first number of a list such as "4,2"; 0 where the text
// is null or is not a positive number.
int parse_thread_count(const char* text);

}  // namespace fusegrad
