// Philox against the known answers that its authors publish with Random123, and what is drawn.
// Numbers must depend on their place alone: not on strides, threads or the size of the request.
// Distribution tests use bounds that a sound generator misses less than once in 10^9.
#include <array>
#include <cfenv>
#include <cstring>
#include <utility>
#include <vector>

#include "check.h"
#include "fusegrad/error.h"
#include "fusegrad/parallel.h"
#include "fusegrad/random.h"

namespace fusegrad {

FUSEGRAD_TEST(philox_known_answers) {
  using Words = std::array<uint32_t, 4>;
  CHECK_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
           (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  CHECK_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
           (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  CHECK_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
           (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

FUSEGRAD_TEST(philox_keys_differ) {
  std::vector<std::array<uint32_t, 2>> keys;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint64_t stream = 0; stream < 20; ++stream) keys.push_back(philox_key(seed, stream));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) CHECK(keys[i] != keys[j]);
  }
}

FUSEGRAD_TEST(uniform_depends_on_place_alone) {
  const Array plain(DType::float32, Shape{60, 500});
  fill_uniform(plain.view(), 7, 3, -2.0, 5.0);
  const Array turned(DType::float32, Shape{60, 500}, Strides{1, 60});
  set_num_threads(3);
  set_split_all(true);
  fill_uniform(turned.view(), 7, 3, -2.0, 5.0);
  set_split_all(false);
  set_num_threads(0);
  CHECK_EQ(std::memcmp(contiguous(turned, DType::float32).data(), plain.data(), 60 * 500 * 4), 0);
  const Array head(DType::float32, Shape{100});
  fill_uniform(head.view(), 7, 3, -2.0, 5.0);
  CHECK_EQ(std::memcmp(head.data(), plain.data(), 400), 0);
}

FUSEGRAD_TEST(uniform_range_and_moments) {
  for (DType dtype : {DType::float32, DType::float64}) {
    const Array array(dtype, Shape{1 << 20});
    fill_uniform(array.view(), 42, kUserStream, -1.0, 3.0);
    const Array wide = contiguous(array, DType::float64);
    const double* x = wide.view().as<double>();
    double sum = 0, squares = 0;
    bool inside = true;
    for (int64_t i = 0; i < array.size(); ++i) {
      inside = inside && x[i] >= -1.0 && x[i] < 3.0;
      sum += x[i];
      squares += (x[i] - 1) * (x[i] - 1);
    }
    const double n = static_cast<double>(array.size());
    CHECK(inside);
    CHECK(sum / n > 1 - 7e-3 && sum / n < 1 + 7e-3);  // six standard errors
    CHECK(squares / n > 4.0 / 3 - 8e-3 && squares / n < 4.0 / 3 + 8e-3);
  }
}

FUSEGRAD_TEST(uniform_ignores_the_rounding_of_the_caller) {
  const Array a(DType::float32, Shape{5000}), b(DType::float32, Shape{5000});
  const Array c(DType::float64, Shape{5000}), d(DType::float32, Shape{5000});
  fill_uniform(a.view(), 1, 2, -0.3, 0.7);
  fill_uniform(c.view(), 1, 2, -0.3, 0.7);
  copy_elements(d.view(), c.view());
  const Array e(DType::float32, Shape{5000});
  std::fesetround(FE_UPWARD);
  fill_uniform(b.view(), 1, 2, -0.3, 0.7);
  copy_elements(e.view(), c.view());
  std::fesetround(FE_TONEAREST);
  CHECK(std::memcmp(a.data(), b.data(), 5000 * sizeof(float)) == 0);
  CHECK(std::memcmp(d.data(), e.data(), 5000 * sizeof(float)) == 0);
}

FUSEGRAD_TEST(uniform_bounds) {
  const Array array(DType::float32, Shape{5000});
  fill_uniform(array.view(), 0, 0, 4.0, 4.0);
  CHECK_EQ(array.view().as<float>()[99], 4.0f);
  // A span of one unit in the last place: rounding must not reach the upper bound.
  fill_uniform(array.view(), 0, 0, 1.0, 1.0 + 0x1p-23);
  for (int64_t i = 0; i < array.size(); ++i) CHECK_EQ(array.view().as<float>()[i], 1.0f);
  CHECK_THROWS(fill_uniform(array.view(), 0, 0, 2.0, 1.0), ArgumentError,
               "uniform(): argument 'high': expected a finite number of at least low = 2.000000, "
               "got 1.000000");
  CHECK_THROWS(fill_uniform(Array(DType::int32, Shape{2}).view(), 0, 0, 0, 1), ArgumentError,
               "uniform(): argument 'dtype': expected float32 or float64, got int32");
}

FUSEGRAD_TEST(normal_depends_on_place_alone) {
  for (bool truncated : {false, true}) {
    const Array plain(DType::float32, Shape{60, 500});
    fill_normal(plain.view(), 7, 3, -2.0, 5.0, truncated);
    const Array turned(DType::float32, Shape{60, 500}, Strides{1, 60});
    set_num_threads(3);
    set_split_all(true);
    fill_normal(turned.view(), 7, 3, -2.0, 5.0, truncated);
    set_split_all(false);
    set_num_threads(0);
    CHECK_EQ(std::memcmp(contiguous(turned, DType::float32).data(), plain.data(), 60 * 500 * 4), 0);
    const Array head(DType::float32, Shape{300});
    fill_normal(head.view(), 7, 3, -2.0, 5.0, truncated);
    CHECK_EQ(std::memcmp(head.data(), plain.data(), 1200), 0);
    const Array wide(DType::float64, Shape{60, 500});
    fill_normal(wide.view(), 7, 3, -2.0, 5.0, truncated);
    CHECK_EQ(std::memcmp(contiguous(wide, DType::float32).data(), plain.data(), 60 * 500 * 4), 0);
  }
}

FUSEGRAD_TEST(normal_range_and_moments) {
  // The second to fourth moments of the law, whole and within two standard deviations: with
  // c = 2 phi(2) / (Phi(2) - Phi(-2)) they are 1 - 2c and 3 - 14c.
  constexpr double kCut = 0.11312907;
  for (bool truncated : {false, true}) {
    const double second = truncated ? 1 - 2 * kCut : 1.0;
    const double fourth = truncated ? 3 - 14 * kCut : 3.0;
    const Array array(DType::float64, Shape{1 << 20});
    fill_normal(array.view(), 42, kUserNormalStream, 1.0, 3.0, truncated);
    const double* x = array.view().as<double>();
    double sums[4] = {};
    double largest = 0;
    for (int64_t i = 0; i < array.size(); ++i) {
      const double z = (x[i] - 1.0) / 3.0;
      largest = z > largest ? z : (-z > largest ? -z : largest);
      sums[0] += z;
      sums[1] += z * z;
      sums[2] += z * z * z;
      sums[3] += z * z * z * z;
    }
    const double n = static_cast<double>(array.size());
    const auto near = [n](double sum, double mean, double bound) {
      return sum / n > mean - bound && sum / n < mean + bound;
    };
    CHECK(near(sums[0], 0.0, 6e-3));  // six standard errors, also below
    CHECK(near(sums[1], second, 8.5e-3));
    CHECK(near(sums[2], 0.0, 23e-3));
    CHECK(near(sums[3], fourth, 58e-3));
    CHECK(truncated ? largest <= 2.0 && largest > 1.999 : largest > 4.0 && largest < 8.21);
  }
}

FUSEGRAD_TEST(normal_ignores_the_rounding_of_the_caller) {
  const Array a(DType::float32, Shape{5000}), b(DType::float32, Shape{5000});
  fill_normal(a.view(), 1, 2, -0.3, 0.7, false);
  std::fesetround(FE_UPWARD);
  fill_normal(b.view(), 1, 2, -0.3, 0.7, false);
  std::fesetround(FE_TONEAREST);
  CHECK(std::memcmp(a.data(), b.data(), 5000 * sizeof(float)) == 0);
}

FUSEGRAD_TEST(normal_arguments) {
  const Array array(DType::float32, Shape{5000});
  fill_normal(array.view(), 0, 0, 4.0, 0.0, false);
  CHECK_EQ(array.view().as<float>()[99], 4.0f);
  // The bounds hold after rounding to float too.
  fill_normal(array.view(), 0, 0, 1.0, 0x1p-24, true);
  for (int64_t i = 0; i < array.size(); ++i) {
    const float x = array.view().as<float>()[i];
    CHECK(x >= 1.0f - 0x1p-23f && x <= 1.0f + 0x1p-23f);
  }
  CHECK_THROWS(fill_normal(array.view(), 0, 0, 0.0, -1.0, false), ArgumentError,
               "normal(): argument 'stddev': expected a finite number >= 0, got -1.000000");
  CHECK_THROWS(fill_normal(array.view(), 0, 0, __builtin_inf(), 1.0, false), ArgumentError,
               "normal(): argument 'mean': expected a finite number, got inf");
  CHECK_THROWS(fill_normal(Array(DType::int32, Shape{2}).view(), 0, 0, 0, 1, false), ArgumentError,
               "normal(): argument 'dtype': expected float32 or float64, got int32");
}

FUSEGRAD_TEST(permutation_is_a_bijection) {
  for (int64_t n : {0, 1, 2, 3, 63, 64, 65, 1000, 60000}) {
    std::vector<int64_t> rows(static_cast<size_t>(n)), again(rows.size());
    permutation(rows.data(), n, 11, 4);
    permutation(again.data(), n, 11, 4);
    CHECK(rows == again);
    std::vector<bool> seen(rows.size());
    for (int64_t row : rows) {
      CHECK(row >= 0 && row < n && !seen[static_cast<size_t>(row)]);
      seen[static_cast<size_t>(row)] = true;
    }
    if (n >= 63) {
      permutation(again.data(), n, 11, 5);
      CHECK(rows != again);
      permutation(again.data(), n, 12, 4);
      CHECK(rows != again);
    }
  }
}

// Fisher-Yates from the end, each place drawn by Lemire's method from the words of counters
// {index, 0, epoch}, spelled out one by one.
std::vector<int64_t> shuffled(int64_t n, uint64_t seed, uint32_t epoch) {
  const std::array<uint32_t, 2> key = philox_key(seed, kShuffleStream);
  uint32_t used = 0;
  const auto word = [&] {
    const uint32_t index = used / 4;
    return philox4x32({index, 0, epoch, 0}, key)[used++ % 4];
  };
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < n; ++i) rows.push_back(i);
  for (size_t i = rows.size() - 1; i > 0; --i) {
    const uint64_t bound = i + 1, remainder = (uint64_t{1} << 32) % bound;
    uint64_t product = 0;
    do {
      product = word() * bound;
    } while (product % (uint64_t{1} << 32) < remainder);
    std::swap(rows[i], rows[product >> 32]);
  }
  return rows;
}

FUSEGRAD_TEST(permutation_is_that_of_its_definition) {
  // Words are drawn 128 at a time, places 64; of the last size about a thousand words are redrawn.
  for (int64_t n : {1, 2, 3, 64, 65, 66, 128, 129, 130, 300, 3000000}) {
    std::vector<int64_t> rows(static_cast<size_t>(n));
    permutation(rows.data(), n, 11, 4);
    CHECK(rows == shuffled(n, 11, 4));
  }
}

FUSEGRAD_TEST(permutation_is_uniform) {
  // All 24 orders of four elements, over epochs: chi-squared with 23 degrees of freedom.
  constexpr int kEpochs = 48000;
  int counts[256] = {};
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    int64_t p[4];
    permutation(p, 4, 3, epoch);
    ++counts[p[0] + 4 * p[1] + 16 * p[2] + 64 * p[3]];
  }
  double chi = 0;
  int orders = 0;
  for (int count : counts) {
    if (count == 0) continue;
    ++orders;
    const double difference = count - kEpochs / 24.0;
    chi += difference * difference / (kEpochs / 24.0);
  }
  CHECK_EQ(orders, 24);
  CHECK(chi < 90.0);  // exceeded with probability below 1e-9
}

}  // namespace fusegrad
