// Errors that the core raises, and the checks that raise them.
//
// Both bindings translate ArgumentError to one Python class that is a ValueError.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "fusegrad/api.h"

namespace fusegrad {

// A wrong argument: which one, what was expected, what was got. Raised before anything is written.
class FUSEGRAD_API ArgumentError : public std::invalid_argument {
 public:
  ArgumentError(std::string where, std::string argument, std::string expected, std::string got);

  const std::string& where() const { return where_; }
  const std::string& argument() const { return argument_; }
  const std::string& expected() const { return expected_; }
  const std::string& got() const { return got_; }

 private:
  std::string where_, argument_, expected_, got_;
};

// Memory that could not be had; what() names the size in bytes.
class FUSEGRAD_API AllocationError : public std::bad_alloc {
 public:
  explicit AllocationError(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// What a function of the host raised, such as a Python exception; it crosses the core unchanged.
class FUSEGRAD_API HostError : public std::exception {
 public:
  explicit HostError(std::shared_ptr<void> error) : error_(std::move(error)) {}

  const std::shared_ptr<void>& error() const { return error_; }
  const char* what() const noexcept override { return "a function of the host raised an error"; }

 private:
  std::shared_ptr<void> error_;
};

// a*b and a+b of non-negative sizes; raise AllocationError where the result leaves int64.
FUSEGRAD_API int64_t checked_mul(int64_t a, int64_t b);
FUSEGRAD_API int64_t checked_add(int64_t a, int64_t b);

}  // namespace fusegrad
