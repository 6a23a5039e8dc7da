#include "support.hpp"

#include <algorithm>
#include <array>

#include "kernels/linalg/matrix_decomposition_cholesky.hpp"
#include "kernels/linalg/matrix_decomposition_lu.hpp"
#include "kernels/linalg/matrix_multiplication.hpp"
#include "kernels/linalg/matrix_solve_cholesky.hpp"
#include "kernels/linalg/matrix_solve_lu.hpp"
#include "kernels/linalg/matrix_solve_triangular.hpp"
#include "kernels/linalg/matrix_vector_multiplication.hpp"

using namespace mpskit;
using test::Tensor;

namespace {

// In memory of exactly its size, so that a sanitizer sees every access beyond it.
Tensor exact(const Layout& layout) {
  Tensor out(layout);
  const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(1, out.layout().span_bytes()));
  auto block = std::make_shared<std::vector<std::byte>>(bytes);
  out.operand.storage = Storage::adopt(block->data(), bytes, true, block);
  return out;
}
Tensor exact_matrix(DType t, std::int64_t rows, std::int64_t columns, std::int64_t matrices) { return exact(Layout::matrix(t, rows, columns, matrices)); }

struct Types {
  DType left, right, out;
};

}  // namespace

TEST_CASE("MatrixMultiplication") {
  constexpr std::array types{Types{DType::f32, DType::f32, DType::f32}, Types{DType::f16, DType::f16, DType::f16},
                             Types{DType::f32, DType::f16, DType::f32}, Types{DType::i8, DType::i8, DType::f32},
                             Types{DType::i16, DType::i16, DType::f32}};
  constexpr std::array<std::array<std::int64_t, 3>, 8> sizes{{{1, 1, 1}, {1, 70, 33}, {3, 5, 7}, {6, 16, 4}, {15, 33, 5}, {29, 65, 40}, {61, 40, 3}, {30, 9, 1030}}};
  test::for_each_isa([&] {
    for (const Types& t : types)
      for (const auto& [m, n, k] : sizes)
        for (const bool tl : {false, true})
          for (const bool tr : {false, true})
            for (const float beta : {0.0f, -0.5f}) {
              CAPTURE(name_of(t.left));
              CAPTURE(m);
              CAPTURE(n);
              linalg::MatrixMultiplication kernel;
              kernel.transpose_left = tl;
              kernel.transpose_right = tr;
              kernel.alpha = 0.25f;
              kernel.beta = beta;
              const Tensor a = exact_matrix(t.left, tl ? k : m, tl ? m : k, 2), b = exact_matrix(t.right, tr ? n : k, tr ? k : n, 2);
              const Tensor c = exact_matrix(t.out, m, n, 2), old = exact_matrix(t.out, m, n, 2);
              a.fill(1);
              b.fill(2);
              c.fill(3);
              old.fill(3);
              test::run(kernel, {a, b}, {c});
              for (std::int64_t i = 0; i < 2; ++i)
                for (std::int64_t y = 0; y < m; ++y)
                  for (std::int64_t x = 0; x < n; ++x) {
                    double wanted = static_cast<double>(beta) * old.at(i, y, x), magnitude = std::abs(wanted);
                    for (std::int64_t j = 0; j < k; ++j) {
                      const double term = 0.25 * (tl ? a.at(i, j, y) : a.at(i, y, j)) * (tr ? b.at(i, x, j) : b.at(i, j, x));
                      wanted += term;
                      magnitude += std::abs(term);
                    }
                    double allowed = 1.2e-7 * static_cast<double>(k + 2) * magnitude;
                    if (t.out == DType::f16) allowed += 2.98e-8 + 4.8829e-4 * std::abs(wanted);
                    REQUIRE(std::abs(c.at(i, y, x) - wanted) <= allowed);
                  }
            }
  });
}

// A diagonal above the sums of the rest, so that any pivots do.
void add_to_diagonal(const Tensor& a, float more) {
  for (std::int64_t i = 0; i < a.layout().matrices(); ++i)
    for (std::int64_t d = 0; d < std::min(a.layout().rows(), a.layout().columns()); ++d) {
      const float v = static_cast<float>(a.at(i, d, d)) + more;
      std::memcpy(a.address(i, d, d, 0), &v, sizeof v);
    }
}

TEST_CASE("factorizations and solvers stay within their operands") {
  struct Size {
    std::int64_t order, columns, matrices;
  };
  test::for_each_isa([&] {
    for (const Size& s : {Size{1, 1, 1}, Size{5, 3, 1}, Size{65, 17, 1}, Size{7, 1, 9}, Size{30, 5, 17}, Size{100, 1, 1}}) {
      const auto [n, columns, matrices] = s;
      CAPTURE(n);
      CAPTURE(matrices);
      const Tensor a = exact_matrix(DType::f32, n, n, matrices), f = exact_matrix(DType::f32, n, n, matrices);
      const Tensor b = exact_matrix(DType::f32, n, columns, matrices), x = exact_matrix(DType::f32, n, columns, matrices);
      const Tensor status = exact(Layout::vector(DType::i32, matrices)), pivots = exact(Layout::vector(DType::u32, n, matrices));
      a.fill(1);
      b.fill(2);
      add_to_diagonal(a, static_cast<float>(n));
      auto residual_is_small = [&](bool is_symmetric, bool is_transposed) {
        for (std::int64_t m = 0; m < matrices; ++m)
          for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t c = 0; c < columns; ++c) {
              double sum = -b.at(m, i, c);
              for (std::int64_t k = 0; k < n; ++k) {
                const bool is_turned = is_symmetric ? k > i : is_transposed;
                sum += (is_turned ? a.at(m, k, i) : a.at(m, i, k)) * x.at(m, k, c);
              }
              REQUIRE(std::abs(sum) < 1e-5 * static_cast<double>(n));
            }
      };
      test::run(linalg::MatrixDecompositionLU{}, {a}, {f, pivots, status});
      for (const bool transpose : {false, true}) {
        linalg::MatrixSolveLU solve;
        solve.transpose = transpose;
        test::run(solve, {f, b, pivots}, {x});
        residual_is_small(false, transpose);
      }
      test::run(linalg::MatrixDecompositionCholesky{}, {a}, {f, status});
      test::run(linalg::MatrixSolveCholesky{}, {f, b}, {x});
      residual_is_small(true, false);
      for (std::int64_t m = 0; m < matrices; ++m) REQUIRE(status.at(0, m, 0) == 0);
      for (const bool right : {false, true}) {
        linalg::MatrixSolveTriangular solve;
        solve.right = right;
        const Tensor y = exact_matrix(DType::f32, right ? columns : n, right ? n : columns, matrices), z = exact(y.layout());
        y.fill(3);
        test::run(solve, {a, y}, {z});
      }
      linalg::MatrixVectorMultiplication product;
      for (product.transpose = false;; product.transpose = true) {
        const Tensor v = exact(Layout::vector(DType::f32, n, matrices)), w = exact(v.layout());
        v.fill(4);
        test::run(product, {a, v}, {w});
        if (product.transpose) break;
      }
    }
  });
}
