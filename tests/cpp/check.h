// A small harness: tests register themselves, CHECK reports and goes on, main() in check.cpp runs
// them. A test is a function; it fails when any of its checks does or when it throws.
// Names given on the command line choose tests by substring; those after a - leave tests out.
#pragma once

#include <string>

namespace fusegrad::test {

struct Registration {
  Registration(const char* name, void (*body)());
};

// Reports the failure of a check; never returns an error to the test.
void fail(const char* file, int line, const std::string& what);

}  // namespace fusegrad::test

#define FUSEGRAD_TEST(name)                                                      \
  static void test_##name();                                                     \
  static const fusegrad::test::Registration register_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) fusegrad::test::fail(__FILE__, __LINE__, #condition); \
  } while (false)

#define CHECK_EQ(got, expected)                                                                  \
  do {                                                                                           \
    if (!((got) == (expected))) fusegrad::test::fail(__FILE__, __LINE__, #got " == " #expected); \
  } while (false)

// `expression` throws `Type`, whose text is `text`.
#define CHECK_THROWS(expression, Type, text)                                            \
  do {                                                                                  \
    try {                                                                               \
      (void)(expression);                                                               \
      fusegrad::test::fail(__FILE__, __LINE__, #expression " did not throw");           \
    } catch (const Type& error) {                                                       \
      if (std::string(error.what()) != (text))                                          \
        fusegrad::test::fail(__FILE__, __LINE__, std::string("text: ") + error.what()); \
    }                                                                                   \
  } while (false)
