// The main program of the C++ tests.
// Prints the instruction-set level, one line a test, and the checks that failed.
// Exit status 0 where all passed and at least one ran; 77 where FUSEGRAD_ISA asks for a level that
// cannot be had here, so that CTest says "skipped" instead of testing another level.
#include "check.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include "fusegrad/cpu.h"

namespace fusegrad::test {
namespace {

struct Entry {
  const char* name;
  void (*body)();
};

std::vector<Entry>& entries() {
  static std::vector<Entry> list;
  return list;
}

int failures = 0;

bool chosen(const char* name, int argc, char** argv) {
  bool any = false, match = false;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-') {
      if (std::strstr(name, argv[i] + 1) != nullptr) return false;
    } else {
      any = true;
      match = match || std::strstr(name, argv[i]) != nullptr;
    }
  }
  return match || !any;
}

int run_all(int argc, char** argv) {
  int ran = 0, failed = 0;
  for (const Entry& entry : entries()) {
    if (!chosen(entry.name, argc, argv)) continue;
    const int before = failures;
    try {
      entry.body();
    } catch (const std::exception& error) {
      fail(entry.name, 0, std::string("unexpected exception: ") + error.what());
    }
    const bool passed = failures == before;
    std::printf("%s %s\n", passed ? "ok  " : "FAIL", entry.name);
    std::fflush(stdout);
    ++ran;
    failed += passed ? 0 : 1;
  }
  std::printf("%d tests, %d failed\n", ran, failed);
  return ran > 0 && failed == 0 ? 0 : 1;
}

}  // namespace

Registration::Registration(const char* name, void (*body)()) { entries().push_back({name, body}); }

void fail(const char* file, int line, const std::string& what) {
  ++failures;
  std::printf("%s:%d: %s\n", file, line, what.c_str());
}

}  // namespace fusegrad::test

int main(int argc, char** argv) {
  if (const char* const error = fusegrad::isa_request_error()) {
    std::printf("%s\n", error);
    return 77;
  }
  std::printf("level %s\n", fusegrad::isa_level_name(fusegrad::isa_level()));
  return fusegrad::test::run_all(argc, argv);
}
