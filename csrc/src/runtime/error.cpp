// The text of errors, and size arithmetic that cannot wrap.
// An ArgumentError reads "where(): argument 'name': expected this, got that".
// Both bindings show this text unchanged.
#include "fusegrad/error.h"

#include <utility>

namespace fusegrad {
namespace {

std::string message(const std::string& where, const std::string& argument,
                    const std::string& expected, const std::string& got) {
  std::string text = where;
  if (!text.empty()) text += text.back() == ')' ? ": " : "(): ";
  return text + "argument '" + argument + "': expected " + expected + ", got " + got;
}

[[noreturn]] void too_large() {
  throw AllocationError("Unable to allocate: the size exceeds what 64 bits can address");
}

}  // namespace

ArgumentError::ArgumentError(std::string where, std::string argument, std::string expected,
                             std::string got)
    : std::invalid_argument(message(where, argument, expected, got)),
      where_(std::move(where)),
      argument_(std::move(argument)),
      expected_(std::move(expected)),
      got_(std::move(got)) {}

int64_t checked_mul(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result)) too_large();
  return result;
}

int64_t checked_add(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_add_overflow(a, b, &result)) too_large();
  return result;
}

}  // namespace fusegrad
