// Detects the instruction sets of this machine and settles the level in use, once per process.
// __builtin_cpu_supports includes the operating system's support for the wide registers.
#include "fusegrad/cpu.h"

#include <cstdlib>
#include <cstring>
#include <string>

namespace fusegrad {

namespace {

constexpr IsaLevel kAllLevels[] = {IsaLevel::baseline, IsaLevel::avx2, IsaLevel::avx512,
                                   IsaLevel::neon};

struct Choice {
  IsaLevel level;
  std::string error;
};

std::string usable_names() {
  std::string names;
  for (const IsaLevel level : isa_levels_compiled()) {
    if (!isa_level_supported(level)) continue;
    if (!names.empty()) names += ", ";
    names += isa_level_name(level);
  }
  return names;
}

Choice choose() {
  Choice choice{isa_levels_compiled().front(), {}};
  for (const IsaLevel level : isa_levels_compiled()) {
    if (isa_level_supported(level)) choice.level = level;
  }
  const char* const request = std::getenv("FUSEGRAD_ISA");
  if (request == nullptr || *request == '\0') return choice;
  for (const IsaLevel level : isa_levels_compiled()) {
    if (isa_level_supported(level) && std::strcmp(request, isa_level_name(level)) == 0) {
      return {level, {}};
    }
  }
  const char* reason = "an unknown level";
  for (const IsaLevel level : kAllLevels) {
    if (std::strcmp(request, isa_level_name(level)) == 0) {
      reason = "a level that this machine or this build does not support";
    }
  }
  choice.error = std::string("environment variable FUSEGRAD_ISA: expected one of ") +
                 usable_names() + ", got '" + request + "' (" + reason + ")";
  return choice;
}

const Choice& chosen() {
  static const Choice choice = choose();
  return choice;
}

}  // namespace

const char* isa_level_name(IsaLevel level) {
  switch (level) {
    case IsaLevel::baseline: return "baseline";
    case IsaLevel::avx2: return "avx2";
    case IsaLevel::avx512: return "avx512";
    case IsaLevel::neon: return "neon";
  }
  return "unknown";
}

bool isa_level_supported(IsaLevel level) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("f16c");
  switch (level) {
    case IsaLevel::baseline: return true;
    case IsaLevel::avx2: return avx2;
    case IsaLevel::avx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512cd");
    default: return false;
  }
#else
  return level == IsaLevel::neon;
#endif
}

const std::vector<IsaLevel>& isa_levels_compiled() {
#if defined(__x86_64__)
  static const std::vector<IsaLevel> levels = {IsaLevel::baseline, IsaLevel::avx2,
                                               IsaLevel::avx512};
#else
  static const std::vector<IsaLevel> levels = {IsaLevel::neon};
#endif
  return levels;
}

IsaLevel isa_level() { return chosen().level; }

const char* isa_request_error() {
  return chosen().error.empty() ? nullptr : chosen().error.c_str();
}

}  // namespace fusegrad
