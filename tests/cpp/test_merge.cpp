// The gradient of a relu taken into the product before it, against the two ops one by one.
#include <limits>
#include <string>

#include "fusegrad/parallel.h"
#include "fusegrad/program.h"
#include "graph_support.h"

namespace fusegrad::test {

namespace {

// relu_grad(op(a) op(b), y) as a program's output; y is stored in order F where asked.
struct Slope {
  Graph graph;
  Array a, b, y;
  Value product;

  Slope(int64_t m, int64_t k, int64_t n, const Attrs& attrs, DType dtype, bool f_order) {
    const Shape a_shape = attrs.transpose_a ? Shape{k, m} : Shape{m, k};
    const Shape b_shape = attrs.transpose_b ? Shape{n, k} : Shape{k, n};
    a = contiguous(random_array<double>(a_shape), dtype);
    b = contiguous(random_array<double>(b_shape), dtype);
    const Array signs = random_array<double>({m, n});
    double* at = signs.view().as<double>();
    const double rest[] = {0.0, -0.0, std::numeric_limits<double>::quiet_NaN()};
    for (int64_t i = 0; i < m * n; i += 5) at[i] = rest[i % 3];
    y = Array(dtype, {m, n}, f_order ? f_strides({m, n}) : c_strides({m, n}));
    copy_elements(y.view(), signs.view());
    product =
        graph.emit(matmul_op, {graph.input(a.meta(), "a"), graph.input(b.meta(), "b")}, attrs);
    graph.output(graph.emit(relu_grad_op, {product, graph.state(y, "y")}), "dx");
  }

  std::shared_ptr<Program> run(bool optimize) const {
    CompileOptions options;
    options.optimize = optimize;
    const auto program = Program::compile(graph, options);
    program->bind_input(0, a.view());
    program->bind_input(1, b.view());
    program->run();
    return program;
  }
};

bool merged(const Program& program) {
  return program.text("plan").find("matmul_relu_grad") != std::string::npos;
}

}  // namespace

FUSEGRAD_TEST(program_merges_relu_gradients) {
  int count = 0;
  for (const DType dtype : {DType::float32, DType::float64}) {
    for (const int64_t m : {1, 3, 32, 70, 300}) {
      for (const int64_t n : {1, 2, 17, 40, 260}) {
        for (int form = 0; form < 8; ++form) {
          Attrs attrs;
          attrs.transpose_a = (form & 1) != 0;
          attrs.transpose_b = (form & 2) != 0;
          const Slope slope(m, m == 32 || form == 0 ? 300 : 15, n, attrs, dtype, (form & 4) != 0);
          set_num_threads(1 + form % 3);
          const auto program = slope.run(true);
          const auto plain = slope.run(false);
          CHECK(!merged(*plain));
          CHECK(same_bits(program->output(0), plain->output(0)));
          count += merged(*program) ? 1 : 0;
        }
      }
    }
  }
  CHECK(count >= 200);  // an output in order F is a copy: not all orders of y fit the product
  set_num_threads(0);
}

FUSEGRAD_TEST(program_keeps_products_that_are_read) {
  Slope slope(8, 5, 9, Attrs(), DType::float32, false);
  CHECK(merged(*slope.run(true)));
  slope.graph.output(slope.product, "product");
  const auto program = slope.run(true);
  const auto plain = slope.run(false);
  CHECK(!merged(*program));
  for (int i = 0; i < 2; ++i) CHECK(same_bits(program->output(i), plain->output(i)));
}

// The slope of the product's own sign is no output of another op.
FUSEGRAD_TEST(program_keeps_slopes_of_the_product_itself) {
  Graph graph;
  const Array a = random_array<float>({8, 5}), b = random_array<float>({5, 9});
  const Value product =
      graph.emit(matmul_op, {graph.input(a.meta(), "a"), graph.input(b.meta(), "b")});
  graph.output(graph.emit(relu_grad_op, {product, product}), "y");
  const auto program = Program::compile(graph);
  CHECK(!merged(*program));
}

}  // namespace fusegrad::test
