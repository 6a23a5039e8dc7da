#include "support.hpp"

#include <algorithm>
#include <array>

#include "kernels/linalg/matrix_multiplication.hpp"

using namespace mpskit;
using test::Tensor;

namespace {

// A matrix in memory of exactly its size, so that a sanitizer sees every access beyond it.
Tensor exact_matrix(DType t, std::int64_t rows, std::int64_t columns, std::int64_t matrices) {
  Tensor out(Layout::matrix(t, rows, columns, matrices));
  const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(1, out.layout().span_bytes()));
  auto block = std::make_shared<std::vector<std::byte>>(bytes);
  out.operand.storage = Storage::adopt(block->data(), bytes, true, block);
  return out;
}

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
