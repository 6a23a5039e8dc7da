#include "support.hpp"

#include <atomic>
#include <limits>
#include <thread>

#include "core/error.hpp"
#include "core/text.hpp"
#include "cpu/thread_pool.hpp"
#include "kernels/image/gaussian_blur.hpp"

using namespace mpskit;

TEST_CASE("half precision converts exactly, both ways, for every code") {
  for (std::uint32_t code = 0; code < 0x10000; ++code) {
    const auto half = static_cast<std::uint16_t>(code);
    const float value = half_to_float(half);
    const int exponent = (half >> 10) & 31, mantissa = half & 1023;
    if (exponent == 31 && mantissa != 0) {
      CHECK(std::isnan(value));
      CHECK(std::isnan(half_to_float(float_to_half(value))));
      continue;
    }
    const double magnitude = exponent == 31 ? std::numeric_limits<double>::infinity()
                             : exponent == 0 ? std::ldexp(mantissa, -24)
                                             : std::ldexp(1024 + mantissa, exponent - 25);
    CHECK(value == (half & 0x8000 ? -magnitude : magnitude));
    CHECK(float_to_half(value) == half);
  }
}

TEST_CASE("half precision rounds to nearest, ties to even") {
  for (std::uint32_t code = 0; code < 0x7bff; ++code) {
    const float low = half_to_float(static_cast<std::uint16_t>(code)), high = half_to_float(static_cast<std::uint16_t>(code + 1));
    const float middle = low + (high - low) / 2;
    const auto even = static_cast<std::uint16_t>(code % 2 == 0 ? code : code + 1);
    CHECK(float_to_half(middle) == even);
    CHECK(float_to_half(std::nextafter(middle, low)) == code);
    CHECK(float_to_half(std::nextafter(middle, high)) == code + 1);
  }
  CHECK(float_to_half(65519.0f) == 0x7bff);
  CHECK(float_to_half(65520.0f) == 0x7c00);
  CHECK(float_to_half(-1e30f) == 0xfc00);
}

TEST_CASE("numbers in messages read as they were written") {
  CHECK(to_text(2.0) == "2.0");
  CHECK(to_text(static_cast<double>(0.1f)) == "0.1");
  CHECK(to_text(-1e-9) == "-1e-09");
  CHECK(cat("rows is ", 3, ", ", true, " ", 0.5f) == "rows is 3, True 0.5");
  const std::vector<std::string> words{"sigma", "edge_mode"};
  CHECK(nearest("sgima", words) == "sigma");
  CHECK(nearest("frequency", words).empty());
}

TEST_CASE("layouts count bytes") {
  Layout l = Layout::image(DType::u8, 2, 3, 5, 3);
  CHECK(l.is_packed());
  CHECK(l.span_bytes() == 2 * 3 * 5 * 3);
  l.stride[1] = 32;
  l.stride[0] = 128;
  CHECK_FALSE(l.is_packed());
  CHECK(l.span_bytes() == 128 + 2 * 32 + 15);
  CHECK(Layout::matrix(DType::f32, 0, 4).span_bytes() == 0);
}

TEST_CASE("pooled memory is page-aligned, whole pages, and comes back") {
  const auto before = pool::statistics().live_bytes;
  {
    auto s = Storage::allocate(10, true);
    CHECK(reinterpret_cast<std::uintptr_t>(s->data()) % pool::page_bytes() == 0);
    CHECK(s->size() % pool::page_bytes() == 0);
    CHECK(pool::statistics().live_bytes > before);
  }
  CHECK(pool::statistics().live_bytes == before);
}

TEST_CASE("parallel regions run every task once, nest, and let errors out") {
  cpu::set_num_threads(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::atomic<int>> seen(97);
    cpu::parallel(97, [&](std::int64_t task) {
      ++seen[static_cast<std::size_t>(task)];
      cpu::parallel(3, [](std::int64_t) {});
    });
    for (auto& s : seen) CHECK(s == 1);
  }
  CHECK_THROWS_AS(cpu::parallel(8, [](std::int64_t task) { if (task == 5) throw ValueError("task 5"); }), ValueError);
  std::atomic<std::int64_t> sum{0};
  cpu::parallel_for(1000, 7, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
  CHECK(sum == 1000);
  CHECK_THROWS_AS(cpu::set_num_threads(0), ValueError);
}

TEST_CASE("regions of several threads take turns") {
  cpu::set_num_threads(3);
  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] { for (int i = 0; i < 50; ++i) cpu::parallel(10, [&](std::int64_t) { ++total; }); });
  for (auto& c : callers) c.join();
  CHECK(total == 4 * 50 * 10);
}

TEST_CASE("a queue runs command buffers in order, and an error does not stop it") {
  const auto engine = Engines::find("cpu");
  test::Tensor a(Layout::image(DType::f32, 1, 64, 64, 1)), b(a.layout()), c(a.layout());
  a.fill(1);
  const auto blur = std::make_shared<const KernelOf<image::GaussianBlur>>(image::GaussianBlur{});
  PlanCache plans;
  std::vector<std::shared_ptr<Completion>> ends;
  for (int i = 0; i < 20; ++i) {
    CommandBuffer buffer(engine);
    Operand t = buffer.temporary(a.layout());
    buffer.encode(blur, plans, {i == 0 ? a.operand : c.operand}, {t});
    buffer.encode(blur, plans, {t}, {b.operand});
    ends.push_back(buffer.commit());
    CommandBuffer next(engine);
    next.encode(blur, plans, {b.operand}, {c.operand});
    ends.push_back(next.commit());
    CHECK_THROWS_AS(next.commit(), ValueError);
    CHECK_THROWS_AS(next.encode(blur, plans, {a.operand}, {b.operand}), ValueError);
  }
  for (auto& e : ends) e->rethrow();
  // Sixty blurs of the same picture, one after the other.
  test::Tensor x(a.layout()), y(a.layout());
  std::memcpy(x.operand.data(), a.operand.data(), static_cast<std::size_t>(a.layout().span_bytes()));
  for (int i = 0; i < 60; ++i) {
    test::run(image::GaussianBlur{}, {x}, {y});
    std::swap(x, y);
  }
  CHECK(std::memcmp(x.operand.data(), c.operand.data(), static_cast<std::size_t>(a.layout().span_bytes())) == 0);
}

TEST_CASE("overlapping and foreign operands are refused") {
  const auto engine = Engines::find("cpu");
  test::Tensor a(Layout::image(DType::f32, 1, 8, 8, 1)), b(a.layout());
  CHECK_THROWS_AS(test::run(image::GaussianBlur{}, {a}, {a}), ValueError);
  CommandBuffer one(engine), two(engine);
  const auto blur = std::make_shared<const KernelOf<image::GaussianBlur>>(image::GaussianBlur{});
  PlanCache plans;
  Operand t = one.temporary(a.layout());
  CHECK_THROWS_AS(two.encode(blur, plans, {t}, {b.operand}), ValueError);
}
