#include "support.hpp"

#include <algorithm>
#include <array>
#include <numbers>

#include "kernels/image/gaussian_blur.hpp"
#include "kernels/image/lanczos_scale.hpp"
#include "kernels/image/sobel.hpp"
#include "kernels/image/statistics_mean_and_variance.hpp"

using namespace mpskit;
using test::Tensor;

namespace {

constexpr std::array formats{DType::u8, DType::u16, DType::f16, DType::f32};
struct Shape {
  std::int64_t n, h, w, c;
};
constexpr std::array shapes{Shape{1, 1, 1, 1}, Shape{1, 5, 7, 1}, Shape{2, 9, 33, 3}, Shape{1, 20, 65, 4}, Shape{1, 6, 3, 6}};

double pixel(const Tensor& t, EdgeMode edge, std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) {
  const Layout& l = t.layout();
  if (edge == EdgeMode::zero && (y < 0 || x < 0 || y >= l.height() || x >= l.width())) return 0;
  return t.at(n, std::clamp<std::int64_t>(y, 0, l.height() - 1), std::clamp<std::int64_t>(x, 0, l.width() - 1), c);
}

template <class F>
void for_each_image(F&& body) {
  test::for_each_isa([&] {
    for (DType t : formats)
      for (const Shape& s : shapes) {
        Tensor src(Layout::image(t, s.n, s.h, s.w, s.c));
        src.fill(static_cast<unsigned>(s.w * 31 + s.h));
        body(src);
      }
  });
}

}  // namespace

// The blur of `src` at a pixel of the window, straight from the definition.
auto blur_of(const Tensor& src, const image::GaussianBlur& k) {
  const auto r = static_cast<std::int64_t>(std::ceil(3.7 * k.sigma));
  std::vector<double> taps;
  double sum = 0;
  for (std::int64_t i = -r; i <= r; ++i)
    sum += taps.emplace_back(k.sigma == 0 ? 1.0 : std::exp(-static_cast<double>(i * i) / (2.0 * k.sigma * k.sigma)));
  return [=, &src](std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) {
    double total = 0;
    for (std::int64_t j = -r; j <= r; ++j)
      for (std::int64_t i = -r; i <= r; ++i)
        total += taps[static_cast<std::size_t>(j + r)] * taps[static_cast<std::size_t>(i + r)] *
                 pixel(src, k.edge_mode, n, y + j + k.offset.y, x + i + k.offset.x, c);
    return total / (sum * sum);
  };
}

TEST_CASE("GaussianBlur") {
  for_each_image([](const Tensor& src) {
    for (EdgeMode edge : {EdgeMode::zero, EdgeMode::clamp})
      for (float sigma : {0.0f, 0.8f, 3.0f}) {
        image::GaussianBlur k;
        k.sigma = sigma;
        k.edge_mode = edge;
        Tensor dst(src.layout());
        test::run(k, {src}, {dst});
        test::check<image::GaussianBlur>(dst, blur_of(src, k));
      }
  });
}

TEST_CASE("GaussianBlur: long filters, pictures wider than a strip, windows beyond the border") {
  struct Case {
    Shape shape;
    float sigma;
    Offset offset;
  };
  test::for_each_isa([] {
    for (const auto& [s, sigma, offset] : {Case{{1, 2, 3, 1}, 19, {}}, Case{{1, 2, 530, 1}, 0.8f, {-7, 2}}, Case{{1, 70, 9, 2}, 0.8f, {300, 1}}})
      for (DType t : {DType::u8, DType::f32}) {
        Tensor src(Layout::image(t, s.n, s.h, s.w, s.c));
        src.fill(5);
        image::GaussianBlur k;
        k.sigma = sigma;
        k.offset = offset;
        Tensor dst(src.layout());
        test::run(k, {src}, {dst});
        test::check<image::GaussianBlur>(dst, blur_of(src, k));
      }
  });
}

TEST_CASE("Sobel") {
  for_each_image([](const Tensor& src) {
    for (EdgeMode edge : {EdgeMode::zero, EdgeMode::clamp}) {
      image::Sobel k;
      k.edge_mode = edge;
      Layout out = src.layout();
      out.dtype = DType::f32;
      Tensor dst(out.packed());
      test::run(k, {src}, {dst});
      test::check<image::Sobel>(dst, [&](auto n, auto y, auto x, auto c) {
        auto p = [&](std::int64_t j, std::int64_t i) { return pixel(src, edge, n, y + j, x + i, c); };
        const double gx = p(-1, 1) + 2 * p(0, 1) + p(1, 1) - p(-1, -1) - 2 * p(0, -1) - p(1, -1);
        const double gy = p(-1, -1) + 2 * p(-1, 0) + p(-1, 1) - p(1, -1) - 2 * p(1, 0) - p(1, 1);
        return std::hypot(gx, gy);
      });
    }
  });
}

TEST_CASE("Sobel: gray of colours") {
  for_each_image([](const Tensor& src) {
    const Layout& l = src.layout();
    if (l.channels() == 1) return;
    const image::Sobel k;
    Tensor dst(Layout::image(DType::f32, l.images(), l.height(), l.width(), 1));
    test::run(k, {src}, {dst});
    test::check<image::Sobel>(dst, [&](auto n, auto y, auto x, auto) {
      auto p = [&](std::int64_t j, std::int64_t i) {
        double gray = 0;
        for (std::int64_t c = 0; c < std::min<std::int64_t>(3, l.channels()); ++c)
          gray += static_cast<double>(k.color_transform[static_cast<std::size_t>(c)]) * pixel(src, k.edge_mode, n, y + j, x + i, c);
        return gray;
      };
      const double gx = p(-1, 1) + 2 * p(0, 1) + p(1, 1) - p(-1, -1) - 2 * p(0, -1) - p(1, -1);
      const double gy = p(-1, -1) + 2 * p(-1, 0) + p(-1, 1) - p(1, -1) - 2 * p(1, 0) - p(1, 1);
      return std::hypot(gx, gy);
    });
  });
}

TEST_CASE("LanczosScale") {
  for_each_image([](const Tensor& src) {
    for (auto [h, w] : {std::pair{4, 3}, std::pair{17, 40}}) {
      Tensor dst(Layout::image(src.layout().dtype, src.layout().images(), h, w, src.layout().channels()));
      test::run(image::LanczosScale{}, {src}, {dst});
      auto taps = [](std::int64_t from, std::int64_t to, std::int64_t i) {  // (first, weights)
        const double scale = static_cast<double>(to) / static_cast<double>(from), stretch = std::max(1.0, 1 / scale);
        const double u = (static_cast<double>(i) + 0.5) / scale;
        const auto first = static_cast<std::int64_t>(std::floor(u - 0.5 - 3 * stretch));
        std::vector<double> weights;
        double sum = 0;
        for (std::int64_t k = first; k <= static_cast<std::int64_t>(std::ceil(u - 0.5 + 3 * stretch)); ++k) {
          const double t = (static_cast<double>(k) + 0.5 - u) / stretch, x = std::numbers::pi * t;
          sum += weights.emplace_back(std::abs(t) >= 3 ? 0 : t == 0 ? 1 : 3 * std::sin(x) * std::sin(x / 3) / (x * x));
        }
        for (double& v : weights) v /= sum;
        return std::pair{first, weights};
      };
      test::check<image::LanczosScale>(dst, [&](auto n, auto y, auto x, auto c) {
        const auto [y0, wy] = taps(src.layout().height(), h, y);
        const auto [x0, wx] = taps(src.layout().width(), w, x);
        double total = 0;
        for (std::size_t j = 0; j < wy.size(); ++j)
          for (std::size_t i = 0; i < wx.size(); ++i)
            total += wy[j] * wx[i] * pixel(src, EdgeMode::clamp, n, y0 + static_cast<std::int64_t>(j), x0 + static_cast<std::int64_t>(i), c);
        return total;
      });
    }
  });
}

TEST_CASE("StatisticsMeanAndVariance") {
  for_each_image([](const Tensor& src) {
    const Layout& l = src.layout();
    Tensor dst(Layout::image(DType::f32, l.images(), 1, 2, l.channels()));
    test::run(image::StatisticsMeanAndVariance{}, {src}, {dst});
    test::check<image::StatisticsMeanAndVariance>(dst, [&](auto n, auto, auto x, auto c) {
      const auto count = static_cast<double>(l.height() * l.width());
      double mean = 0, variance = 0;
      for (std::int64_t j = 0; j < l.height(); ++j)
        for (std::int64_t i = 0; i < l.width(); ++i) mean += src.at(n, j, i, c) / count;
      for (std::int64_t j = 0; j < l.height(); ++j)
        for (std::int64_t i = 0; i < l.width(); ++i) variance += (src.at(n, j, i, c) - mean) * (src.at(n, j, i, c) - mean) / count;
      return x == 0 ? mean : variance;
    });
  });
}
